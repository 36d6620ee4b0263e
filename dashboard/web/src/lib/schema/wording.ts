// What stands beside a field in words: what it must keep to, and what a variant is.
import { own, type JsonObject } from './json';
import { labelOf } from './options';
import { types } from './resolve';
import type { Kind, Shape } from './shape';

/** What to call a variant; '' when nothing tells it from the others. */
export function branchLabel(branch: Shape): string {
	if (branch.title) return branch.title;
	switch (branch.kind) {
		case 'object': {
			const fixed = branch.members.find((member) => member.shape.kind === 'fixed');
			if (fixed) return `${fixed.key}: ${labelOf(fixed.shape.constant)}`;
			const names = branch.members.filter((member) => member.shape.required).map((member) => member.key);
			return names.length > 0 ? names.slice(0, 3).join(', ') : 'object';
		}
		case 'fixed':
			return labelOf(branch.constant);
		case 'number':
			return branch.integer ? 'integer' : 'number';
		case 'checks':
		case 'list':
			return 'list';
		case 'choice':
			return 'one of a list';
		case 'json':
			return types(own(branch.schema, 'type'))[0] ?? 'JSON';
		default:
			return branch.kind;
	}
}

/** What a value must keep to, in words. */
export function limits(schema: JsonObject, kind: Kind): string[] {
	const list: string[] = [];
	const number = (key: string): number | undefined => {
		const value = own(schema, key);
		return typeof value === 'number' ? value : undefined;
	};
	const of = (count: number, unit: string) => (count === 1 ? unit.replace(/s$/, '') : unit);
	const range = (low: number | undefined, high: number | undefined, unit: string) => {
		if (low !== undefined && high !== undefined) {
			list.push(low === high ? `exactly ${low}${of(low, unit)}` : `${low} to ${high}${unit}`);
		} else if (low !== undefined) list.push(`at least ${low}${of(low, unit)}`);
		else if (high !== undefined) list.push(`at most ${high}${of(high, unit)}`);
	};
	if (kind === 'number') {
		range(number('minimum'), number('maximum'), '');
		const above = number('exclusiveMinimum');
		const below = number('exclusiveMaximum');
		const step = number('multipleOf');
		if (above !== undefined) list.push(`above ${above}`);
		if (below !== undefined) list.push(`below ${below}`);
		if (step !== undefined) list.push(`a multiple of ${step}`);
	}
	if (kind === 'text') {
		range(number('minLength'), number('maxLength'), ' characters');
		const pattern = own(schema, 'pattern');
		if (typeof pattern === 'string') list.push(`matches ${pattern.slice(0, 200)}`);
		const format = own(schema, 'format');
		if (typeof format === 'string') list.push(format.slice(0, 40));
	}
	if (kind === 'list' || kind === 'checks') {
		range(number('minItems'), number('maxItems'), ' items');
		if (own(schema, 'uniqueItems') === true) list.push('no two alike');
	}
	return list;
}
