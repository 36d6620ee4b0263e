// What a person does to a field.
import { blank, fresh, holding, later, open, toRaw } from './fill';
import type { Field } from './form';
import { own } from './json';
import { readField } from './read';

/** Makes an absent field one that is sent, with the least it can hold. */
export function setField(field: Field): void {
	if (field.state === 'set') return;
	clearField(field);
	const { shape } = field;
	if (shape.hasDefault && !(field.raw && shape.kind !== 'json')) {
		field.state = 'set';
		const filled = holding(shape, shape.default, later(), true);
		Object.assign(field, { ...filled, id: field.id });
		return;
	}
	open(field, later());
	if (field.raw && field.text === '') field.text = own(shape.schema, 'type') === 'array' ? '[]' : '{}';
}

/** Takes the field's value away: it is not sent. Of what must be there, the form
 * begins anew. */
export function clearField(field: Field): void {
	const empty = blank(field.shape);
	Object.assign(field, { ...empty, id: field.id });
}

/** Clears a field the way the form had it in the beginning. */
export function resetField(field: Field): void {
	Object.assign(field, { ...fresh(field.shape, later()), id: field.id });
}

export function setNull(field: Field): void {
	clearField(field);
	field.state = 'null';
}

export function addItem(field: Field): void {
	if (!field.shape.item) return;
	field.state = 'set';
	field.items.push(fresh(field.shape.item, later()));
}

export function removeItem(field: Field, at: number): void {
	field.items.splice(at, 1);
}

/** What is typed into a text, number or JSON field. A number without digits is none,
 * where a text without letters is one. */
export function typeText(field: Field, text: string): void {
	if (text === '' && !field.raw && field.shape.kind === 'number') {
		clearField(field);
		return;
	}
	field.state = 'set';
	field.text = text;
}

/** Picks an option; −1 takes the pick back. */
export function pick(field: Field, at: number): void {
	if (at < 0) {
		clearField(field);
		return;
	}
	field.state = 'set';
	field.choice = at;
}

export function check(field: Field, at: number, on: boolean): void {
	field.state = 'set';
	field.picked = on ? [...field.picked, at] : field.picked.filter((one) => one !== at);
}

/** Edits a value that fits no widget as JSON, or goes back to the widget. */
export function editRaw(field: Field): void {
	const { value } = readField(field);
	toRaw(field, value ?? null);
}
