// The values that a schema lets one pick from, each with what it is called.
import { own, textOf, type Json, type JsonObject } from './json';
import type { Flat } from './resolve';

export interface Option {
	value: Json;
	label: string;
}

export function labelOf(value: unknown): string {
	return typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
}

/** The options of enum; null when there is none. */
export function enumeration(schema: JsonObject): Option[] | null {
	const values = own(schema, 'enum');
	if (!Array.isArray(values)) return null;
	const names = own(schema, 'enumNames') ?? own(schema, 'x-enumNames');
	return values.map((value, i) => ({
		value,
		label: Array.isArray(names) && typeof names[i] === 'string' ? names[i] : labelOf(value),
	}));
}

/** The options, if every variant is a constant or an enumeration. */
export function constants(flats: Flat[]): Option[] | null {
	if (flats.length === 0) return null;
	const options: Option[] = [];
	for (const { schema } of flats) {
		if (Object.hasOwn(schema, 'const')) {
			const value = schema['const'] as Json;
			options.push({ value, label: textOf(own(schema, 'title')) || labelOf(value) });
		} else {
			const named = enumeration(schema);
			if (!named) return null;
			options.push(...named);
		}
	}
	return options;
}
