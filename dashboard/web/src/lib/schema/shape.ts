// What the form draws for a schema: one Shape a field. Shapes are made when they
// are looked at, so a schema that contains itself costs nothing until somebody
// opens another level of it.
import { isObject, own, textOf, type Json, type JsonObject } from './json';
import { implied, inputOf, isNull, says, without, type Input } from './keywords';
import { constants, enumeration, type Option } from './options';
import { join, types, type Flat, type Resolver } from './resolve';
import { branchLabel, limits } from './wording';

export type Kind =
	| 'text'
	| 'number'
	| 'boolean'
	| 'choice'
	| 'checks'
	| 'list'
	| 'object'
	| 'variants'
	| 'fixed'
	| 'null'
	| 'json';

export interface Member {
	key: string;
	shape: Shape;
}

/** Levels of nesting that are drawn; what lies deeper is edited as JSON. */
export const maxLevels = 12;
const maxMembers = 300;
const maxOptions = 200;
const maxBranches = 40;

interface Place {
	key: string;
	required: boolean;
	level: number;
	root?: boolean;
}

/** One field's description. It never changes, and holds no value. */
export class Shape {
	readonly kind: Kind;
	readonly key: string;
	readonly title: string;
	readonly description: string;
	readonly required: boolean;
	readonly nullable: boolean;
	readonly deprecated: boolean;
	/** For text. */
	readonly input: Input = 'line';
	/** For numbers. */
	readonly integer: boolean = false;
	/** For choice and checks; suggestions for text. */
	readonly options: Option[] = [];
	/** For fixed. */
	readonly constant: Json = null;
	/** For lists. */
	readonly item: Shape | null = null;
	/** For objects: whether members beside the named ones are welcome. */
	readonly open: boolean = true;
	/** For objects: whether the schema speaks of such members. */
	readonly wide: boolean = false;
	/** Why it is JSON, where that has a reason worth saying. */
	readonly note: string;
	readonly limits: string[];
	readonly schema: JsonObject;
	private readonly place: Place;
	private readonly resolver: Resolver;
	private readonly flats: Flat[] = [];
	private drawn: Member[] | null = null;
	private variants: Shape[] | null = null;

	constructor(resolver: Resolver, schema: unknown, place: Place, flat = resolver.flat(schema)) {
		this.resolver = resolver;
		this.place = place;
		this.key = place.key;
		this.required = place.required;

		let { schema: own_, trouble } = flat;
		let nullable = own(own_, 'nullable') === true;
		const union = this.union(own_);
		let flats: Flat[] = [];
		if (union && !trouble) {
			nullable ||= union.nullable;
			if (union.flats.length === 1 && union.flats[0]) {
				const only = join(union.flats[0], { schema: union.base });
				own_ = only.schema;
				trouble = only.trouble;
				// What one variant holds may be a union again; a second look at it is
				// enough for anything that people write.
				const inner = this.union(own_);
				if (inner) {
					nullable ||= inner.nullable;
					flats = inner.flats;
				}
			} else {
				flats = union.flats;
			}
		}
		let kinds = types(own(own_, 'type'));
		if (kinds.includes('null') && (kinds.length > 1 || flats.length > 0)) {
			nullable = true;
			kinds = kinds.filter((kind) => kind !== 'null');
		}
		let note = trouble ?? '';
		this.schema = own_;
		const kind = ((): Kind => {
			if (trouble) return 'json';
			if (Object.hasOwn(own_, 'const')) {
				this.constant = own_['const'] as Json;
				return 'fixed';
			}
			const named = enumeration(own_) ?? constants(flats);
			if (named) {
				if (!nullable && kinds.length > 0 && !kinds.includes('null')) {
					named.splice(0, named.length, ...named.filter((option) => option.value !== null));
				}
				const rest = named.filter((option) => option.value !== null);
				if (rest.length < named.length && rest.length > 0) {
					nullable = true;
					named.splice(0, named.length, ...rest);
				}
				if (named.length === 0) return 'json';
				this.options = named;
				if (named.length <= maxOptions) return 'choice';
				return named.every((option) => typeof option.value === 'string') ? 'text' : 'json';
			}
			if (flats.length > 1 && flats.length <= maxBranches) {
				if (place.level >= maxLevels) {
					note = tooDeep;
					return 'json';
				}
				this.flats = flats;
				return 'variants';
			}
			if (flats.length > maxBranches) {
				note = `The schema has ${flats.length} variants here.`;
				return 'json';
			}
			if (kinds.length > 1) {
				if (place.level >= maxLevels) return 'json';
				this.flats = kinds.map((type) => ({ schema: { ...own_, type } }));
				return 'variants';
			}
			return this.plain(kinds[0] ?? implied(own_), own_, (text) => (note = text));
		})();
		this.kind = kind;
		this.nullable = nullable && kind !== 'null' && kind !== 'json';
		this.note = note;
		this.title = textOf(own(own_, 'title'));
		this.description = textOf(own(own_, 'description'));
		this.deprecated = own(own_, 'deprecated') === true;
		this.limits = limits(own_, kind);
	}

	/** What to call the field: its key, as the tool's author wrote it. */
	get label(): string {
		return this.key || this.title || 'value';
	}

	get hasDefault(): boolean {
		return Object.hasOwn(this.schema, 'default');
	}

	get default(): Json {
		return this.schema['default'] as Json;
	}

	/** The named members of an object. */
	get members(): Member[] {
		if (this.drawn) return this.drawn;
		const properties = own(this.schema, 'properties');
		const required = own(this.schema, 'required');
		const names = Array.isArray(required) ? new Set<unknown>(required) : new Set<unknown>();
		const list = Object.keys(isObject(properties) ? properties : {}).map((key) => ({
			key,
			shape: new Shape(this.resolver, own(properties, key), {
				key,
				required: names.has(key),
				level: this.place.level + 1,
			}),
		}));
		// What must be given comes first; else the author's order stands.
		this.drawn = [
			...list.filter((member) => member.shape.required),
			...list.filter((member) => !member.shape.required),
		];
		return this.drawn;
	}

	/** The variants of a union. */
	get branches(): Shape[] {
		this.variants ??= this.flats.map(
			(flat) =>
				new Shape(
					this.resolver,
					flat.schema,
					{ key: this.key, required: true, level: this.place.level + 1, root: this.place.root },
					{ schema: without(flat.schema, 'nullable'), trouble: flat.trouble },
				),
		);
		return this.variants;
	}

	/** What the select of the variants shows. */
	get branchLabels(): string[] {
		const labels = this.branches.map((branch, i) => branchLabel(branch) || `variant ${i + 1}`);
		return labels.map((label, i) =>
			labels.indexOf(label) === i && labels.lastIndexOf(label) === i ? label : `${label} (${i + 1})`,
		);
	}

	/** anyOf or oneOf of a schema, as far as it says something about the form. */
	private union(schema: JsonObject): { flats: Flat[]; base: JsonObject; nullable: boolean } | null {
		const list = own(schema, 'oneOf') ?? own(schema, 'anyOf');
		if (!Array.isArray(list) || list.length === 0) return null;
		const base = without(schema, 'oneOf', 'anyOf', 'title', 'description', 'default');
		const all = list.map((part) => this.resolver.flat(part));
		const flats = all.filter((flat) => !isNull(flat.schema));
		const nullable = flats.length < all.length;
		if (flats.length > 0 && !flats.some((flat) => flat.trouble || says(flat.schema, base))) return null;
		const named = constants(flats) !== null;
		const words = flats.length === 1 ? without(schema, 'oneOf', 'anyOf') : base;
		return {
			flats: named ? flats : flats.map((flat) => (flats.length === 1 ? flat : join(flat, { schema: base }))),
			base: words,
			nullable,
		};
	}

	private plain(type: string, schema: JsonObject, say: (note: string) => void): Kind {
		const { level, root } = this.place;
		const self = this as { -readonly [K in keyof Shape]: Shape[K] };
		switch (type) {
			case 'string':
				self.input = inputOf(schema);
				return 'text';
			case 'integer':
			case 'number':
				self.integer = type === 'integer';
				return 'number';
			case 'boolean':
				self.options = [
					{ value: true, label: 'true' },
					{ value: false, label: 'false' },
				];
				return 'boolean';
			case 'null':
				return 'null';
			case 'array': {
				const items = own(schema, 'items');
				if (!isObject(items) || own(schema, 'prefixItems') !== undefined) return 'json';
				if (level >= maxLevels) {
					say(tooDeep);
					return 'json';
				}
				const item = new Shape(this.resolver, items, { key: '', required: true, level: level + 1 });
				if (item.kind === 'json') return 'json';
				self.item = item;
				if (item.kind === 'choice' && !item.nullable && item.options.length <= 60) {
					self.options = item.options;
					return 'checks';
				}
				return 'list';
			}
			case 'object':
			case '': {
				const properties = own(schema, 'properties');
				const count = isObject(properties) ? Object.keys(properties).length : 0;
				if (!root && (type === '' || count === 0)) return 'json';
				if (count > maxMembers) {
					say(`The schema has ${count} parameters, too many for a form.`);
					return 'json';
				}
				if (level >= maxLevels) {
					say(tooDeep);
					return 'json';
				}
				{
					const more = own(schema, 'additionalProperties');
					self.open = more !== false;
					self.wide = self.open && (more !== undefined || own(schema, 'patternProperties') !== undefined);
				}
				return 'object';
			}
			default:
				say(`The schema asks for a type that JSON does not have: ${type.slice(0, 40)}.`);
				return 'json';
		}
	}
}

const tooDeep = `This lies more than ${maxLevels} levels deep.`;
