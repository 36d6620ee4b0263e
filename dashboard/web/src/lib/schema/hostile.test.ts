import { describe, expect, it } from 'vitest';
import { at, object, value } from './fixture';
import { buildForm, readField, typeText as type } from './form';
import type { Json } from './json';

describe('hostile schemas', () => {
	const quick = (schema: unknown, json?: Json) => {
		const start = performance.now();
		const form = buildForm(schema, json);
		readField(form);
		expect(performance.now() - start).toBeLessThan(2000);
		return form;
	};

	it('a schema that needs itself without an end', () => {
		const self = object(
			{ a: { $ref: '#' }, b: { $ref: '#' }, c: { $ref: '#' } },
			{ required: ['a', 'b', 'c'] },
		);
		quick(self);
		quick({ $ref: '#' });
		quick({ allOf: [{ $ref: '#' }, { $ref: '#' }] });
		quick({ anyOf: [{ $ref: '#' }, { $ref: '#' }], type: 'object' });
		quick({ $ref: '#/$defs/a', $defs: { a: { $ref: '#/$defs/b' }, b: { $ref: '#/$defs/a' } } });
		quick(object({ x: { type: 'array', items: { $ref: '#/properties/x' } } }));
	});

	it('a hundred kilobytes of parameters', () => {
		const properties = Object.fromEntries(
			Array.from({ length: 3000 }, (_, i) => [`parameter_${i}`, { type: 'string', description: 'x' }]),
		);
		const form = quick(object(properties));
		expect(form.shape.kind).toBe('json');
		expect(form.shape.note).toContain('3000');
		quick(object({ x: { enum: Array.from({ length: 20_000 }, (_, i) => `v${i}`) } }));
		quick(object({ x: { description: 'd'.repeat(100_000) } }));
	});

	it('nested without an end', () => {
		let schema: object = { type: 'string' };
		for (let i = 0; i < 3000; i++) schema = object({ a: schema }, { required: ['a'] });
		quick(schema);
		let union: object = { type: 'string' };
		for (let i = 0; i < 200; i++) union = { anyOf: [union, { type: 'integer' }] };
		quick(object({ x: union }, { required: ['x'] }));
	});

	it('names of Object.prototype are names like others', () => {
		const schema = JSON.parse(
			'{"type":"object","properties":{"__proto__":{"type":"string"},"constructor":{"type":"integer"},"toString":{"type":"boolean"}},"required":["__proto__"]}',
		) as object;
		const form = quick(schema);
		expect(form.members.map((member) => member.shape.key)).toEqual(['__proto__', 'constructor', 'toString']);
		type(at(form, '__proto__'), 'x');
		expect(JSON.stringify(value(form))).toBe('{"__proto__":"x"}');
		expect(({} as Record<string, unknown>)['x']).toBeUndefined();
		quick({ $ref: '#/__proto__/toString' });
	});

	it('keywords of the wrong type', () => {
		quick({ type: 'object', properties: [], required: 'a', anyOf: {}, allOf: 7, enum: 'x' });
		quick(
			object({
				x: { enum: 'x' },
				y: { type: 7 },
				z: { items: 3, type: 'array' },
				w: { oneOf: [] },
				v: { anyOf: [null, 3] },
			}),
		);
		quick(null);
		quick('text');
	});
});
