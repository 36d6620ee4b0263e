// What is found by words, and where they stand.
import type { Entry } from './entry';

/** Without case and without marks on letters. */
export function fold(text: string): string {
	return text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();
}

/** The words of a query, folded; each must be found. Those of backend:… are none. */
export function terms(query: string): string[] {
	const words = fold(query)
		.split(/\s+/)
		.filter((word) => word !== '' && !word.startsWith('backend:'));
	return [...new Set(words)].slice(0, 10);
}

/** The backend that a query narrows to with backend:NAME, '' for all. */
export function narrowed(query: string): string {
	return /(?:^|\s)backend:(\S+)/i.exec(query)?.[1] ?? '';
}

export function search(entries: Entry[], query: string): Entry[] {
	const wanted = terms(query);
	const backend = narrowed(query);
	if (wanted.length === 0 && backend === '') return entries;
	return entries.filter(
		(one) =>
			(backend === '' || one.tool.backend === backend) && wanted.every((term) => one.text.includes(term)),
	);
}

export interface Piece {
	text: string;
	hit: boolean;
}

/** Text in pieces, those that a term is in marked. */
export function marks(text: string, wanted: string[]): Piece[] {
	if (wanted.length === 0 || text === '') return [{ text, hit: false }];
	// Folding may change lengths, so each character is folded on its own.
	const chars = [...text];
	let folded = '';
	const from: number[] = [];
	chars.forEach((char, i) => {
		const one = fold(char);
		for (let k = 0; k < one.length; k++) from.push(i);
		folded += one;
	});
	const hit = new Array<boolean>(chars.length).fill(false);
	for (const term of wanted) {
		for (let at = folded.indexOf(term); at >= 0; at = folded.indexOf(term, at + term.length)) {
			for (let k = at; k < at + term.length; k++) hit[from[k]!] = true;
		}
	}
	const pieces: Piece[] = [];
	chars.forEach((char, i) => {
		const last = pieces.at(-1);
		if (last && last.hit === hit[i]) last.text += char;
		else pieces.push({ text: char, hit: hit[i]! });
	});
	return pieces;
}

/** Where else than in names a query was found, with some words around it. */
export function excerpt(one: Entry, wanted: string[]): { where: string; pieces: Piece[] } | null {
	const named = fold(`${one.tool.name}\n${one.title}`);
	const missing = wanted.filter((term) => !named.includes(term));
	if (missing.length === 0) return null;
	const parameter = one.parameters.find((name) => missing.some((term) => fold(name).includes(term)));
	if (parameter !== undefined) return { where: 'parameter', pieces: marks(parameter, missing) };
	const text = one.description.slice(0, 20_000);
	const at = Math.min(...missing.map((term) => fold(text).indexOf(term)).map((i) => (i < 0 ? Infinity : i)));
	if (at === Infinity) {
		return fold(one.tool.originalName).includes(missing[0]!)
			? { where: 'real name', pieces: marks(one.tool.originalName, missing) }
			: null;
	}
	const start = Math.max(0, at - 40);
	const cut = text.slice(start, at + 100).replace(/\s+/g, ' ');
	return { where: 'description', pieces: marks(`${start > 0 ? '…' : ''}${cut}`, missing) };
}
