// A schema as rows of a table: one parameter each, with what it must keep to.
import { own, type Json } from './schema/json';
import { Resolver, types } from './schema/resolve';
import { Shape } from './schema/shape';

export interface Row {
	name: string;
	depth: number;
	type: string;
	required: boolean;
	default?: Json;
	limits: string[];
	options: string[];
	description: string;
	deprecated: boolean;
}

export const maxRows = 300;
const maxDepth = 4;

export function parameters(schema: unknown): { rows: Row[]; cut: boolean } {
	const root = new Shape(new Resolver(schema), schema, { key: '', required: true, level: 0, root: true });
	const rows: Row[] = [];
	if (root.kind === 'json') {
		// Too many for a form; the names are still worth a table.
		const properties = own(root.schema, 'properties');
		const names = properties ? Object.keys(properties as object) : [];
		for (const name of names.slice(0, maxRows)) {
			const one = new Shape(new Resolver(schema), own(properties, name), {
				key: name,
				required: false,
				level: 1,
			});
			rows.push(row(one, name, 0));
		}
		return { rows, cut: names.length > maxRows };
	}
	const cut = !add(root, 0, rows);
	return { rows, cut };
}

/** Adds what is inside shape; false when there was no room for all. */
function add(shape: Shape, depth: number, rows: Row[]): boolean {
	if (depth > maxDepth) return false;
	let inside: { name: string; shape: Shape }[] = [];
	if (shape.kind === 'object') inside = shape.members.map(({ key, shape }) => ({ name: key, shape }));
	else if (shape.kind === 'variants') {
		const labels = shape.branchLabels;
		inside = shape.branches.map((branch, i) => ({ name: `or: ${labels[i]}`, shape: branch }));
	} else if (shape.kind === 'list' && shape.item && ['object', 'variants'].includes(shape.item.kind)) {
		return add(shape.item, depth, rows);
	}
	let all = true;
	for (const one of inside) {
		if (rows.length >= maxRows) return false;
		rows.push(row(one.shape, one.name, depth));
		all = add(one.shape, depth + 1, rows) && all;
	}
	return all;
}

function row(shape: Shape, name: string, depth: number): Row {
	return {
		name,
		depth,
		type: typeName(shape),
		required: shape.required && !name.startsWith('or: '),
		...(shape.hasDefault ? { default: shape.default } : {}),
		limits: shape.limits,
		options:
			shape.kind === 'choice' || shape.kind === 'checks'
				? shape.options.map((option) => JSON.stringify(option.value))
				: [],
		description: shape.description,
		deprecated: shape.deprecated,
	};
}

/** The type in words. */
export function typeName(shape: Shape): string {
	const name = ((): string => {
		switch (shape.kind) {
			case 'text':
				return 'string';
			case 'number':
				return shape.integer ? 'integer' : 'number';
			case 'choice':
				return 'one of';
			case 'checks':
				return 'some of';
			case 'list':
				return shape.item ? `list of ${typeName(shape.item)}` : 'list';
			case 'variants':
				return `one of ${shape.branches.length} variants`;
			case 'fixed':
				return JSON.stringify(shape.constant);
			case 'json':
				return types(own(shape.schema, 'type')).join(' or ') || 'any';
			default:
				return shape.kind;
		}
	})();
	return shape.nullable ? `${name} or null` : name;
}
