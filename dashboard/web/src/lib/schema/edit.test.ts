import { describe, expect, it } from 'vitest';
import { at, object, through, value } from './fixture';
import {
	addItem,
	buildForm,
	check,
	clearField,
	editRaw,
	pick,
	readField,
	removeItem,
	setField,
	typeText as type,
} from './form';
import type { Json } from './json';

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
