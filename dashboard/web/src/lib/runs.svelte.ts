// The playground's runs, and its connections. They live as long as the page does.
import { SvelteMap } from 'svelte/reactivity';
import { hello } from './hello.svelte';
import { Client } from './mcp/client';
import type { Era, Outcome, Progress } from './mcp/types';
import { carry, maxRuns, type Run, type Turn } from './runs';
import type { Json } from './schema/json';
import { session } from './session.svelte';

let count = 0;

/** Watched by its members, not into them: an answer may be large. */
class LiveRun implements Run {
	readonly id = ++count;
	readonly started = Date.now();
	progress = $state.raw<Progress | null>(null);
	notes = $state.raw<string[]>([]);
	turns = $state.raw<Turn[]>([]);
	outcome = $state.raw<Outcome | null>(null);

	constructor(
		readonly tool: string,
		readonly args: Json,
		readonly era: Era,
	) {}
}

const runs = new SvelteMap<string, Run[]>();
const stops = new Map<number, AbortController>();
const clients = new Map<Era, Client>();

function client(era: Era): Client {
	let one = clients.get(era);
	if (!one) clients.set(era, (one = new Client({ era, version: hello.version || 'dev' })));
	return one;
}
const close = () => Promise.all([...clients.values()].map((one) => one.close()));
addEventListener('pagehide', () => void close());
session.onleave(() => {
	for (const stop of stops.values()) stop.abort();
	return close();
});

/** Arguments as they are edited. */
export interface Draft {
	mode: 'form' | 'json';
	/** What the form holds. */
	args: Json | undefined;
	/** The JSON as it is typed. */
	text: string;
}

/** What was edited last, by tool. */
export const drafts = new Map<string, Draft>();

/** The runs of a tool, newest first. */
export function runsOf(tool: string): Run[] {
	return runs.get(tool) ?? [];
}

export function start(tool: string, args: Json, era: Era, schema: unknown): Run {
	const run = new LiveRun(tool, args, era);
	runs.set(tool, [run, ...runsOf(tool)].slice(0, maxRuns));
	const stop = new AbortController();
	stops.set(run.id, stop);
	void carry(run, client(era), stop.signal, schema).finally(() => stops.delete(run.id));
	remember(tool);
	return run;
}

export function cancel(run: Run): void {
	stops.get(run.id)?.abort();
}

const lastKey = 'mcp-gw.playground.last';
const eraKey = 'mcp-gw.playground.era';
const trustKey = 'mcp-gw.playground.trusted';

function read(key: string): string[] {
	try {
		const value = JSON.parse(localStorage.getItem(key) ?? '[]') as unknown;
		return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [];
	} catch {
		return []; // storage is forbidden, or somebody else's
	}
}

function write(key: string, value: unknown): void {
	try {
		localStorage.setItem(key, JSON.stringify(value));
	} catch {
		// It holds for this visit, or not at all.
	}
}

function remember(tool: string): void {
	write(lastKey, [tool, ...read(lastKey).filter((one) => one !== tool)].slice(0, 12));
}

/** The tools that were run last, newest first. */
export const lastUsed = (): string[] => read(lastKey);

/** Tools that run without being asked about. */
export const trusts = (tool: string): boolean => read(trustKey).includes(tool);
export const trust = (tool: string): void =>
	write(trustKey, [...new Set([...read(trustKey), tool])].slice(-500));

export const savedEra = (): Era => (read(eraKey)[0] === 'legacy' ? 'legacy' : 'modern');
export const saveEra = (era: Era): void => write(eraKey, [era]);
