import { fireEvent, render, screen, within } from '@testing-library/svelte';
import { expect, it } from 'vitest';
import { buildForm, readField, type Field as Form } from '../../lib/schema/form';
import Field from './Field.svelte';

function show(schema: unknown): Form {
	const form = $state(buildForm(schema));
	render(Field, { field: form, problems: new Map(), root: true });
	return form;
}
const type = (label: string, value: string) =>
	fireEvent.input(screen.getByLabelText(label), { target: { value } });
const click = (name: string | RegExp) => fireEvent.click(screen.getByRole('button', { name }));

it('sends exactly the types that the schema asks for', async () => {
	const form = show({
		type: 'object',
		properties: {
			text: { type: 'string' },
			whole: { type: 'integer' },
			part: { type: 'number' },
			flag: { type: 'boolean' },
			colour: { enum: ['r', 'g'], enumNames: ['Red', 'Green'] },
			level: { enum: [1, '1'] },
			some: { type: 'array', items: { enum: ['a', 'b'] } },
			words: { type: 'array', items: { type: 'string' } },
			maybe: { type: ['string', 'null'] },
			nested: { type: 'object', properties: { n: { type: 'integer' } }, required: ['n'] },
			target: {
				anyOf: [
					{
						type: 'object',
						properties: { kind: { const: 'file' }, path: { type: 'string' } },
						required: ['kind'],
					},
					{
						type: 'object',
						properties: { kind: { const: 'url' }, url: { type: 'string' } },
						required: ['kind'],
					},
				],
			},
			untouched: { type: 'string' },
		},
	});
	expect(readField(form).value).toEqual({});
	await type('text', '5');
	await type('whole', '5');
	await type('part', '0.05');
	await fireEvent.click(within(screen.getByRole('group', { name: /^flag/ })).getByLabelText('false'));
	await fireEvent.change(screen.getByLabelText('colour'), { target: { value: '1' } });
	await fireEvent.change(screen.getByLabelText('level'), { target: { value: '1' } });
	await fireEvent.click(screen.getByLabelText('b'));
	await fireEvent.click(
		within(screen.getByRole('group', { name: /^words/ })).getByRole('button', { name: 'Add an item' }),
	);
	await type('words 1', '');
	expect(readField(form).drafts).toEqual([]);
	await click('null: maybe');
	await click('Add nested');
	await type('n', '7');
	await click('Add target');
	await fireEvent.change(screen.getByLabelText('Variant of target'), { target: { value: '1' } });
	await type('url', 'https://example.com/');
	expect(readField(form)).toMatchObject({
		drafts: [],
		value: {
			text: '5',
			whole: 5,
			part: 0.05,
			flag: false,
			colour: 'g',
			level: '1',
			some: ['b'],
			words: [''],
			maybe: null,
			nested: { n: 7 },
			target: { kind: 'url', url: 'https://example.com/' },
		},
	});
	expect(readField(form).value).not.toHaveProperty('untouched');
	await click('clear: nested');
	expect(readField(form).value).not.toHaveProperty('nested');
});

it('shows what strangers wrote as text', () => {
	show({
		type: 'object',
		properties: { x: { type: 'string', description: '<img src=x onerror=alert(1)>', title: '<b>t</b>' } },
	});
	expect(screen.getByText('<img src=x onerror=alert(1)>')).toBeTruthy();
	expect(document.querySelector('img, b')).toBeNull();
});

it('draws a union at the root', async () => {
	const form = show({
		type: 'object',
		oneOf: [
			{ title: 'By id', properties: { id: { type: 'integer' } }, required: ['id'] },
			{ title: 'By name', properties: { name: { type: 'string' } }, required: ['name'] },
		],
	});
	await fireEvent.change(screen.getByLabelText('Variant of the arguments'), { target: { value: '1' } });
	await type('name', 'x');
	expect(readField(form).value).toEqual({ name: 'x' });
});
