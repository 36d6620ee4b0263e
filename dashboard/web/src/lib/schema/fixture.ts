// Forms as tests make them.
import { expect } from 'vitest';
import { buildForm, readField, type Field } from './form';
import type { Json } from './json';

/** The schema of an object. */
export const object = (properties: Record<string, unknown>, more: object = {}) => ({
	type: 'object',
	properties,
	...more,
});
/** What is sent. */
export const value = (form: Field) => readField(form).value;
/** The field at a path of names and numbers. */
export function at(form: Field, ...path: (string | number)[]): Field {
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
/** Value → form → value, which must be the same. */
export function through(schema: unknown, json: Json) {
	const form = buildForm(schema, json);
	const reading = readField(form);
	expect(reading.drafts).toEqual([]);
	expect(reading.value).toEqual(json);
	return form;
}
