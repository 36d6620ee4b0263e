// How fields come to hold what they hold: what a form opens with, a value that is
// shown in it, and the variant of a union.
import { fit } from './fit';
import type { Field, Prefill } from './form';
import { equal, isObject, own, pretty, put, type Json, type JsonObject } from './json';
import { readField } from './read';
import { Resolver } from './resolve';
import { Shape } from './shape';

/** Fields made at once; what is beyond them is edited as JSON. */
export const maxFields = 1500;

/** A form that is being made, or a part of one. */
export interface Making {
	left: number;
	prefill: Prefill;
}

/** What is made after the form was. */
export const later = (): Making => ({ left: maxFields, prefill: 'required' });

let count = 0;

/** A field that holds nothing and is not sent. */
export function blank(shape: Shape): Field {
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
export function fresh(shape: Shape, making: Making): Field {
	const wanted = shape.required || making.prefill === 'all';
	if (wanted && shape.hasDefault) return holding(shape, shape.default, making);
	const field = blank(shape);
	if (shape.required && ['object', 'variants', 'fixed', 'null'].includes(shape.kind)) open(field, making);
	return field;
}

/** Brings an absent field to life with the least that it can hold. */
export function open(field: Field, making: Making): void {
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

/** Edits a field as JSON, which is value. */
export function toRaw(field: Field, value: Json): void {
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
export function holding(shape: Shape, value: Json, making: Making, complete = false): Field {
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
