// What the keywords of a schema say of its value, where its type alone does not.
import { equal, own, type JsonObject } from './json';

export type Input = 'line' | 'area' | 'date' | 'datetime' | 'email' | 'url' | 'password';

/** A schema without some of its keywords. */
export function without(schema: JsonObject, ...keys: string[]): JsonObject {
	return Object.fromEntries(Object.entries(schema).filter(([key]) => !keys.includes(key)));
}

/** Whether only null keeps to it. */
export function isNull(schema: JsonObject): boolean {
	const values = own(schema, 'enum');
	return (
		own(schema, 'type') === 'null' ||
		(Object.hasOwn(schema, 'const') && schema['const'] === null) ||
		(Array.isArray(values) && values.length === 1 && values[0] === null)
	);
}

const drawing = ['properties', 'items', 'prefixItems', 'enum', 'const', 'oneOf', 'anyOf', 'format'];

/** Whether a variant changes what is drawn, and not only what is allowed. */
export function says(part: JsonObject, base: JsonObject): boolean {
	if (drawing.some((key) => Object.hasOwn(part, key))) return true;
	const type = own(part, 'type');
	return type !== undefined && !equal(type, own(base, 'type'));
}

/** The type that keywords stand for where none is named; '' when they do not tell. */
export function implied(schema: JsonObject): string {
	const has = (...keys: string[]) => keys.some((key) => Object.hasOwn(schema, key));
	if (has('properties', 'patternProperties', 'additionalProperties', 'required')) return 'object';
	if (has('items', 'prefixItems', 'minItems', 'maxItems', 'uniqueItems')) return 'array';
	if (has('minLength', 'maxLength', 'pattern', 'format', 'contentMediaType')) return 'string';
	if (has('minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf')) return 'number';
	return '';
}

/** How a text is typed. */
export function inputOf(schema: JsonObject): Input {
	switch (own(schema, 'format')) {
		case 'date':
			return 'date';
		case 'date-time':
			return 'datetime';
		case 'email':
		case 'idn-email':
			return 'email';
		case 'uri':
		case 'url':
		case 'iri':
			return 'url';
		case 'password':
			return 'password';
		case 'textarea':
		case 'multiline':
			return 'area';
	}
	if (own(schema, 'contentMediaType') !== undefined) return 'area';
	const value = own(schema, 'default');
	if (typeof value === 'string' && value.includes('\n')) return 'area';
	return Number(own(schema, 'maxLength')) > 250 || Number(own(schema, 'minLength')) > 80 ? 'area' : 'line';
}
