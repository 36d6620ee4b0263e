// The catalogue of tools as a person looks at it: searched, sorted, grouped, and
// with what is worth knowing about it. Pure, and quick for thousands of tools.
import { isObject, own } from './schema/json';

/** A tool as GET api/tools tells of it. */
export interface Tool {
	name: string;
	backend: string;
	originalName: string;
	tool: unknown;
	tokens: number;
	tokenParts?: { name: number; description: number; schema: number };
	enabled?: boolean;
	locked?: string;
	hidden?: string;
	savedIn?: string;
	/** How it was before its backend described it otherwise. */
	altered?: Altered;
	stats: { calls: number; errors: number; p50Ms?: number | null; p95Ms?: number | null; lastAt?: string };
}

export interface Altered {
	/** When the description of now was first seen. */
	at: string;
	/** The tool as it was. */
	before: unknown;
}

/** What the page reads of a tool once, and not with every keystroke. */
export interface Entry {
	tool: Tool;
	title: string;
	description: string;
	parameters: string[];
	annotations: Annotation[];
	enabled: boolean;
	lastAt: number;
	/** Everything that is searched, folded. */
	text: string;
}

export interface Annotation {
	word: string;
	meaning: string;
	warns: boolean;
}

const maxParameters = 300;

export function entry(tool: Tool): Entry {
	const raw = tool.tool;
	const annotations = own(raw, 'annotations');
	const title = textOf(own(raw, 'title')) || textOf(own(annotations, 'title'));
	const description = textOf(own(raw, 'description'));
	const parameters = parameterNames(own(raw, 'inputSchema'));
	return {
		tool,
		title,
		description,
		parameters,
		annotations: words(annotations),
		enabled: tool.enabled !== false,
		lastAt: tool.stats.lastAt ? Date.parse(tool.stats.lastAt) : 0,
		text: fold([tool.name, tool.originalName, title, description.slice(0, 20_000), ...parameters].join('\n')),
	};
}

function textOf(value: unknown): string {
	return typeof value === 'string' ? value : '';
}

/** Without case and without marks on letters. */
export function fold(text: string): string {
	return text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();
}

function parameterNames(schema: unknown, into = new Set<string>(), depth = 0): string[] {
	if (!isObject(schema) || depth > 4 || into.size >= maxParameters) return [...into];
	const properties = own(schema, 'properties');
	if (isObject(properties)) {
		for (const key of Object.keys(properties)) {
			if (into.size >= maxParameters) break;
			into.add(key);
			parameterNames(properties[key], into, depth + 1);
		}
	}
	parameterNames(own(schema, 'items'), into, depth + 1);
	for (const union of ['anyOf', 'oneOf', 'allOf']) {
		const parts = own(schema, union);
		if (Array.isArray(parts)) for (const part of parts.slice(0, 40)) parameterNames(part, into, depth + 1);
	}
	return [...into];
}

function words(annotations: unknown): Annotation[] {
	const list: Annotation[] = [];
	const readOnly = own(annotations, 'readOnlyHint');
	if (readOnly === true)
		list.push({ word: 'read-only', meaning: 'Its server says that it changes nothing.', warns: false });
	if (readOnly !== true && own(annotations, 'destructiveHint') === true) {
		list.push({
			word: 'destructive',
			meaning: 'Its server says that it may delete or overwrite.',
			warns: true,
		});
	}
	if (readOnly !== true && own(annotations, 'idempotentHint') === true) {
		list.push({
			word: 'idempotent',
			meaning: 'Its server says that calling it twice does no more than once.',
			warns: false,
		});
	}
	if (own(annotations, 'openWorldHint') === true) {
		list.push({
			word: 'open world',
			meaning: 'Its server says that it reaches things outside, such as the web.',
			warns: false,
		});
	}
	return list;
}

/** Whether one should think before running it: destructive, or unknown. */
export function careful(raw: unknown): 'destructive' | 'unknown' | null {
	const annotations = own(raw, 'annotations');
	if (own(annotations, 'readOnlyHint') === true) return null;
	const destructive = own(annotations, 'destructiveHint');
	if (destructive === true) return 'destructive';
	return destructive === false ? null : 'unknown';
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

export const sorts = {
	name: 'name',
	tokens: 'tokens',
	calls: 'calls',
	last: 'last called',
	p95: 'p95',
	errors: 'errors',
} as const;
export type Sort = keyof typeof sorts;

const collator = new Intl.Collator('en', { numeric: true });
const byName = (a: Entry, b: Entry) => collator.compare(a.tool.name, b.tool.name);

/** Numbers come largest first, names from A. */
export function sorted(entries: Entry[], by: Sort): Entry[] {
	const size: Record<Exclude<Sort, 'name'>, (one: Entry) => number> = {
		tokens: (one) => one.tool.tokens,
		calls: (one) => one.tool.stats.calls,
		last: (one) => one.lastAt,
		p95: (one) => percentile(one.tool) ?? -1,
		errors: (one) => one.tool.stats.errors,
	};
	if (by === 'name') return entries.toSorted(byName);
	return entries.toSorted((a, b) => size[by](b) - size[by](a) || byName(a, b));
}

/** The 95th percentile in ms, where there were calls enough for one. */
export function percentile(tool: Tool): number | undefined {
	return tool.stats.calls >= 20 ? (tool.stats.p95Ms ?? undefined) : undefined;
}

export interface Group {
	backend: string;
	entries: Entry[];
	enabled: number;
	tokens: number;
}

/** The entries by backend, backends from A; the order within is kept. */
export function grouped(entries: Entry[]): Group[] {
	const groups = new Map<string, Group>();
	for (const one of entries) {
		const { backend } = one.tool;
		const group = groups.get(backend) ?? { backend, entries: [], enabled: 0, tokens: 0 };
		group.entries.push(one);
		if (one.enabled && !one.tool.hidden) {
			group.enabled++;
			group.tokens += one.tool.tokens;
		}
		groups.set(backend, group);
	}
	return [...groups.values()].toSorted((a, b) => collator.compare(a.backend, b.backend));
}

export interface Share {
	backend: string;
	tokens: number;
	tools: number;
}

/** What each backend costs a client that loads all, largest first; the small ones
 * beyond `most` together as ''. */
export function shares(entries: Entry[], most = 6): Share[] {
	const all = grouped(entries)
		.map((group) => ({ backend: group.backend, tokens: group.tokens, tools: group.enabled }))
		.filter((share) => share.tokens > 0)
		.toSorted((a, b) => b.tokens - a.tokens);
	if (all.length <= most) return all;
	const rest = all.slice(most - 1);
	const sum = (key: 'tokens' | 'tools') => rest.reduce((total, share) => total + share[key], 0);
	return [...all.slice(0, most - 1), { backend: '', tokens: sum('tokens'), tools: sum('tools') }];
}

export interface Hint {
	/** Stable, so that a dismissed hint stays away. */
	id: string;
	text: string;
	/** The tools it is about. */
	names: string[];
	/** Whether switching them off is what the hint is about. */
	offersOff: boolean;
}

/** What is worth a line above the list. since is when counting began. */
export function hints(entries: Entry[], since: number, now: number): Hint[] {
	const list: Hint[] = [];
	const on = entries.filter((one) => one.enabled && !one.tool.hidden);
	const hidden = entries.filter((one) => one.tool.hidden);
	if (hidden.length > 0) {
		list.push({
			id: 'hidden',
			text:
				hidden.length === 1
					? `${hidden[0]!.tool.name} is hidden: ${hidden[0]!.tool.hidden}`
					: `${hidden.length} tools are hidden from clients, because others have their names.`,
			names: namesOf(hidden),
			offersOff: false,
		});
	}
	const altered = entries.filter((one) => one.tool.altered);
	if (altered.length > 0) {
		const first = altered[0]!.tool;
		list.push({
			// Another change is another hint.
			id: `altered:${altered
				.map((one) => one.tool.altered!.at)
				.toSorted()
				.at(-1)}:${altered.length}`,
			text:
				altered.length === 1
					? `${first.name} is described otherwise than before. Look at what changed before a model trusts it.`
					: `${altered.length} tools are described otherwise than before. Look at what changed before a model trusts them.`,
			names: namesOf(altered),
			offersOff: true,
		});
	}
	const idle = on.filter((one) => one.tool.stats.calls === 0 && !one.tool.locked);
	const called = on.some((one) => one.tool.stats.calls > 0);
	if (called && idle.length > 1 && now - since > day) {
		const saved = idle.reduce((total, one) => total + one.tool.tokens, 0);
		list.push({
			id: 'idle',
			text: `${idle.length} tools were never called ${ago(now - since)}; disabling them saves ~${tokens(saved)} tokens.`,
			names: namesOf(idle),
			offersOff: true,
		});
	}
	const same = twins(on);
	if (same.length > 0) {
		const first = enumerate(namesOf(same[0]![1]));
		list.push({
			id: `twins:${same.length}:${same[0]![0]}`,
			text:
				same.length === 1
					? `${first} differ only by their prefix; a model may take one for the other.`
					: `${same.length} names are there more than once and differ only by their prefix, such as ${first}.`,
			names: same.flatMap(([, tools]) => namesOf(tools)),
			offersOff: false,
		});
	}
	const silent = on.filter((one) => one.description.trim() === '');
	if (silent.length > 0) {
		list.push({
			id: 'silent',
			text:
				silent.length === 1
					? `${silent[0]!.tool.name} has no description; a model can only guess what it does.`
					: `${silent.length} tools have no description; a model can only guess what they do.`,
			names: namesOf(silent),
			offersOff: false,
		});
	}
	const long = on.filter((one) => one.tool.tokens > 2000);
	if (long.length > 0) {
		const sum = long.reduce((total, one) => total + one.tool.tokens, 0);
		list.push({
			id: 'long',
			text: `${long.length === 1 ? `${long[0]!.tool.name} alone costs` : `${long.length} tools cost`} ~${tokens(sum)} tokens.`,
			names: namesOf(long),
			offersOff: true,
		});
	}
	return list;
}

const day = 24 * 60 * 60 * 1000;

function ago(ms: number): string {
	const days = Math.floor(ms / day);
	return days < 2 ? 'in the last day' : `in ${days} days`;
}

const namesOf = (entries: Entry[]) => entries.map((one) => one.tool.name);

function enumerate(names: string[]): string {
	if (names.length > 3) return `${names.slice(0, 2).join(', ')} and ${names.length - 2} more`;
	return `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}

/** Tools of different backends that have the same real name. */
function twins(entries: Entry[]): [string, Entry[]][] {
	const by = new Map<string, Entry[]>();
	for (const one of entries) by.set(one.tool.originalName, [...(by.get(one.tool.originalName) ?? []), one]);
	return [...by].filter(([, same]) => new Set(same.map((one) => one.tool.backend)).size > 1);
}

/** A number of tokens, in three digits at most. */
export function tokens(count: number): string {
	if (count < 1000) return String(Math.round(count));
	if (count < 99_950) return `${(count / 1000).toFixed(1)}k`;
	return count < 999_500 ? `${Math.round(count / 1000)}k` : `${(count / 1_000_000).toFixed(1)}M`;
}

/** What a model is given of a tool, by the clients that load all of them. */
export function modelView(tool: Tool): { name: string; description?: string; input_schema: unknown } {
	const description = own(tool.tool, 'description');
	return {
		name: tool.name,
		...(typeof description === 'string' ? { description } : {}),
		input_schema: own(tool.tool, 'inputSchema') ?? {},
	};
}

/** What text costs, about: four bytes a token. */
export function estimate(text: string): number {
	return Math.ceil(new TextEncoder().encode(text).length / 4);
}
