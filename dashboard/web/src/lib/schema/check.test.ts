import { describe, expect, it } from 'vitest';
import { Checker } from './check';
import { safePattern } from './pattern';

const object = (properties: Record<string, unknown>, more: object = {}) => ({
	type: 'object',
	properties,
	...more,
});
const faults = (schema: unknown, value: unknown) => new Checker(schema).check(value).faults;

describe('faults stand at their values', () => {
	it.each([
		[object({ a: { type: 'integer' } }), { a: 'x' }, '/a', 'This is text, but an integer is expected.'],
		[
			object({ a: { type: ['integer', 'null'] } }),
			{ a: true },
			'/a',
			'This is true or false, but an integer or null is expected.',
		],
		[object({ a: {} }, { required: ['a'] }), {}, '/a', 'This is required.'],
		[
			object({ 'a/b': object({ '~': {} }, { required: ['~'] }) }),
			{ 'a/b': {} },
			'/a~1b/~0',
			'This is required.',
		],
		[object({ a: { enum: ['x', 'y'] } }), { a: 'z' }, '/a', 'This must be one of ["x","y"].'],
		[object({ a: { const: 1 } }), { a: 2 }, '/a', 'This must be 1.'],
		[object({ a: { minimum: 3 } }), { a: 2 }, '/a', '2 is less than 3.'],
		[object({ a: { maxLength: 1 } }), { a: 'abc' }, '/a', 'This is too long (3 > 1).'],
		[object({ a: { pattern: '^x' } }), { a: 'y' }, '/a', 'This does not match the pattern.'],
		[object({ a: { format: 'email' } }), { a: 'y' }, '/a', 'This is not of the format "email".'],
		[
			object({ a: { type: 'array', items: { type: 'number' } } }),
			{ a: [1, 'x'] },
			'/a/1',
			'This is text, but a number is expected.',
		],
		[object({}, { additionalProperties: false }), { b: 1 }, '/b', 'The schema does not allow this.'],
	])('%j with %j', (schema, value, pointer, message) => {
		expect(faults(schema, value)).toEqual([{ pointer, message }]);
	});

	it('nothing is wrong with what fits', () => {
		expect(
			faults(object({ a: { $ref: '#/$defs/n' } }, { $defs: { n: { type: 'number' } } }), { a: 1 }),
		).toEqual([]);
		expect(faults(true, 1)).toEqual([]);
	});

	it('of a union the nearest variant speaks', () => {
		const schema = object({
			t: {
				oneOf: [
					object({ kind: { const: 'a' }, n: { type: 'integer' } }, { required: ['kind', 'n'] }),
					object({ kind: { const: 'b' }, s: { type: 'string' } }, { required: ['kind', 's'] }),
				],
			},
		});
		expect(faults(schema, { t: { kind: 'b' } })).toEqual([{ pointer: '/t/s', message: 'This is required.' }]);
		expect(faults(schema, { t: 7 })).toEqual([{ pointer: '/t', message: 'This fits none of the variants.' }]);
	});
});

describe('schemas of strangers', () => {
	it('leaves the schema as it was', () => {
		const schema = Object.freeze({
			type: 'object',
			properties: Object.freeze({ a: Object.freeze({ type: 'string' }) }),
		});
		expect(faults(schema, { a: 1 })).toHaveLength(1);
		expect(Object.getOwnPropertyNames(schema)).toEqual(['type', 'properties']);
	});

	it('a reference that leads nowhere is a note, and the rest is checked', () => {
		const verdict = new Checker(
			object({ a: { $ref: 'https://example.com/x' }, b: { type: 'string' } }),
		).check({ a: 1, b: 2 });
		expect(verdict.faults.map((fault) => fault.pointer)).toEqual(['/b']);
		expect(verdict.notes[0]).toContain('not part of the schema');
	});

	it.each([
		['a schema that is its own part', { $ref: '#' }, 1],
		['a union of itself', { anyOf: [{ $ref: '#' }, { $ref: '#' }] }, 1],
		[
			'a union that doubles with each level',
			{
				$ref: '#/$defs/d0',
				$defs: Object.fromEntries(
					Array.from({ length: 60 }, (_, i) => [
						`d${i}`,
						i === 59 ? false : { anyOf: [{ $ref: `#/$defs/d${i + 1}` }, { $ref: `#/$defs/d${i + 1}` }] },
					]),
				),
			},
			1,
		],
		['keywords of the wrong type', { properties: 3, required: 'x', items: 'y', $ref: 5, type: 'object' }, {}],
		['no schema', 'text', 1],
	])('%s ends', (_, schema, value) => {
		const start = performance.now();
		new Checker(schema).check(value);
		expect(performance.now() - start).toBeLessThan(5000);
	});

	it('nested without an end says so', () => {
		let schema: object = {};
		for (let i = 0; i < 5000; i++) schema = { properties: { a: schema } };
		expect(new Checker(schema).check({}).notes[0]).toContain('levels deep');
	});

	it('does not try the patterns of a server on its answer', () => {
		const verdict = new Checker(object({ a: { pattern: '^(a+)+$' } }), false).check({
			a: 'a'.repeat(50) + '!',
		});
		expect(verdict).toMatchObject({
			faults: [],
			notes: [expect.stringContaining('Patterns were not checked')],
		});
	});

	it('does not try a pattern that never ends', () => {
		const verdict = new Checker(object({ a: { pattern: '^(a+)+$' } })).check({ a: 'a'.repeat(50) + '!' });
		expect(verdict.faults).toEqual([]);
		expect(verdict.notes[0]).toContain('not checked here');
	});

	it('__proto__ is a name', () => {
		const schema = JSON.parse(
			'{"properties":{"__proto__":{"type":"string"}},"required":["__proto__"]}',
		) as object;
		expect(faults(schema, {})).toEqual([{ pointer: '/__proto__', message: 'This is required.' }]);
		expect(faults(schema, JSON.parse('{"__proto__":1}'))).toHaveLength(1);
	});
});

it.each([
	'^[a-z0-9]+(-[a-z0-9]+)*$',
	'^\\d{1,3}(\\.\\d{1,3}){3}$',
	'^https?://',
	'^[^/]+/[^/]+$',
	'^(foo|bar)$',
	'^#[0-9a-fA-F]{6}$',
	'[)(]+',
])('the pattern %s is tried', (pattern) => expect(safePattern(pattern)).toBe(true));
it.each([
	'(a+)+$',
	'(a|a)*',
	'^(\\w+\\s?)*$',
	'((a*)b?)*',
	'(.*a){20}',
	'(a)\\1',
	'(',
	'(-[a-z-]+)*',
	'x'.repeat(501),
])('the pattern %s is not', (pattern) => expect(safePattern(pattern)).toBe(false));
