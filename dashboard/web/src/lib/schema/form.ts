// The state of a form, and its way from JSON and back. A field that nobody touched
// is absent and is not sent; one that was emptied is sent empty. What a field
// cannot show is edited as JSON in its place, so that no value is ever lost.
import { fresh, holding, maxFields } from './fill';
import type { Json } from './json';
import { Resolver } from './resolve';
import { Shape } from './shape';

export {
	addItem,
	check,
	clearField,
	editRaw,
	pick,
	removeItem,
	resetField,
	setField,
	setNull,
	typeText,
} from './edit';
export { choose } from './fill';
export { escape, placeOf, readField } from './read';

export type State = 'absent' | 'null' | 'set';

/** One field. Plain data but for its shape, so that a page may watch it deeply. */
export interface Field {
	readonly id: string;
	readonly shape: Shape;
	state: State;
	/** Edited as JSON text: its kind is json, or its value fits no widget. */
	raw: boolean;
	/** Of text, number and raw fields, as typed. */
	text: string;
	/** The picked option or variant; −1 for none. */
	choice: number;
	/** Of checks: the picked options in the order of the value. */
	picked: number[];
	/** Of lists. */
	items: Field[];
	/** Of objects: one for each named member. */
	members: Field[];
	/** Of objects: what beside the named members there is. */
	extra: Field | null;
	/** Of variants: the ones that have been looked at. */
	branches: (Field | null)[];
}

export interface Problem {
	/** JSON pointer of the value, '' for the whole. */
	pointer: string;
	message: string;
	/** The field to show it at. */
	id: string;
}

export interface Reading {
	/** Undefined when the field is absent or holds something that is no JSON yet. */
	value: Json | undefined;
	/** What could not be read. Such a form cannot be sent. */
	drafts: Problem[];
	/** Which field shows the value at a pointer. */
	places: Map<string, string>;
}

/** Whether defaults are filled in where they are needed, or everywhere. */
export type Prefill = 'required' | 'all';

/** A form for schema, which holds value if there is one. */
export function buildForm(schema: unknown, value?: Json, prefill: Prefill = 'required'): Field {
	const shape = new Shape(new Resolver(schema), schema, { key: '', required: true, level: 0, root: true });
	const making = { left: maxFields, prefill };
	return value === undefined ? fresh(shape, making) : holding(shape, value, making);
}
