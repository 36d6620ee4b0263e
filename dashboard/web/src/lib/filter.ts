// The language in which calls are filtered:
//
//	words  "two words"  tool:search_*  -backend:github  >500ms  <10kb
//
// All terms must hold; of several with the same key one must, unless they are
// negated. What cannot be understood is reported with its place and left out,
// so that the rest keeps working while somebody types.
import { matches } from './glob';

/** What a filter looks at. */
export interface Subject {
	state: string;
	method: string;
	name?: string;
	original?: string;
	backend?: string;
	client?: { name?: string; version?: string };
	era?: string;
	at: string;
	durationMs?: number;
	requestBytes?: number;
	responseBytes?: number;
	errorKind?: string;
	error?: string;
}

export interface Problem {
	/** Where in the text it stands: from inclusive, to exclusive. */
	from: number;
	to: number;
	message: string;
}

export interface Term {
	from: number;
	to: number;
	negated: boolean;
	/** Undefined for free words and for comparisons. */
	key?: Key;
	value: string;
	/** What a comparison compares, and how. */
	measure?: 'ms' | 'bytes';
	than?: '<' | '>' | '<=' | '>=';
	limit?: number;
}

export interface Filter {
	text: string;
	terms: Term[];
	problems: Problem[];
	/** It compares durations, and a running call's grows. */
	timed: boolean;
	/** now is the time in ms since 1970; a running call has lasted until then. */
	test(call: Subject, now: number): boolean;
}

const values: Record<string, readonly string[]> = {
	status: ['ok', 'error', 'running'],
	kind: ['tool', 'jsonrpc', 'transport', 'timeout', 'cancelled', 'gateway'],
	era: ['session', 'stateless'],
};

/** The keys, with what each looks at, in the order of the help. */
export const keys = {
	tool: 'name of the tool, prompt or resource, as clients or as the backend calls it',
	backend: 'name of the backend',
	client: 'part of the client’s name and version',
	status: 'ok, error or running',
	method: 'MCP method, such as tools/call',
	kind: 'kind of the error: tool, jsonrpc, transport, timeout, cancelled or gateway',
	error: 'part of the error’s text',
	era: 'session or stateless',
} as const;

export type Key = keyof typeof keys;

const keyNames = Object.keys(keys) as Key[];

/** Longest text that is read; a filter also comes from links that others made. */
export const maxText = 1000;

interface Token {
	from: number;
	to: number;
	negated: boolean;
	/** Before the colon, if there is an unquoted one. */
	key?: string;
	value: string;
	quoted: boolean;
	open: boolean;
}

const space = /\s/;

function* tokens(text: string): Generator<Token> {
	let i = 0;
	for (;;) {
		while (i < text.length && space.test(text[i]!)) i++;
		if (i >= text.length) return;
		const token: Token = { from: i, to: i, negated: false, value: '', quoted: false, open: false };
		if (text[i] === '-' && i + 1 < text.length && !space.test(text[i + 1]!)) {
			token.negated = true;
			i++;
		}
		let inside = false;
		for (; i < text.length && (inside || !space.test(text[i]!)); i++) {
			const c = text[i]!;
			if (c === '"') {
				inside = !inside;
				token.quoted = true;
			} else if (inside && c === '\\' && i + 1 < text.length) {
				token.value += text[++i];
			} else if (c === ':' && !inside && !token.quoted && token.key === undefined) {
				token.key = token.value;
				token.value = '';
			} else {
				token.value += c;
			}
		}
		token.open = inside;
		token.to = i;
		yield token;
	}
}

const units: Record<string, { measure: 'ms' | 'bytes'; factor: number }> = {
	ms: { measure: 'ms', factor: 1 },
	s: { measure: 'ms', factor: 1000 },
	m: { measure: 'ms', factor: 60_000 },
	min: { measure: 'ms', factor: 60_000 },
	b: { measure: 'bytes', factor: 1 },
	kb: { measure: 'bytes', factor: 1000 },
	mb: { measure: 'bytes', factor: 1_000_000 },
};

type Read = { term: Omit<Term, 'from' | 'to' | 'negated'> } | { problem: string };

function comparison(value: string): Read {
	const found = /^([<>]=?)([^a-z]*)([a-z]*)$/i.exec(value);
	const number = Number(found?.[2]);
	if (!found || !found[2] || !Number.isFinite(number) || number < 0) {
		return { problem: `${value} is not a comparison. Write >500ms, >2s or <10kb.` };
	}
	const unit = units[found[3]!.toLowerCase()];
	if (!unit) {
		const bare = found[1]! + found[2]!;
		return found[3]
			? { problem: `${found[3]} is no unit. Known are ms, s, min, b, kb and mb: ${bare}ms or ${bare}kb.` }
			: { problem: `${value} of what? Write ${bare}ms for time or ${bare}kb for size.` };
	}
	return {
		term: { value, measure: unit.measure, than: found[1] as Term['than'], limit: number * unit.factor },
	};
}

function keyed(key: string, value: string): Read {
	const known = key.toLowerCase();
	if (!keyNames.includes(known as Key)) {
		const close = nearest(known, keyNames);
		const hint = close ? `Did you mean ${close}?` : `Known are ${list(keyNames)}.`;
		return {
			problem: `Nothing is called ${key || 'the empty key'}. ${hint} To search for the words, put them in quotes.`,
		};
	}
	if (value === '') return { problem: `${key}: needs a value: ${keys[known as Key]}.` };
	const allowed = values[known];
	let wanted = value.toLowerCase();
	if (known === 'era') wanted = { legacy: 'session', modern: 'stateless' }[wanted] ?? wanted;
	if (allowed && !allowed.some((v) => matches(wanted, v))) {
		const close = nearest(wanted, allowed);
		return {
			problem: `${known} is ${list(allowed, 'or')}, not ${value}.${close ? ` Did you mean ${close}?` : ''}`,
		};
	}
	return { term: { key: known as Key, value: wanted } };
}

/** Reads a filter. It never throws. */
export function parse(text: string): Filter {
	const terms: Term[] = [];
	const problems: Problem[] = [];
	if (text.length > maxText) {
		problems.push({
			from: maxText,
			to: text.length,
			message: `Only the first ${maxText} characters are read.`,
		});
		text = text.slice(0, maxText);
	}
	for (const t of tokens(text)) {
		const place = { from: t.from, to: t.to };
		if (t.open) {
			problems.push({ ...place, message: 'A quote is opened here and not closed.' });
			continue;
		}
		let read: Read;
		if (t.key !== undefined) read = keyed(t.key, t.value);
		else if (!t.quoted && /^[<>]/.test(t.value)) read = comparison(t.value);
		else if (t.value === '')
			continue; // two quotes with nothing between them
		else read = { term: { value: t.value.toLowerCase() } };
		if ('problem' in read) problems.push({ ...place, message: read.problem });
		else terms.push({ ...place, negated: t.negated, ...read.term });
	}
	return { text, terms, problems, timed: terms.some((t) => t.measure === 'ms'), test: compile(terms) };
}

type Test = (call: Subject, now: number) => boolean;

function compile(terms: Term[]): Test {
	const all: Test[] = [];
	const any = new Map<Key, Test[]>();
	for (const term of terms) {
		const test = one(term);
		if (term.negated) all.push((call, now) => !test(call, now));
		else if (term.key) any.set(term.key, [...(any.get(term.key) ?? []), test]);
		else all.push(test);
	}
	for (const tests of any.values()) {
		all.push(tests.length === 1 ? tests[0]! : (call, now) => tests.some((t) => t(call, now)));
	}
	if (all.length === 0) return () => true;
	return (call, now) => {
		for (const test of all) if (!test(call, now)) return false;
		return true;
	};
}

function one(term: Term): Test {
	const { value, key } = term;
	if (term.measure) {
		const { limit = 0, than } = term;
		const holds = (n: number | undefined): boolean => {
			if (n === undefined) return false;
			if (than === '<') return n < limit;
			if (than === '<=') return n <= limit;
			if (than === '>') return n > limit;
			return n >= limit;
		};
		return term.measure === 'ms'
			? (call, now) => holds(lasted(call, now))
			: (call) => holds(call.responseBytes);
	}
	const whole = value.includes('*')
		? (text: string) => matches(value, text)
		: (text: string) => text === value;
	const part = value.includes('*')
		? (text: string) => matches(`*${value}*`, text)
		: (text: string) => text.includes(value);
	const low = (text: string | undefined): string => (text ?? '').toLowerCase();
	switch (key) {
		case undefined:
			return (c) =>
				part(low(c.name)) ||
				part(low(c.original)) ||
				part(low(c.backend)) ||
				part(client(c)) ||
				part(low(c.error));
		case 'tool':
			return (c) => whole(low(c.name)) || whole(low(c.original));
		case 'backend':
			return (c) => whole(low(c.backend));
		case 'client':
			return (c) => part(client(c));
		case 'status':
			return (c) => whole(c.state);
		case 'method':
			return (c) => whole(low(c.method));
		case 'kind':
			return (c) => c.errorKind !== undefined && whole(c.errorKind);
		case 'error':
			return (c) => part(low(c.error));
		case 'era':
			return (c) => whole(c.era === 'legacy' ? 'session' : c.era === 'modern' ? 'stateless' : '');
	}
}

const client = (c: Subject): string => `${c.client?.name ?? ''} ${c.client?.version ?? ''}`.toLowerCase();

/** How long a call has taken, in ms; a running one until now. */
export function lasted(call: Subject, now: number): number | undefined {
	if (call.state === 'running') return Math.max(0, now - Date.parse(call.at));
	return call.durationMs;
}

/** A value as it must be typed. */
export function quote(value: string): string {
	return value === '' || /[\s":\\]/.test(value) || /^[-<>]/.test(value)
		? `"${value.replace(/[\\"]/g, '\\$&')}"`
		: value;
}

/** The value that a key has, if it has exactly one; '' otherwise. */
export function valueOf(filter: Filter, key: Key): string {
	const found = filter.terms.filter((t) => t.key === key && !t.negated);
	return found.length === 1 ? found[0]!.value : '';
}

/** The text with a key set to one value, or without it for ''. Negated terms stay. */
export function withValue(filter: Filter, key: Key, value: string): string {
	const term = value === '' ? '' : `${key}:${quote(value)}`;
	return replaced(filter, (t) => t.key === key && !t.negated, term);
}

/** Whether the text has this term, such as >1s. */
export function has(filter: Filter, term: string): boolean {
	return filter.terms.some((t) => filter.text.slice(t.from, t.to).toLowerCase() === term);
}

/** The text with this term added, or taken out. */
export function withTerm(filter: Filter, term: string, on: boolean): string {
	return replaced(filter, (t) => filter.text.slice(t.from, t.to).toLowerCase() === term, on ? term : '');
}

function replaced(filter: Filter, which: (term: Term) => boolean, by: string): string {
	let rest = '';
	let last = 0;
	for (const t of filter.terms.filter(which)) {
		rest += filter.text.slice(last, t.from);
		last = t.to;
	}
	rest = (rest + filter.text.slice(last)).replace(/\s+/g, ' ').trim();
	return [rest, by].filter(Boolean).join(' ');
}

const list = (words: readonly string[], last = 'and'): string =>
	`${words.slice(0, -1).join(', ')} ${last} ${words[words.length - 1]}`;

/** The one of words that is at most two edits away. */
function nearest(word: string, words: readonly string[]): string | undefined {
	let best: string | undefined;
	let least = 3;
	for (const candidate of words) {
		if (Math.abs(candidate.length - word.length) > 2) continue;
		const n = edits(word, candidate);
		if (n < least && n < candidate.length - 1) {
			best = candidate;
			least = n;
		}
	}
	return best;
}

function edits(a: string, b: string): number {
	let row = Array.from({ length: b.length + 1 }, (_, i) => i);
	for (let i = 1; i <= a.length; i++) {
		const next = [i];
		for (let j = 1; j <= b.length; j++) {
			next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)));
		}
		row = next;
	}
	return row[b.length]!;
}
