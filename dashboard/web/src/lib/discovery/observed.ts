// What the engine's containers are to the gateway, as a person looks at it: which of
// them have a problem, how far each came, and in which order they stand. Pure, and
// quick for hundreds of containers.
import type { components } from '../api.gen';
import { fold } from '../catalogue';

export type Observed = components['schemas']['Observed'];
export type Diagnostic = components['schemas']['Diagnostic'];
export type Setting = components['schemas']['Setting'];

/** How much a container needs somebody: nothing is to be done about one that is ignored. */
export type Severity = 'error' | 'warning' | 'ok' | 'ignored';

/** What the page calls a verdict, and how serious it is. */
const verdicts: Record<string, [Severity, string]> = {
	registered: ['ok', 'Registered'],
	registered_warn: ['warning', 'Registered, with a remark'],
	no_tools: ['warning', 'Offers nothing'],
	self: ['ignored', 'This gateway'],
	not_labelled: ['ignored', 'Not labelled'],
	disabled: ['ignored', 'Switched off'],
	one_off: ['ignored', 'One-off'],
	gone: ['ignored', 'Gone'],
	not_allowed: ['ignored', 'Not allowed'],
	not_enabled: ['ignored', 'Not enabled'],
	other_instance: ['ignored', 'Of another gateway'],
	not_running: ['warning', 'Not running'],
	near_miss_label: ['error', 'Label misspelt'],
	label_value: ['error', 'Label value'],
	no_port: ['error', 'No port'],
	port_ambiguous: ['error', 'Several ports'],
	restarting: ['error', 'Restarting'],
	unhealthy: ['error', 'Unhealthy'],
	flapping: ['error', 'Starts over and over'],
	no_shared_network: ['warning', 'Not on the network'],
	conflict: ['error', 'Name taken'],
	secret: ['error', 'Secret missing'],
	stdio: ['error', 'Input or terminal'],
	deploy_labels: ['error', 'Labels under deploy'],
	dns: ['error', 'Unknown host name'],
	refused: ['error', 'Connection refused'],
	timeout: ['error', 'No connection'],
	unreachable: ['error', 'Unreachable'],
	tls: ['error', 'TLS'],
	no_answer: ['error', 'No answer'],
	closed: ['error', 'Connection closed'],
	http_status: ['error', 'HTTP error'],
	auth_required: ['error', 'Needs credentials'],
	not_mcp: ['error', 'Not MCP'],
	protocol: ['error', 'Protocol'],
	list_failed: ['error', 'Tools not listed'],
};

/** A verdict of a later gateway is a problem until somebody knows better. */
export function severityOf(verdict: string): Severity {
	return verdicts[verdict]?.[0] ?? 'error';
}

export function wordOf(verdict: string): string {
	return verdicts[verdict]?.[1] ?? capital(verdict.replaceAll('_', ' '));
}

const registered = new Set(['registered', 'registered_warn', 'no_tools']);

export interface Step {
	/** From 1. */
	number: number;
	name: string;
	state: 'ok' | 'warn' | 'failed' | 'pending';
	detail: string;
	/** It comes after the one that failed, so nobody got there. */
	beyond: boolean;
}

export interface Row {
	/** Its name rather than its id: whoever mends a label makes the container anew. */
	key: string;
	container: Observed;
	severity: Severity;
	word: string;
	reason: string;
	ladder: Step[];
	/** The step to mend. */
	failed: Step | undefined;
	/** Since when it runs, else since when it is known; 0 when nobody tells. */
	since: number;
	/** Everything that is searched, folded. */
	text: string;
}

/** web-2 before web-10. */
const order = new Intl.Collator('en', { numeric: true });

const rank: Record<Severity, number> = { error: 0, warning: 1, ok: 2, ignored: 3 };

export function row(o: Observed): Row {
	const steps = ladder(o);
	const all = [severityOf(o.verdict), ...(o.others ?? []).map((other) => severityOf(other.verdict))];
	// The gateway itself has something to mend only when it says what.
	if (o.verdict === 'self' && o.fix) all[0] = 'error';
	const severity = all.reduce((worst, one) => (rank[one] < rank[worst] ? one : worst));
	const labels = Object.entries(o.labels ?? {}).map(([key, value]) => `${key}=${value}`);
	return {
		key: keyOf(o),
		container: o,
		severity,
		word: wordOf(o.verdict),
		reason: sentence(o.reason),
		ladder: steps,
		failed: steps.find((step) => step.state === 'failed') ?? steps.find((step) => step.state === 'warn'),
		since: moment(o.startedAt) || moment(o.seenAt),
		text: fold(
			[
				o.name,
				o.id,
				o.image,
				o.composeProject,
				o.composeService,
				o.backend,
				o.verdict,
				wordOf(o.verdict),
				o.reason,
				o.url,
				o.state,
				...labels,
			].join('\n'),
		),
	};
}

export function keyOf(o: Observed): string {
	return o.state === 'service' ? `service ${o.name}` : o.name;
}

function moment(at: string | undefined): number {
	return at ? Date.parse(at) || 0 : 0;
}

function ladder(o: Observed): Step[] {
	let beyond = false;
	return (o.ladder ?? []).map((step, i) => {
		const one = { number: i + 1, name: step.name, state: step.state, detail: step.detail ?? '', beyond };
		beyond ||= step.state === 'failed';
		return one;
	});
}

export const filters = ['problems', 'registered', 'ignored', 'all'] as const;
export type Filter = (typeof filters)[number];

const kept: Record<Filter, (row: Row) => boolean> = {
	problems: (r) => r.severity === 'error' || r.severity === 'warning',
	registered: (r) => registered.has(r.container.verdict),
	ignored: (r) => r.severity === 'ignored',
	all: () => true,
};

export type Counts = Record<Filter, number>;

export function counts(rows: Row[]): Counts {
	const out: Counts = { problems: 0, registered: 0, ignored: 0, all: rows.length };
	for (const r of rows)
		for (const f of ['problems', 'registered', 'ignored'] as const) if (kept[f](r)) out[f]++;
	return out;
}

/** The filter of somebody who has chosen none. */
export function usual(counts: Counts): Filter {
	return counts.problems > 0 ? 'problems' : 'all';
}

export function filterNamed(word: string | null): Filter | undefined {
	return filters.find((f) => f === word);
}

/** Those that pass a filter and have all the words, worst first. */
export function sift(rows: Row[], filter: Filter, query: string): Row[] {
	const words = fold(query).split(/\s+/).filter(Boolean);
	return rows
		.filter((r) => kept[filter](r) && words.every((word) => r.text.includes(word)))
		.sort((a, b) => rank[a.severity] - rank[b.severity] || order.compare(a.key, b.key));
}

/** Rows as they are to be shown. */
export interface Placed {
	rows: Row[];
	/** The order, with those that are not there just now: they may come back. */
	keys: string[];
	/** How many rows would not be here anew. */
	stale: number;
}

/**
 * Puts what passes now where somebody reads: what was shown stays in its place, also
 * once it passes no more, and one that is made anew has the place of the one before;
 * what is new stands where it belongs.
 */
export function inPlace(before: string[], rows: Row[], passing: Row[]): Placed {
	const now = new Map(rows.map((r) => [r.key, r]));
	const passes = new Set(passing.map((r) => r.key));
	const known = new Set(before);
	const fresh = new Map<string, string[]>();
	// Each new one goes behind the one that is before it in the order of those that pass.
	let behind = '';
	for (const { key } of passing) {
		if (known.has(key)) behind = key;
		else fresh.set(behind, [...(fresh.get(behind) ?? []), key]);
	}
	const keys = ['', ...before].flatMap((key) => [...(key ? [key] : []), ...(fresh.get(key) ?? [])]);
	const shown = keys.flatMap((key) => now.get(key) ?? []);
	return { rows: shown, keys, stale: shown.filter((r) => !passes.has(r.key)).length };
}

/** What is left to show of a container that somebody reads about, and that went. */
export function gone(r: Row): Row {
	const reason = 'The container is gone. One that is made anew under its name takes its place here.';
	return { ...r, severity: 'ignored', word: 'Gone', reason, ladder: [], failed: undefined };
}

/** Finds what a link is about: an id, the beginning of one, or a name. */
export function find(rows: Row[], item: string): Row | undefined {
	if (item === '') return undefined;
	return (
		rows.find((r) => r.key === item) ??
		rows.find((r) => r.container.name === item || r.container.id === item) ??
		(item.length >= 4 ? rows.find((r) => r.container.id.startsWith(item)) : undefined)
	);
}

/** A reason of the API as a sentence: with a capital where it begins with a word, and a full stop. */
export function sentence(text: string): string {
	const t = text.trim();
	if (t === '') return '';
	return /[.!?…]$/.test(t) ? capital(t) : `${capital(t)}.`;
}

function capital(text: string): string {
	return /^[a-z]+([\s,;]|:(?!\/))/.test(text) || /^[a-z]+$/.test(text)
		? text.charAt(0).toUpperCase() + text.slice(1)
		: text;
}

/** Whether it printed something before it stopped that may say why. */
export function ended(o: Observed): boolean {
	return ['not_running', 'restarting', 'flapping'].includes(o.verdict);
}

/** Whether a container that is ignored looks as if it was meant to be found. */
export function looksLikeMCP(o: Observed): boolean {
	const name = (o.image.split('@')[0] ?? '').toLowerCase();
	const says = /(^|[-_/.])mcp([-_/.:]|$)/.test(name) || / is the MCP server "/.test(o.reason);
	return o.verdict === 'not_labelled' && says;
}
