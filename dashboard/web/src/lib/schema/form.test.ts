import { describe, expect, it } from 'vitest';
import { at, object, through, value } from './fixture';
import { buildForm, choose, pick, readField, setField, typeText as type } from './form';

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
