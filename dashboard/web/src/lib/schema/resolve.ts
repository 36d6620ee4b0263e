// From a raw JSON Schema to one that can be drawn: references followed, allOf
// merged. Schemas come from strangers: nothing here throws, recurses without a
// bound, or reads a member that Object.prototype has.
import { equal, isObject, own, put, type JsonObject } from './json';

/** A schema with everything that applies in place merged into it. */
export interface Flat {
	schema: JsonObject;
	/** Why it cannot be drawn as a form; the field is JSON then. */
	trouble?: string;
}

/** How many references and allOf members are followed in place. */
const maxSteps = 64;

export class Resolver {
	private readonly anchors = new Map<string, unknown>();

	constructor(private readonly root: unknown) {
		this.collect(root, 0, { left: 20_000 });
	}

	/** Follows $ref and merges allOf, until plain keywords are left. */
	flat(schema: unknown): Flat {
		const steps = { left: maxSteps };
		return this.merge(schema, steps);
	}

	private merge(schema: unknown, steps: { left: number }): Flat {
		if (schema === true || schema === undefined) return { schema: {} };
		if (schema === false) return { schema: {}, trouble: 'The schema allows no value here.' };
		if (!isObject(schema)) return { schema: {}, trouble: 'The schema is not a JSON Schema here.' };
		if (--steps.left < 0) {
			return { schema: {}, trouble: 'The schema refers to itself without an end here.' };
		}
		const rest: JsonObject = {};
		for (const key of Object.keys(schema)) {
			if (!inPlace.has(key)) put(rest, key, schema[key]);
		}
		let result: Flat = { schema: rest };
		const ref = own(schema, '$ref') ?? own(schema, '$dynamicRef') ?? own(schema, '$recursiveRef');
		if (ref !== undefined) {
			const target = this.follow(ref);
			if (target === undefined) {
				const name = JSON.stringify(ref)?.slice(0, 200);
				result.trouble = `The schema refers to ${name}, which is not part of it.`;
			} else {
				result = join(result, this.merge(target, steps));
			}
		}
		const all = own(schema, 'allOf');
		if (Array.isArray(all)) {
			for (const part of all) result = join(result, this.merge(part, steps));
		}
		return result;
	}

	private follow(ref: unknown): unknown {
		if (typeof ref !== 'string' || !ref.startsWith('#')) return undefined;
		let fragment: string;
		try {
			fragment = decodeURIComponent(ref.slice(1));
		} catch {
			return undefined;
		}
		if (fragment === '') return this.root;
		if (!fragment.startsWith('/')) return this.anchors.get(fragment);
		let found: unknown = this.root;
		for (const part of fragment.slice(1).split('/')) {
			found = own(found, part.replaceAll('~1', '/').replaceAll('~0', '~'));
		}
		return found;
	}

	private collect(schema: unknown, depth: number, budget: { left: number }): void {
		if (typeof schema !== 'object' || schema === null || depth > 60 || --budget.left < 0) return;
		if (!Array.isArray(schema)) {
			for (const keyword of ['$anchor', '$dynamicAnchor']) {
				const name = own(schema, keyword);
				if (typeof name === 'string' && !this.anchors.has(name)) this.anchors.set(name, schema);
			}
		}
		for (const value of Object.values(schema)) this.collect(value, depth + 1, budget);
	}
}

const inPlace = new Set(['$ref', '$dynamicRef', '$recursiveRef', 'allOf']);

/** Both at once, as allOf means it; where they differ the first one is drawn. */
export function join(a: Flat, b: Flat): Flat {
	const schema: JsonObject = {};
	for (const key of Object.keys(a.schema)) put(schema, key, a.schema[key]);
	for (const key of Object.keys(b.schema)) {
		const one = own(schema, key);
		const two = b.schema[key];
		put(schema, key, one === undefined ? two : both(key, one, two));
	}
	return { schema, trouble: a.trouble ?? b.trouble };
}

function both(key: string, one: unknown, two: unknown): unknown {
	switch (key) {
		case 'properties':
		case '$defs':
		case 'definitions': {
			if (!isObject(one) || !isObject(two)) return one;
			const merged: JsonObject = {};
			for (const name of Object.keys(one)) put(merged, name, one[name]);
			for (const name of Object.keys(two)) {
				const before = own(merged, name);
				put(merged, name, before === undefined ? two[name] : { allOf: [before, two[name]] });
			}
			return merged;
		}
		case 'required':
			return Array.isArray(one) && Array.isArray(two) ? [...new Set([...one, ...two])] : one;
		case 'type': {
			const first = types(one);
			const common = types(two).filter(
				(type) => first.includes(type) || (type === 'integer' && first.includes('number')),
			);
			return common.length === 0 ? one : common.length === 1 ? common[0] : common;
		}
		case 'enum':
			return Array.isArray(one) && Array.isArray(two)
				? one.filter((value) => two.some((other) => equal(other, value)))
				: one;
		case 'minimum':
		case 'minLength':
		case 'minItems':
			return typeof one === 'number' && typeof two === 'number' ? Math.max(one, two) : one;
		case 'maximum':
		case 'maxLength':
		case 'maxItems':
			return typeof one === 'number' && typeof two === 'number' ? Math.min(one, two) : one;
		default:
			return one;
	}
}

export function types(type: unknown): string[] {
	if (typeof type === 'string') return [type];
	return Array.isArray(type) ? type.filter((one) => typeof one === 'string') : [];
}
