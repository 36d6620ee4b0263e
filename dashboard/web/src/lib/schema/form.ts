// The state of a form, and its way from JSON and back. A field that nobody touched
// is absent and is not sent; one that was emptied is sent empty. What a field
// cannot show is edited as JSON in its place, so that no value is ever lost.
import { equal, isObject, own, parse, pretty, put, readNumber, type Json, type JsonObject } from './json';
import { Resolver } from './resolve';
import { Shape } from './shape';

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

let count = 0;

/** Fields made at once; what is beyond them is edited as JSON. */
const maxFields = 1500;

interface Making {
	left: number;
	prefill: Prefill;
}

/** A form for schema, which holds value if there is one. */
export function buildForm(schema: unknown, value?: Json, prefill: Prefill = 'required'): Field {
	const shape = new Shape(new Resolver(schema), schema, { key: '', required: true, level: 0, root: true });
	const making = { left: maxFields, prefill };
	return value === undefined ? fresh(shape, making) : holding(shape, value, making);
}

function blank(shape: Shape): Field {
	return {
		id: `field-${++count}`,
		shape,
		state: 'absent',
		raw: shape.kind === 'json',
		text: '',
		choice: -1,
		picked: [],
		items: [],
		members: [],
		extra: null,
		branches: [],
	};
}

/** A field as the form opens with it. */
function fresh(shape: Shape, making: Making): Field {
	const wanted = shape.required || making.prefill === 'all';
	if (wanted && shape.hasDefault) return holding(shape, shape.default, making);
	const field = blank(shape);
	if (shape.required && ['object', 'variants', 'fixed', 'null'].includes(shape.kind)) open(field, making);
	return field;
}

/** Brings an absent field to life with the least that it can hold. */
function open(field: Field, making: Making): void {
	const { shape } = field;
	field.state = 'set';
	if (field.raw) return;
	switch (shape.kind) {
		case 'object':
			if ((making.left -= shape.members.length) < 0) {
				toRaw(field, {});
				return;
			}
			field.members = shape.members.map((member) => fresh(member.shape, making));
			field.extra = extraOf();
			break;
		case 'variants':
			field.branches = shape.branches.map(() => null);
			choose(field, 0, making);
			break;
	}
}

function toRaw(field: Field, value: Json): void {
	field.state = 'set';
	field.raw = true;
	field.text = pretty(value);
}

const extraShape = new Shape(new Resolver({}), {}, { key: '', required: false, level: 0 });

function extraOf(members?: JsonObject): Field {
	const field = blank(extraShape);
	if (members && Object.keys(members).length > 0) toRaw(field, members);
	return field;
}

/** A field that holds value. */
function holding(shape: Shape, value: Json, making: Making, complete = false): Field {
	const field = blank(shape);
	if (--making.left < 0 || !take(field, value, making, complete)) toRaw(field, value);
	return field;
}

/** Puts value into field; false when the field has no way to show it. */
function take(field: Field, value: Json, making: Making, complete: boolean): boolean {
	const { shape } = field;
	field.state = 'set';
	if (value === null && shape.kind !== 'json') {
		if (shape.nullable) field.state = 'null';
		return shape.nullable || shape.kind === 'null' || (shape.kind === 'fixed' && shape.constant === null);
	}
	switch (shape.kind) {
		case 'text':
			if (typeof value !== 'string') return false;
			field.text = value;
			return true;
		case 'number':
			if (typeof value !== 'number') return false;
			field.text = String(value);
			return true;
		case 'boolean':
		case 'choice':
			field.choice = shape.options.findIndex((option) => equal(option.value, value));
			return field.choice >= 0;
		case 'checks': {
			if (!Array.isArray(value)) return false;
			field.picked = value.map((one) => shape.options.findIndex((option) => equal(option.value, one)));
			return !field.picked.includes(-1) && new Set(field.picked).size === value.length;
		}
		case 'list': {
			const { item } = shape;
			if (!Array.isArray(value) || !item || value.length > maxFields) return false;
			field.items = value.map((one) => holding(item, one, making));
			return true;
		}
		case 'object': {
			if (!isObject(value)) return false;
			const extra: JsonObject = {};
			const names = new Set(shape.members.map((member) => member.key));
			for (const key of Object.keys(value)) if (!names.has(key)) put(extra, key, value[key]);
			field.members = shape.members.map((member) => {
				const one = own(value, member.key);
				if (one !== undefined) return holding(member.shape, one as Json, making, complete);
				return complete ? fresh(member.shape, making) : blank(member.shape);
			});
			field.extra = extraOf(extra);
			return true;
		}
		case 'variants': {
			const scores = shape.branches.map((branch) => fit(branch, value));
			const best = Math.max(...scores);
			if (best < 0) return false;
			field.choice = scores.indexOf(best);
			field.branches = shape.branches.map((branch, i) =>
				i === field.choice ? holding(branch, value, making, complete) : null,
			);
			return true;
		}
		case 'fixed':
			return equal(shape.constant, value);
		default:
			return false;
	}
}

/** How well value fits a shape; negative when it does not. */
function fit(shape: Shape, value: Json, depth = 0): number {
	if (value === null) return shape.nullable || shape.kind === 'null' ? 1 : -1;
	if (depth > 4) return 0;
	switch (shape.kind) {
		case 'text':
			return typeof value === 'string' ? 1 : -1;
		case 'number':
			return typeof value === 'number' && (!shape.integer || Number.isInteger(value))
				? shape.integer
					? 2
					: 1
				: -1;
		case 'boolean':
		case 'choice':
			return shape.options.some((option) => equal(option.value, value)) ? 3 : -1;
		case 'fixed':
			return equal(shape.constant, value) ? 4 : -1;
		case 'checks':
		case 'list': {
			const { item } = shape;
			if (!Array.isArray(value) || !item) return -1;
			return value.slice(0, 3).every((one) => fit(item, one, depth + 1) >= 0) ? 2 : -1;
		}
		case 'object': {
			if (!isObject(value)) return -1;
			let score = 1;
			for (const { key, shape: member } of shape.members) {
				const one = own(value, key);
				if (one === undefined) {
					if (member.required) score -= 0.5;
					continue;
				}
				const inner = fit(member, one as Json, depth + 1);
				if (inner < 0 && (member.kind === 'fixed' || member.kind === 'choice')) return -1;
				score += inner < 0 ? -1 : 1;
			}
			return Math.max(score, 0);
		}
		case 'variants':
			return Math.max(...shape.branches.map((branch) => fit(branch, value, depth + 1)));
		case 'json': {
			const type = own(shape.schema, 'type');
			if (typeof type !== 'string') return 0;
			const actual = Array.isArray(value) ? 'array' : typeof value;
			return type === actual || (type === 'integer' && Number.isInteger(value)) ? 1 : -1;
		}
		default:
			return -1;
	}
}

const later = (): Making => ({ left: maxFields, prefill: 'required' });

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

/** Picks another variant; what both know by the same name is kept. */
export function choose(field: Field, at: number, making: Making = later()): void {
	const shape = field.shape.branches[at];
	if (!shape) return;
	const before = field.branches[field.choice];
	if (field.branches.length !== field.shape.branches.length)
		field.branches = field.shape.branches.map(() => null);
	field.state = 'set';
	field.choice = at;
	if (field.branches[at]) return;
	const kept: JsonObject = {};
	const value = before ? readField(before).value : undefined;
	if (shape.kind === 'object' && isObject(value)) {
		for (const { key, shape: member } of shape.members) {
			const one = own(value, key);
			if (one !== undefined && fit(member, one as Json) >= 0) put(kept, key, one);
		}
	}
	field.branches[at] =
		Object.keys(kept).length > 0 ? holding(shape, kept, making, true) : fresh(shape, making);
}

/** The JSON that the form stands for. */
export function readField(field: Field): Reading {
	const reading: Reading = { value: undefined, drafts: [], places: new Map() };
	reading.value = read(field, '', reading);
	return reading;
}

function read(field: Field, pointer: string, into: Reading): Json | undefined {
	const { shape } = field;
	into.places.set(pointer, field.id);
	const draft = (message: string): undefined => {
		into.drafts.push({ pointer, message, id: field.id });
	};
	if (field.state === 'absent') return undefined;
	if (field.state === 'null') return null;
	if (field.raw) {
		const parsed = parse(field.text);
		if (parsed.ok) return parsed.value;
		const { message, line, column } = parsed.mistake;
		return draft(`${message} (line ${line}, column ${column})`);
	}
	switch (shape.kind) {
		case 'text':
			return field.text;
		case 'number': {
			const number = readNumber(field.text);
			return 'error' in number ? draft(number.error) : number.value;
		}
		case 'boolean':
		case 'choice':
			return shape.options[field.choice]?.value;
		case 'checks':
			return field.picked.map((i) => shape.options[i]?.value ?? null);
		case 'list':
			return field.items.map((item, i) => {
				const at = `${pointer}/${i}`;
				const drafts = into.drafts.length;
				const value = read(item, at, into);
				if (value === undefined && into.drafts.length === drafts) {
					into.drafts.push({ pointer: at, message: 'This item has no value yet.', id: item.id });
				}
				return value ?? null;
			});
		case 'object': {
			const object: JsonObject = {};
			for (const member of field.members) {
				const { key } = member.shape;
				const value = read(member, `${pointer}/${escape(key)}`, into);
				if (value !== undefined) put(object, key, value);
			}
			if (field.extra && field.extra.state === 'set') addExtra(field.extra, object, pointer, into);
			return object;
		}
		case 'variants': {
			const branch = field.branches[field.choice];
			const value = branch ? read(branch, pointer, into) : undefined;
			// The select is what a problem of the whole is about.
			if (branch && branch.shape.kind === 'object') into.places.set(pointer, field.id);
			return value;
		}
		case 'fixed':
			return shape.constant;
		case 'null':
			return null;
		default:
			return undefined;
	}
}

function addExtra(extra: Field, object: JsonObject, pointer: string, into: Reading): void {
	const parsed = parse(extra.text);
	const draft = (message: string) => into.drafts.push({ pointer, message, id: extra.id });
	if (!parsed.ok) {
		const { message, line, column } = parsed.mistake;
		draft(`${message} (line ${line}, column ${column})`);
	} else if (!isObject(parsed.value)) {
		draft('More parameters are written as an object: {"name": value}.');
	} else {
		for (const key of Object.keys(parsed.value)) {
			if (Object.hasOwn(object, key)) draft(`${key} has a field of its own above.`);
			else put(object, key, parsed.value[key]);
			into.places.set(`${pointer}/${escape(key)}`, extra.id);
		}
	}
}

/** A member's name as a part of a JSON pointer. */
export function escape(key: string): string {
	return key.replaceAll('~', '~0').replaceAll('/', '~1');
}

/** The field that shows the value at pointer, or the nearest one around it. */
export function placeOf(places: Map<string, string>, pointer: string): string {
	for (let at = pointer; ; at = at.slice(0, at.lastIndexOf('/'))) {
		const id = places.get(at);
		if (id !== undefined) return id;
		if (!at.includes('/')) return places.get('') ?? '';
	}
}
