import { describe, expect, it } from 'vitest';
import { at, object, through } from './fixture';
import { buildForm, placeOf, readField, typeText as type } from './form';
import type { Json } from './json';

describe('numbers', () => {
	it.each(['9007199254740993', '-9007199254740992', '1e999'])('refuses %s instead of rounding it', (text) => {
		const form = buildForm(object({ x: { type: 'integer' } }));
		type(at(form, 'x'), text);
		expect(readField(form)).toMatchObject({ value: {}, drafts: [{ pointer: '/x' }] });
	});
});

describe('values that fit no widget', () => {
	it.each([
		[{ type: 'string' }, 5],
		[{ type: 'integer' }, 'five'],
		[{ enum: ['a'] }, 'z'],
		[{ type: 'array', items: { enum: ['a', 'b'] } }, ['a', 'a']],
		[{ type: 'array', items: { type: 'string' } }, { not: 'a list' }],
		[object({ a: { type: 'string' } }), 'text'],
		[{ type: 'string' }, null],
		[{ const: 1 }, 2],
	])('%j holding %j is edited as JSON there', (schema, json) => {
		const form = through(object({ x: schema }), { x: json as Json });
		expect(at(form, 'x').raw).toBe(true);
	});

	it('keeps members that the schema does not name', () => {
		const form = through(object({ a: { type: 'string' } }), { a: 'x', other: { b: [1] } });
		expect(form.extra?.text).toContain('other');
		form.extra!.text = '{"a": 1}';
		expect(readField(form).drafts[0]?.message).toContain('a field of its own');
	});
});

it('a pointer finds the field that shows it, or the one around it', () => {
	const form = buildForm(object({ 'a/b': object({ c: { type: 'string' } }), x: {} }), {
		'a/b': { c: 'x' },
		x: { deep: [1] },
	});
	const { places } = readField(form);
	expect(placeOf(places, '/a~1b/c')).toBe(at(form, 'a/b', 'c').id);
	expect(placeOf(places, '/x/deep/0')).toBe(at(form, 'x').id);
	expect(placeOf(places, '/unknown')).toBe(form.id);
	expect(placeOf(places, '')).toBe(form.id);
});
