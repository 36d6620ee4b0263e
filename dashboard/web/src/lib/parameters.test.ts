import { expect, it } from 'vitest';
import { maxRows, parameters } from './parameters';

it('a row for each parameter, nested ones below theirs', () => {
	const { rows, cut } = parameters({
		type: 'object',
		properties: {
			state: { enum: ['open', 'closed'], default: 'open', description: 'Which' },
			n: { type: ['integer', 'null'], minimum: 1, maximum: 9 },
			list: {
				type: 'array',
				items: { type: 'object', properties: { id: { type: 'string' } }, required: ['id'] },
			},
			any: {},
			u: { oneOf: [{ type: 'object', properties: { kind: { const: 'a' } } }, { type: 'string' }] },
		},
		required: ['n'],
	});
	expect(cut).toBe(false);
	expect(rows.map((row) => [row.depth, row.name, row.type, row.required])).toEqual([
		[0, 'n', 'integer or null', true],
		[0, 'state', 'one of', false],
		[0, 'list', 'list of object', false],
		[1, 'id', 'string', true],
		[0, 'any', 'any', false],
		[0, 'u', 'one of 2 variants', false],
		[1, 'or: kind: a', 'object', false],
		[2, 'kind', '"a"', false],
		[1, 'or: text', 'string', false],
	]);
	expect(rows[1]).toMatchObject({ default: 'open', options: ['"open"', '"closed"'], description: 'Which' });
	expect(rows[0]!.limits).toEqual(['1 to 9']);
});

it('a schema without an end has a table with one', () => {
	expect(parameters({ properties: { a: { $ref: '#' }, b: { $ref: '#' } } }).cut).toBe(true);
	const wide = parameters({
		type: 'object',
		properties: Object.fromEntries(Array.from({ length: 2000 }, (_, i) => [`p${i}`, { type: 'string' }])),
	});
	expect(wide).toMatchObject({ cut: true, rows: { length: maxRows } });
	expect(parameters(undefined).rows).toEqual([]);
	expect(parameters(7).rows).toEqual([]);
});
