import { expect, it } from 'vitest';
import { alone, rows, stack } from './chart';

it('puts columns on top of each other', () => {
	expect(
		stack([
			[1, 2, null],
			[0, 1, null],
			[5, null, 1],
		]),
	).toEqual([
		[1, 2, null],
		[1, 3, null],
		[6, null, 1],
	]);
});

it('makes rows of columns, newest first, without empty ones', () => {
	expect(
		rows(
			[10, 20, 30, 40],
			[
				[null, 1, 2, 0],
				[null, null, 3, 0],
			],
		),
	).toEqual([
		{ at: 30, values: [2, 3] },
		{ at: 20, values: [1, null] },
	]);
});

it('finds what no line leads to', () => {
	expect(alone([null, 3, null, 1, 2, null, 4])).toEqual([1, 6]);
	expect(alone([5])).toEqual([0]);
	expect(alone([null, 1, 2])).toEqual([]);
});
