// The way from a form to JSON, and from a place in it to the field that shows it.
import type { Field, Reading } from './form';
import { isObject, parse, put, readNumber, type Json, type JsonObject } from './json';

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
