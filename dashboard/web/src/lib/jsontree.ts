// What the tree of a JSON value needs to know. Values come from strangers and may be
// large: the tree is drawn level by level, and what is searched is bounded.
import { fold } from './catalogue';
import { own } from './schema/json';

/** Members drawn before "show more". */
export const step = 100;
/** Characters of a text drawn before "show all". */
export const cutText = 2000;

export interface Child {
	key: string;
	value: unknown;
	path: string;
}

export function isBranch(value: unknown): value is object {
	return typeof value === 'object' && value !== null;
}

export function size(value: object): number {
	return Array.isArray(value) ? value.length : Object.keys(value).length;
}

/** The first `most` members of a value. */
export function children(value: object, path: string, most: number): Child[] {
	if (Array.isArray(value)) {
		return value
			.slice(0, most)
			.map((one: unknown, i) => ({ key: String(i), value: one, path: `${path}[${i}]` }));
	}
	return Object.keys(value)
		.slice(0, most)
		.map((key) => ({ key, value: own(value, key), path: path + member(key) }));
}

function member(key: string): string {
	return /^[A-Za-z_$][\w$]*$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`;
}

/** A value in one short line. */
export function gist(value: object): string {
	const count = size(value);
	if (Array.isArray(value)) return count === 1 ? '1 item' : `${count} items`;
	const keys = Object.keys(value)
		.slice(0, 4)
		.map((key) => (key.length > 24 ? `${key.slice(0, 24)}…` : key));
	return count > 4 ? `${keys.join(', ')}, … ${count} members` : keys.join(', ');
}

export interface Found {
	/** The paths of what matches, and of everything around it. */
	open: Set<string>;
	count: number;
	/** There may be more. */
	cut: boolean;
}

const maxFound = 200;
const maxLooked = 200_000;

/** Where a text is, in names and in values. */
export function find(value: unknown, text: string): Found {
	const wanted = fold(text.trim());
	const found: Found = { open: new Set(), count: 0, cut: false };
	if (wanted === '') return found;
	let looked = 0;
	const visit = (value: unknown, key: string, path: string, around: string[]) => {
		if (found.cut) return;
		if (++looked > maxLooked || found.count >= maxFound) {
			found.cut = true;
			return;
		}
		const leaf = isBranch(value) ? '' : String(value).slice(0, 10_000);
		if (fold(key).includes(wanted) || fold(leaf).includes(wanted)) {
			found.count++;
			for (const one of around) found.open.add(one);
		}
		if (!isBranch(value) || around.length > 400) return;
		for (const child of children(value, path, maxLooked))
			visit(child.value, child.key, child.path, [...around, path]);
	};
	visit(value, '', '$', []);
	return found;
}

/** Text with what a person cannot see written out: control characters, and those
 * that turn the direction of what follows. */
export function visible(text: string): string {
	return text.replace(
		/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g,
		(char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
	);
}
