import { describe, expect, it } from 'vitest';
import {
	addItem,
	buildForm,
	check,
	choose,
	clearField,
	editRaw,
	pick,
	placeOf,
	readField,
	removeItem,
	setField,
	setNull,
	typeText as type,
	type Field,
} from './form';
import type { Json } from './json';

const object = (properties: Record<string, unknown>, more: object = {}) => ({
	type: 'object',
	properties,
	...more,
});
const value = (form: Field) => readField(form).value;
function at(form: Field, ...path: (string | number)[]): Field {
	let field = form;
	for (const part of path) {
		if (field.shape.kind === 'variants') field = field.branches[field.choice]!;
		field =
			typeof part === 'number'
				? field.items[part]!
				: field.members.find((member) => member.shape.key === part)!;
		expect(field, `field ${part}`).toBeDefined();
	}
	return field;
}
/** Value → form → value. */
function through(schema: unknown, json: Json) {
	const form = buildForm(schema, json);
	const reading = readField(form);
	expect(reading.drafts).toEqual([]);
	expect(reading.value).toEqual(json);
	return form;
}

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

describe('absent is not empty', () => {
	const schema = object(
		{
			text: { type: 'string' },
			must: { type: 'string' },
			list: { type: 'array', items: { type: 'string' } },
			deep: object({ a: { type: 'string' } }),
		},
		{ required: ['must'] },
	);

	it('sends nothing for a field that nobody touched, required or not', () => {
		expect(value(buildForm(schema))).toEqual({});
	});

	it('sends an empty text for one that was emptied, and nothing after clear', () => {
		const form = buildForm(schema);
		type(at(form, 'text'), 'a');
		type(at(form, 'text'), '');
		expect(value(form)).toEqual({ text: '' });
		clearField(at(form, 'text'));
		expect(value(form)).toEqual({});
	});

	it('sends an empty list and an empty object when they were asked for', () => {
		const form = buildForm(schema);
		setField(at(form, 'list'));
		setField(at(form, 'deep'));
		expect(value(form)).toEqual({ list: [], deep: {} });
		clearField(at(form, 'deep'));
		expect(value(form)).toEqual({ list: [] });
	});

	it('keeps all of it on the way through the form', () => {
		for (const json of [
			{},
			{ text: '' },
			{ text: 'a', must: '' },
			{ list: [] },
			{ deep: {} },
			{ list: ['', 'x'], deep: { a: '' } },
		] as Json[]) {
			through(schema, json);
		}
	});

	it('a boolean has three states', () => {
		const form = buildForm(object({ x: { type: 'boolean' } }));
		const field = at(form, 'x');
		expect(value(form)).toEqual({});
		for (const [choice, sent] of [
			[0, true],
			[1, false],
		] as const) {
			pick(field, choice);
			expect(value(form)).toEqual({ x: sent });
		}
		clearField(field);
		expect(value(form)).toEqual({});
	});
});

describe('mistakes that forms of this kind have made', () => {
	it('a union at the root is drawn', () => {
		const schema = {
			type: 'object',
			oneOf: [
				{ title: 'By id', properties: { id: { type: 'integer' } }, required: ['id'] },
				{ title: 'By name', properties: { name: { type: 'string' } }, required: ['name'] },
			],
			properties: { verbose: { type: 'boolean' } },
		};
		const form = buildForm(schema);
		expect(form.shape.kind).toBe('variants');
		expect(form.shape.branchLabels).toEqual(['By id', 'By name']);
		type(at(form, 'id'), '7');
		expect(value(form)).toEqual({ id: 7 });
		choose(form, 1);
		type(at(form, 'name'), 'x');
		pick(at(form, 'verbose'), 1);
		expect(value(form)).toEqual({ name: 'x', verbose: false });
		through(schema, { id: 1 });
		through(schema, { name: 'n', verbose: true });
	});

	it('a root without type, of anyOf alone, is drawn', () => {
		const form = buildForm({ anyOf: [object({ a: { type: 'string' } }), object({ b: { type: 'number' } })] });
		expect(form.shape.kind).toBe('variants');
		expect(value(form)).toEqual({});
	});

	it('a union that only says which members are needed leaves the form alone', () => {
		const form = buildForm(
			object(
				{ a: { type: 'string' }, b: { type: 'string' } },
				{ anyOf: [{ required: ['a'] }, { required: ['b'] }] },
			),
		);
		expect(form.shape.kind).toBe('object');
		expect(form.members.map((member) => member.shape.key)).toEqual(['a', 'b']);
	});

	it('a union of objects in a member switches branches without mixing them', () => {
		const schema = object({
			target: {
				oneOf: [
					object(
						{ kind: { const: 'file' }, path: { type: 'string' }, depth: { type: 'integer' } },
						{ required: ['kind', 'path'] },
					),
					object(
						{ kind: { const: 'url' }, url: { type: 'string', format: 'uri' }, depth: { type: 'integer' } },
						{ required: ['kind', 'url'] },
					),
				],
			},
		});
		const form = buildForm(schema);
		expect(value(form)).toEqual({});
		const target = at(form, 'target');
		setField(target);
		expect(target.shape.branchLabels).toEqual(['kind: file', 'kind: url']);
		type(at(form, 'target', 'path'), '/x');
		type(at(form, 'target', 'depth'), '2');
		choose(target, 1);
		expect(value(form)).toEqual({ target: { kind: 'url', depth: 2 } });
		choose(target, 0);
		expect(value(form)).toEqual({ target: { kind: 'file', path: '/x', depth: 2 } });
		through(schema, { target: { kind: 'url', url: 'https://example.com' } });
		through(schema, { target: { kind: 'neither', odd: 1 } });
	});

	it('escapes do not grow with each keystroke', () => {
		const form = buildForm(object({ x: {} }), { x: { path: 'C:\\dir\\"q"' } });
		for (let i = 0; i < 5; i++) {
			const field = at(form, 'x');
			type(field, field.text.replace('dir', 'dirx'));
		}
		expect(value(form)).toEqual({ x: { path: 'C:\\dirxxxxx\\"q"' } });
		// And over toggling between form and JSON.
		let json = value(form)!;
		for (let i = 0; i < 3; i++) json = value(buildForm(object({ x: {} }), json))!;
		expect(json).toEqual({ x: { path: 'C:\\dirxxxxx\\"q"' } });
	});

	it('decimals are typed digit by digit', () => {
		const form = buildForm(object({ x: { type: 'number' } }));
		const seen = ['0', '0.', '0.0', '0.05'].map((text) => {
			type(at(form, 'x'), text);
			expect(at(form, 'x').text).toBe(text);
			return value(form);
		});
		expect(seen).toEqual([{ x: 0 }, {}, { x: 0 }, { x: 0.05 }]);
		type(at(form, 'x'), '0.');
		expect(readField(form).drafts).toHaveLength(1);
	});

	it('JSON that cannot be read is a mistake at its field, not silence', () => {
		const form = buildForm(object({ x: {} }));
		type(at(form, 'x'), '{"a": ');
		const { drafts } = readField(form);
		expect(drafts).toHaveLength(1);
		expect(drafts[0]).toMatchObject({ pointer: '/x', id: at(form, 'x').id });
	});

	it('a default is there once and never overwrites what is typed', () => {
		const schema = object(
			{ x: { type: 'string', default: 'one' }, y: { type: 'string', default: 'two' } },
			{ required: ['x'] },
		);
		const form = buildForm(schema);
		expect(value(form)).toEqual({ x: 'one' });
		type(at(form, 'x'), '');
		expect(value(form)).toEqual({ x: '' });
		type(at(form, 'x'), 'typed');
		readField(form);
		expect(value(form)).toEqual({ x: 'typed' });
		expect(value(buildForm(schema, { x: 'mine' }))).toEqual({ x: 'mine' });
		expect(value(buildForm(schema, undefined, 'all'))).toEqual({ x: 'one', y: 'two' });
	});

	it.each([
		['untitled single', { type: 'string', enum: ['a', 'b'] }, 'choice', ['a', 'b'], 'b'],
		[
			'titled single',
			{
				type: 'string',
				oneOf: [
					{ const: 'a', title: 'A' },
					{ const: 'b', title: 'B' },
				],
			},
			'choice',
			['A', 'B'],
			'b',
		],
		['legacy titled', { type: 'string', enum: ['a', 'b'], enumNames: ['A', 'B'] }, 'choice', ['A', 'B'], 'b'],
		[
			'untitled multiple',
			{ type: 'array', items: { type: 'string', enum: ['a', 'b'] } },
			'checks',
			['a', 'b'],
			['b', 'a'],
		],
		[
			'titled multiple',
			{
				type: 'array',
				items: {
					anyOf: [
						{ const: 'a', title: 'A' },
						{ const: 'b', title: 'B' },
					],
				},
			},
			'checks',
			['A', 'B'],
			['b'],
		],
	])('an enumeration, %s', (_, schema, kind, labels, sent) => {
		const form = through(object({ x: schema }), { x: sent });
		expect(at(form, 'x').shape.kind).toBe(kind);
		expect(at(form, 'x').shape.options.map((option) => option.label)).toEqual(labels);
		expect(value(buildForm(object({ x: schema })))).toEqual({});
	});

	it('enumerations keep the type of what is picked', () => {
		through(object({ x: { enum: [1, '1', true, { a: 1 }] } }), { x: '1' });
		through(object({ x: { enum: [1, '1', true, { a: 1 }] } }), { x: { a: 1 } });
	});
});

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

describe('lists', () => {
	const schema = object({
		rows: { type: 'array', items: object({ n: { type: 'integer' } }, { required: ['n'] }) },
		words: { type: 'array', items: { type: 'string' } },
	});

	it('rows come and go', () => {
		const form = buildForm(schema);
		const rows = at(form, 'rows');
		addItem(rows);
		addItem(rows);
		type(at(form, 'rows', 0, 'n'), '1');
		type(at(form, 'rows', 1, 'n'), '2');
		expect(value(form)).toEqual({ rows: [{ n: 1 }, { n: 2 }] });
		removeItem(rows, 0);
		expect(value(form)).toEqual({ rows: [{ n: 2 }] });
		removeItem(rows, 0);
		expect(value(form)).toEqual({ rows: [] });
	});

	it('an item that has no value yet is a mistake', () => {
		const form = buildForm(schema);
		addItem(at(form, 'words'));
		expect(readField(form).drafts).toMatchObject([{ pointer: '/words/0' }]);
		type(at(form, 'words', 0), '');
		expect(readField(form)).toMatchObject({ value: { words: [''] }, drafts: [] });
	});
});

it('checks keep the order in which they were made', () => {
	const form = buildForm(object({ x: { type: 'array', items: { enum: ['a', 'b', 'c'] } } }));
	const field = at(form, 'x');
	for (const i of [2, 0, 1]) check(field, i, true);
	check(field, 0, false);
	expect(value(form)).toEqual({ x: ['c', 'b'] });
	check(field, 2, false);
	check(field, 1, false);
	expect(value(form)).toEqual({ x: [] });
});

it('any field may be edited as JSON', () => {
	const form = buildForm(object({ x: { type: 'array', items: { type: 'string' } } }), { x: ['a'] });
	editRaw(at(form, 'x'));
	type(at(form, 'x'), at(form, 'x').text.replace('"a"', '1'));
	expect(value(form)).toEqual({ x: [1] });
});

it('a number without digits is not sent', () => {
	const form = buildForm(object({ x: { type: 'integer' } }), { x: 1 });
	type(at(form, 'x'), '');
	expect(value(form)).toEqual({});
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
