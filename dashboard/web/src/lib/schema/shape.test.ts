import { describe, expect, it } from 'vitest';
import { at, object, through, value } from './fixture';
import { addItem, buildForm, readField, setNull } from './form';

describe('widgets', () => {
	it.each([
		[{ type: 'string' }, 'text', 'line'],
		[{ type: 'string', format: 'date' }, 'text', 'date'],
		[{ type: 'string', format: 'date-time' }, 'text', 'datetime'],
		[{ type: 'string', format: 'email' }, 'text', 'email'],
		[{ type: 'string', format: 'uri' }, 'text', 'url'],
		[{ type: 'string', format: 'password' }, 'text', 'password'],
		[{ type: 'string', maxLength: 5000 }, 'text', 'area'],
		[{ type: 'string', contentMediaType: 'text/markdown' }, 'text', 'area'],
		[{ minLength: 1 }, 'text', 'line'],
		[{ type: 'integer' }, 'number', 'line'],
		[{ type: 'number' }, 'number', 'line'],
		[{ maximum: 3 }, 'number', 'line'],
		[{ type: 'boolean' }, 'boolean', 'line'],
		[{ type: 'null' }, 'null', 'line'],
		[{ enum: ['a', 'b'] }, 'choice', 'line'],
		[{ const: 'a' }, 'fixed', 'line'],
		[{ type: 'array', items: { type: 'string' } }, 'list', 'line'],
		[{ type: 'array', items: { enum: ['a', 'b'] } }, 'checks', 'line'],
		[{ type: 'array', items: object({ a: { type: 'string' } }) }, 'list', 'line'],
		[object({ a: {} }), 'object', 'line'],
		[{ anyOf: [object({ a: {} }), object({ b: {} })] }, 'variants', 'line'],
		[{ type: ['string', 'number'] }, 'variants', 'line'],
		[{}, 'json', 'line'],
		[true, 'json', 'line'],
		[{ type: 'object' }, 'json', 'line'],
		[{ type: 'object', additionalProperties: { type: 'string' } }, 'json', 'line'],
		[{ type: 'array' }, 'json', 'line'],
		[{ type: 'array', prefixItems: [{ type: 'string' }] }, 'json', 'line'],
		[{ type: 'unheard-of' }, 'json', 'line'],
		[{ $ref: 'https://example.com/schema' }, 'json', 'line'],
		[{ $ref: '#/nowhere' }, 'json', 'line'],
		[false, 'json', 'line'],
		[17, 'json', 'line'],
	])('%j is drawn as %s', (schema, kind, input) => {
		const { shape } = at(buildForm(object({ x: schema })), 'x');
		expect(shape.kind).toBe(kind);
		expect(shape.input).toBe(input);
	});

	it('null as a type, a variant or a constant makes a field nullable', () => {
		for (const schema of [
			{ type: ['string', 'null'] },
			{ anyOf: [{ type: 'string' }, { type: 'null' }] },
			{ oneOf: [{ type: 'string' }, { const: null }] },
			{ type: 'string', nullable: true },
		]) {
			const form = buildForm(object({ x: schema }));
			expect(at(form, 'x').shape).toMatchObject({ kind: 'text', nullable: true });
			setNull(at(form, 'x'));
			expect(value(form)).toEqual({ x: null });
			through(object({ x: schema }), { x: null });
			through(object({ x: schema }), { x: '' });
		}
		const named = at(buildForm(object({ x: { enum: ['a', null, 'b'] } })), 'x').shape;
		expect(named.nullable).toBe(true);
		expect(named.options.map((option) => option.value)).toEqual(['a', 'b']);
	});

	it('says the limits', () => {
		const limits = (schema: object) => at(buildForm(object({ x: schema })), 'x').shape.limits;
		expect(limits({ type: 'integer', minimum: 1, maximum: 9 })).toEqual(['1 to 9']);
		expect(limits({ type: 'number', exclusiveMinimum: 0, multipleOf: 0.5 })).toEqual([
			'above 0',
			'a multiple of 0.5',
		]);
		expect(limits({ type: 'string', maxLength: 9, pattern: '^a' })).toEqual([
			'at most 9 characters',
			'matches ^a',
		]);
		expect(
			limits({ type: 'array', items: { type: 'string' }, minItems: 2, maxItems: 2, uniqueItems: true }),
		).toEqual(['exactly 2 items', 'no two alike']);
	});

	it('draws what must be given first', () => {
		const form = buildForm(object({ a: { type: 'string' }, b: { type: 'string' } }, { required: ['b'] }));
		expect(form.members.map((member) => member.shape.key)).toEqual(['b', 'a']);
	});
});

describe('references', () => {
	const tree = {
		type: 'object',
		properties: { root: { $ref: '#/$defs/node' } },
		required: ['root'],
		$defs: {
			node: {
				type: 'object',
				properties: {
					name: { $ref: '#/$defs/name', description: 'here' },
					children: { type: 'array', items: { $ref: '#/$defs/node' } },
				},
				required: ['name'],
			},
			name: { type: 'string', description: 'there' },
		},
	};

	it('are followed, also into themselves', () => {
		const form = through(tree, { root: { name: 'a', children: [{ name: 'b', children: [{ name: 'c' }] }] } });
		expect(at(form, 'root', 'name').shape.description).toBe('here');
		addItem(at(form, 'root', 'children', 0, 'children', 0, 'children') ?? form);
		expect(readField(form).drafts).toEqual([]);
	});

	it('by anchor, by escaped pointer and through allOf', () => {
		const form = buildForm({
			allOf: [{ $ref: '#base' }, { properties: { b: { $ref: '#/$defs/a~1b%20c' } }, required: ['b'] }],
			$defs: {
				base: { $anchor: 'base', type: 'object', properties: { a: { type: 'string' } } },
				'a/b c': { type: 'integer' },
			},
		});
		expect(form.members.map((member) => [member.shape.key, member.shape.kind])).toEqual([
			['b', 'number'],
			['a', 'text'],
		]);
	});
});
