// Whether a value keeps to a JSON Schema, and which part of it does not, in words.
// Schema and value may both be a stranger's: the work is bounded, and a schema
// that cannot be checked says so instead of stopping the page.
import { dereference, validate, type OutputUnit, type Schema, type SchemaDraft } from '@cfworker/json-schema';
import { escape } from './read';
import { isObject, own, put } from './json';
import { safePattern } from './pattern';

export interface Fault {
	/** JSON pointer of the value, '' for the whole. */
	pointer: string;
	message: string;
}

export interface Verdict {
	faults: Fault[];
	/** What was not checked, and why; one sentence each. */
	notes: string[];
}

/** Subschemas looked at in one check. */
const maxVisits = 200_000;
const maxFaults = 100;
const maxNesting = 100;

class TooMuch extends Error {}

/** Checks values against one schema. */
export class Checker {
	private readonly notes = new Set<string>();
	private readonly schema: Schema | boolean = true;
	private readonly lookup: Record<string, Schema | boolean> = {};
	private readonly draft: SchemaDraft;
	private visits = 0;

	/** trusted: the value is what a person typed here, and not a server's answer;
	 * patterns are tried on such a value only. */
	constructor(
		schema: unknown,
		private readonly trusted = true,
	) {
		this.draft = draftOf(own(schema, '$schema'));
		try {
			this.schema = this.copy(schema, 0) as Schema | boolean;
			this.lookup = dereference(this.schema);
			this.dropUnknownRefs();
		} catch (error) {
			this.schema = true;
			this.note(`The schema could not be used to check values: ${reason(error)}`);
		}
	}

	check(value: unknown): Verdict {
		this.visits = 0;
		const notes = new Set(this.notes);
		let faults: Fault[] = [];
		try {
			const { errors } = validate(value, this.schema, this.draft, this.lookup, false);
			faults = this.inWords(errors);
		} catch (error) {
			notes.add(`The value could not be checked: ${reason(error)}`);
		}
		return { faults: faults.slice(0, maxFaults), notes: [...notes] };
	}

	private note(sentence: string): void {
		if (this.notes.size < 5) this.notes.add(sentence);
	}

	/** A copy without what the validator must not see. Its "type" counts the visits. */
	private copy(schema: unknown, depth: number): unknown {
		if (typeof schema === 'boolean' || !isObject(schema)) return schema;
		if (depth > maxNesting) throw new Error(`it is nested more than ${maxNesting} levels deep.`);
		const result = {};
		for (const key of Object.keys(schema)) {
			const value: unknown = schema[key];
			if (key === 'type' || key === '$id' || key === 'id' || key.startsWith('__')) continue;
			if (this.refuses(key, value)) continue;
			if (maps.has(key)) {
				if (!isObject(value)) continue;
				const map = {};
				for (const name of Object.keys(value)) {
					if (key === 'patternProperties' && !this.allows(name)) continue;
					put(map, name, this.copy(value[name], depth + 1));
				}
				put(result, key, map);
			} else if (Array.isArray(value) && lists.has(key)) {
				put(
					result,
					key,
					value.map((part) => this.copy(part, depth + 1)),
				);
			} else if (plain.has(key)) {
				put(result, key, value);
			} else {
				put(result, key, this.copy(value, depth + 1));
			}
		}
		const type = own(schema, 'type');
		Object.defineProperty(result, 'type', {
			enumerable: true,
			get: () => {
				if (++this.visits > maxVisits) throw new TooMuch();
				return type;
			},
		});
		return result;
	}

	/** Keywords whose value makes no sense, or costs too much. */
	private refuses(key: string, value: unknown): boolean {
		switch (key) {
			case 'pattern':
				return typeof value !== 'string' || !this.allows(value);
			case 'format':
				return typeof value !== 'string' || !this.trusted;
			case 'uniqueItems':
				return !this.trusted;
			case 'enum':
			case 'required':
			case 'anyOf':
			case 'oneOf':
			case 'allOf':
			case 'prefixItems':
				return !Array.isArray(value);
			case 'exclusiveMinimum':
			case 'exclusiveMaximum':
				return typeof value !== 'number' && this.draft !== '4';
			case '$ref':
				return typeof value !== 'string';
			case '$recursiveRef':
			case '$recursiveAnchor':
				return true;
		}
		return false;
	}

	private allows(pattern: string): boolean {
		if (!this.trusted) {
			this.note('Patterns were not checked: a pattern of a server could keep the page busy for ever.');
			return false;
		}
		if (safePattern(pattern)) return true;
		this.note(`The pattern ${pattern.slice(0, 80)} is not checked here: trying it could take for ever.`);
		return false;
	}

	/** The validator throws on a reference that leads nowhere; the rest of the schema
	 * still says something. */
	private dropUnknownRefs(): void {
		for (const schema of Object.values(this.lookup)) {
			if (typeof schema !== 'object') continue;
			const ref = schema.$ref;
			const absolute = (schema as Record<string, unknown>)['__absolute_ref__'];
			if (ref === undefined || this.lookup[String(absolute ?? ref)] !== undefined) continue;
			this.note(`${ref.slice(0, 200)} is not part of the schema, so it was not checked.`);
			delete schema.$ref;
		}
	}

	private inWords(errors: OutputUnit[]): Fault[] {
		const seen = new Set<string>();
		const faults: Fault[] = [];
		for (const unit of this.leaves(errors)) {
			const fault = { pointer: unit.instanceLocation.slice(1), message: sentence(unit) };
			if (unit.keyword === 'required') {
				const name = /"(.*)"\.$/s.exec(unit.error)?.[1] ?? '';
				fault.pointer += `/${escape(name)}`;
				fault.message = 'This is required.';
			}
			const key = `${fault.pointer} ${fault.message}`;
			if (!seen.has(key)) faults.push(fault);
			seen.add(key);
		}
		return faults;
	}

	/** Without the units that only say that something inside them is wrong, and of a
	 * union with the variant alone that comes nearest. */
	private leaves(errors: OutputUnit[]): OutputUnit[] {
		let left = errors.filter((unit) => !outer.has(unit.keyword));
		// Innermost unions first, so that a union in a union is settled before it.
		const unions = left
			.filter((unit) => unit.keyword === 'anyOf' || unit.keyword === 'oneOf')
			.sort((a, b) => b.keywordLocation.length - a.keywordLocation.length);
		for (const union of unions.slice(0, maxFaults)) {
			const prefix = `${union.keywordLocation}/`;
			const inside = (unit: OutputUnit) =>
				unit.keywordLocation.startsWith(prefix) && unit.instanceLocation.startsWith(union.instanceLocation);
			const groups = new Map<string, OutputUnit[]>();
			for (const unit of left.filter(inside)) {
				const branch = unit.keywordLocation.slice(prefix.length).split('/', 1)[0] ?? '';
				groups.set(branch, [...(groups.get(branch) ?? []), unit]);
			}
			const best = [...groups.values()].sort((a, b) => weight(a, union) - weight(b, union))[0];
			if (!best || weight(best, union) >= unfit) {
				left = left.filter((unit) => !inside(unit));
			} else {
				left = left.filter((unit) => unit !== union && (!inside(unit) || best.includes(unit)));
			}
		}
		return left;
	}
}

const unfit = 1000;

/** How far a variant is from fitting: one of another type or kind is not meant. */
function weight(errors: OutputUnit[], union: OutputUnit): number {
	return errors.reduce((sum, unit) => {
		const depth = unit.instanceLocation.split('/').length - union.instanceLocation.split('/').length;
		if (unit.keyword === 'type' && depth === 0) return sum + unfit;
		if ((unit.keyword === 'const' || unit.keyword === 'enum') && depth <= 1) return sum + unfit / 2;
		return sum + 1;
	}, 0);
}

const maps = new Set(['$defs', 'definitions', 'properties', 'patternProperties', 'dependentSchemas']);
const lists = new Set(['prefixItems', 'items', 'allOf', 'anyOf', 'oneOf']);
const plain = new Set([
	'enum',
	'const',
	'default',
	'examples',
	'required',
	'dependentRequired',
	'$comment',
	'$vocabulary',
]);
const outer = new Set([
	'properties',
	'patternProperties',
	'items',
	'prefixItems',
	'additionalItems',
	'unevaluatedItems',
	'allOf',
	'$ref',
	'if',
	'dependentSchemas',
	'propertyNames',
	'additionalProperties',
	'unevaluatedProperties',
]);

function sentence(unit: OutputUnit): string {
	const { keyword, error } = unit;
	switch (keyword) {
		case 'type': {
			const [, is, wanted] = /^Instance type "(.*)" is invalid\. Expected (.*)\.$/s.exec(error) ?? [];
			const list = (wanted ?? '').replaceAll('"', '').split(', ').map(named).join(' or ');
			return `This is ${named(is ?? '')}, but ${list} is expected.`;
		}
		case 'const':
			return error.replace('Instance does not match', 'This must be').slice(0, 300);
		case 'enum':
			return error.replace('Instance does not match any of', 'This must be one of').slice(0, 300);
		case 'anyOf':
			return 'This fits none of the variants.';
		case 'oneOf':
			return error.includes('(0 matches)')
				? 'This fits none of the variants.'
				: 'This fits more than one of the variants, and only one is allowed.';
		case 'not':
			return 'This is a value that the schema excludes.';
		case 'false':
			return 'The schema does not allow this.';
		case 'pattern':
			return 'This does not match the pattern.';
		case 'format':
			return error.replace('String does not match format', 'This is not of the format');
		default:
			return error.replace(/^(Instance|String|Array)/, 'This').replaceAll('Instance', 'this');
	}
}

function named(type: string): string {
	switch (type) {
		case 'string':
			return 'text';
		case 'object':
		case 'array':
		case 'integer':
			return `an ${type}`;
		case 'number':
			return 'a number';
		case 'boolean':
			return 'true or false';
		default:
			return type;
	}
}

function draftOf(uri: unknown): SchemaDraft {
	if (typeof uri !== 'string') return '2020-12';
	if (uri.includes('draft-04')) return '4';
	if (uri.includes('draft-06') || uri.includes('draft-07')) return '7';
	return uri.includes('2019-09') ? '2019-09' : '2020-12';
}

function reason(error: unknown): string {
	if (error instanceof TooMuch) return 'that would take too long.';
	if (error instanceof RangeError) return 'it goes too deep.';
	return error instanceof Error ? error.message.split('\n', 1)[0]!.slice(0, 200) : 'it is not a schema.';
}
