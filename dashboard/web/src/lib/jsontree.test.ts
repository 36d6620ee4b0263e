import { expect, it } from 'vitest';
import { children, find, gist, visible } from './jsontree';

it('paths can be pasted into other tools', () => {
	const paths = children({ a: 1, 'b c': 2, '"': 3 }, '$', 9).map((child) => child.path);
	expect(paths).toEqual(['$.a', '$["b c"]', '$["\\""]']);
	expect(children([5, 6, 7], '$.x', 2)).toEqual([
		{ key: '0', value: 5, path: '$.x[0]' },
		{ key: '1', value: 6, path: '$.x[1]' },
	]);
});

it('finds text in names and values and opens the way to it', () => {
	const value = { list: [{ name: 'Übung' }, { name: 'x', übung: null }], n: 42 };
	expect(find(value, 'ubung')).toEqual({
		open: new Set(['$', '$.list', '$.list[0]', '$.list[1]']),
		count: 2,
		cut: false,
	});
	expect(find(value, '42').count).toBe(1);
	expect(find(value, ' ')).toMatchObject({ count: 0 });
	expect(
		find(
			Array.from({ length: 1000 }, () => 'x'),
			'x',
		),
	).toMatchObject({ count: 200, cut: true });
	let deep: unknown = 'x';
	for (let i = 0; i < 3000; i++) deep = [deep];
	expect(find(deep, 'x').count).toBe(0);
});

it('says in short what is in a value', () => {
	expect(gist([1])).toBe('1 item');
	expect(gist({ a: 1, b: 2 })).toBe('a, b');
	expect(gist({ a: 1, b: 2, c: 3, d: 4, e: 5 })).toBe('a, b, c, d, … 5 members');
	expect(gist({})).toBe('');
});

it('writes out what cannot be seen', () => {
	expect(visible('a\u202eb\u0000\n\tü🎈\r')).toBe('a\\u202eb\\u0000\n\tü🎈\\u000d');
});
