// Which of several shapes a value is of.
import { equal, isObject, own, type Json } from './json';
import type { Shape } from './shape';

/** How well value fits a shape; negative when it does not. */
export function fit(shape: Shape, value: Json, depth = 0): number {
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
