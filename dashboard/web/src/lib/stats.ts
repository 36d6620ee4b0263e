// Numbers over time as charts, tables and sentences have them. Pure.
import type { components } from './api.gen';
import type { ErrorKind } from './calls';
import { count, duration, percent, plural, round, time } from './format';

export type Range = '15m' | '1h' | '6h' | '24h';

export const ranges: { id: Range; label: string; words: string; minutes: number }[] = [
	{ id: '15m', label: '15 min', words: 'the last 15 minutes', minutes: 15 },
	{ id: '1h', label: '1 h', words: 'the last hour', minutes: 60 },
	{ id: '6h', label: '6 h', words: 'the last 6 hours', minutes: 360 },
	{ id: '24h', label: '24 h', words: 'the last 24 hours', minutes: 1440 },
];

/** The range that an answer is of, in words: it may be that of an earlier question. */
export function wordsOf(s: Pick<Stats, 'from' | 'to'>): string {
	const minutes = (Date.parse(s.to) - Date.parse(s.from)) / 60_000;
	// An answer begins with a whole step, and reaches a little further back.
	return (ranges.find((r) => r.minutes * 1.1 >= minutes) ?? ranges.at(-1)!).words;
}

export const kinds: readonly ErrorKind[] = [
	'tool',
	'jsonrpc',
	'transport',
	'timeout',
	'cancelled',
	'gateway',
];

type Maybe = number | null;

/** What GET api/stats answers. Times of a series are unix seconds. */
export type Stats = components['schemas']['StatsRange'];
export type ToolNumbers = components['schemas']['StatsTool'];
export type BackendNumbers = components['schemas']['StatsBackend'];

/** How many calls a percentile needs to mean anything. */
export const enough = 20;

export interface Line {
	label: string;
	/** A colour of app.css, without its dashes. */
	colour: string;
	dashed?: boolean;
	/** One for each time; null where there is nothing. */
	values: Maybe[];
}

export interface Chart {
	id: string;
	title: string;
	/** What one value is, as it is written behind it. */
	unit: 'calls/s' | 'ms' | 'errors/min' | 'calls' | 'streams';
	/** Values add up, the first at the bottom. */
	stacked: boolean;
	/** Unix seconds. */
	t: number[];
	lines: Line[];
	/** What the chart shows, in words. */
	summary: string;
	/** Why there is nothing to draw; undefined when there is. */
	empty?: string;
	/** What draws it from /metrics, for all of its lines or for each. */
	promql: Query[];
}

export interface Query {
	/** The label of the line that it draws; '' when it draws all. */
	line: string;
	text: string;
}

const quantiles = { p50: 0.5, p95: 0.95, p99: 0.99 };
const whole = (text: string): Query[] => [{ line: '', text }];

/** A value with its unit. */
export function show(value: Maybe | undefined, unit: Chart['unit']): string {
	if (value === null || value === undefined) return '–';
	if (unit === 'ms') return duration(value);
	return unit === 'calls' || unit === 'streams' ? count(value) : `${round(value)}`;
}

/** How long each step has lasted, in seconds; null for those before the data begin. */
function spans(s: Stats): Maybe[] {
	const since = Date.parse(s.since) / 1000;
	const to = Date.parse(s.to) / 1000;
	return s.series.t.map((t) => {
		const begin = Math.max(t, since);
		const end = Math.min(t + s.stepSeconds, to);
		return end <= begin ? null : Math.max(1, end - begin);
	});
}

/** The charts of the page, in their order. */
export function charts(s: Stats): Chart[] {
	const words = wordsOf(s);
	const { t } = s.series;
	const span = spans(s);
	const per = (values: number[], seconds: number): Maybe[] =>
		values.map((n, i) => (span[i] == null ? null : (n / span[i]!) * seconds));
	const known = (values: Maybe[]): Maybe[] => values.map((n, i) => (span[i] == null ? null : n));
	const { calls, errors, p50Ms, p95Ms, p99Ms } = s.total;
	const none = calls === 0 ? `No calls in ${words}.` : undefined;

	const rate = { ok: per(s.series.ok, 1), errors: per(s.series.errors, 1) };
	const both = rate.ok.map((n, i) => (n === null ? null : n + rate.errors[i]!));
	const busiest = peak(both);
	const worst = peak(known(s.series.p95Ms));
	const steps = s.series.p95Ms.some((v) => v !== null);
	const most = kinds
		.map((kind) => ({ kind, n: sum(s.series.byKind[kind]) }))
		.filter((k) => k.n > 0)
		.sort((a, b) => b.n - a.n);
	const running = peak(known(s.series.running));
	const streams = peak(known(s.series.streams));
	const latest = known(s.series.streams).findLast((v) => v !== null) ?? 0;

	return [
		{
			id: 'calls',
			title: 'Calls per second',
			unit: 'calls/s',
			stacked: true,
			t,
			lines: [
				{ label: 'ok', colour: 'accent', values: rate.ok },
				{ label: 'error', colour: 'down', values: rate.errors },
			],
			empty: none,
			summary:
				none ??
				`${plural(calls, 'call')} in ${words}, ${share(errors, calls)}. ` +
					`Busiest at ${at(t, busiest)} with ${round(busiest.value)} calls/s.`,
			promql: whole('sum by (status) (rate(mcp_gw_calls_total[5m]))'),
		},
		{
			id: 'latency',
			title: 'Latency',
			unit: 'ms',
			stacked: false,
			t,
			lines: [
				{ label: 'p50', colour: 'accent', values: known(s.series.p50Ms) },
				{ label: 'p95', colour: 'violet', values: known(s.series.p95Ms) },
				{ label: 'p99', colour: 'faint', dashed: true, values: known(s.series.p99Ms) },
			],
			empty:
				none ??
				(calls < enough
					? `Percentiles appear after ${enough} calls; ${calls === 1 ? 'there was one' : `there were ${calls}`}.`
					: steps
						? undefined
						: `In no ${stepWords(s.stepSeconds)} there were ${enough} calls, which a point of this chart needs. All calls together: p50 ${duration(p50Ms)}, p95 ${duration(p95Ms)}, p99 ${duration(p99Ms)}.`),
			summary:
				p95Ms === null
					? `No percentiles from ${plural(calls, 'call')}.`
					: `Half of all calls took at most ${duration(p50Ms)}, 95 % at most ${duration(p95Ms)}, 99 % at most ${duration(p99Ms)}.` +
						(steps ? ` p95 was highest at ${at(t, worst)} with ${duration(worst.value)}.` : ''),
			promql: Object.entries(quantiles).map(([line, q]) => ({
				line,
				text: `histogram_quantile(${q}, sum by (le) (rate(mcp_gw_call_duration_seconds_bucket[5m])))`,
			})),
		},
		{
			id: 'errors',
			title: 'Errors per minute, by kind',
			unit: 'errors/min',
			stacked: true,
			t,
			lines: most.map(({ kind }) => ({
				label: kind,
				...look[kind],
				values: per(s.series.byKind[kind], 60),
			})),
			empty: none ?? (errors === 0 ? `No errors in ${words}.` : undefined),
			summary:
				errors === 0
					? `No errors in ${words}.`
					: `${plural(errors, 'error')} in ${words}: ${most.map((k) => `${count(k.n)} ${k.kind}`).join(', ')}.`,
			promql: whole('sum by (status) (rate(mcp_gw_calls_total{status!="ok"}[5m])) * 60'),
		},
		{
			id: 'running',
			title: 'Calls in flight',
			unit: 'calls',
			stacked: false,
			t,
			lines: [{ label: 'at once', colour: 'accent', values: known(s.series.running) }],
			empty: running.value > 0 ? undefined : `No calls in flight in ${words}.`,
			summary:
				running.value > 0
					? `At most ${plural(running.value, 'call')} at once, at ${at(t, running)}.`
					: `No calls in flight in ${words}.`,
			promql: whole('mcp_gw_calls_in_flight'),
		},
		{
			id: 'streams',
			title: 'Open event streams',
			unit: 'streams',
			stacked: false,
			t,
			lines: [{ label: 'open', colour: 'accent', values: known(s.series.streams) }],
			empty: streams.value > 0 ? undefined : `No client held a stream open in ${words}.`,
			summary:
				streams.value > 0
					? `${plural(latest, 'stream')} open now, at most ${count(streams.value)}, at ${at(t, streams)}.`
					: `No client held a stream open in ${words}.`,
			promql: whole('mcp_gw_client_streams'),
		},
	];
}

/** Kinds are told apart by lightness and dashes, never by red and green. */
const look: Record<ErrorKind, { colour: string; dashed?: boolean }> = {
	tool: { colour: 'violet' },
	jsonrpc: { colour: 'accent' },
	transport: { colour: 'down' },
	timeout: { colour: 'degraded' },
	cancelled: { colour: 'off', dashed: true },
	gateway: { colour: 'text', dashed: true },
};

/** 1.6 % of them failed. */
const share = (errors: number, calls: number): string =>
	errors === 0 ? 'none failed' : `${percent(errors / calls)} of them failed`;

export const stepWords = (seconds: number): string =>
	seconds < 60
		? `step of ${seconds} s`
		: seconds < 3600
			? `step of ${round(seconds / 60)} min`
			: `step of ${round(seconds / 3600)} h`;

const sum = (values: number[]): number => values.reduce((all, n) => all + n, 0);

function peak(values: Maybe[]): { value: number; index: number } {
	let index = -1;
	let value = 0;
	values.forEach((v, i) => {
		if (v !== null && v > value) [value, index] = [v, i];
	});
	return { value, index };
}

const at = (t: number[], p: { index: number }): string => time((t[p.index] ?? 0) * 1000);

export type ToolOrder = 'name' | 'calls' | 'errors' | 'p50Ms' | 'p95Ms' | 'totalMs' | 'lastAt';

/** Tools in an order, the largest first, names from a to z; those without a number last. */
export function ordered(tools: readonly ToolNumbers[], by: ToolOrder, ascending: boolean): ToolNumbers[] {
	const value = (t: ToolNumbers): number | string | null => t[by] ?? null;
	return [...tools].sort((a, b) => {
		const [x, y] = [value(a), value(b)];
		if (x === null || y === null) return x === y ? a.name.localeCompare(b.name) : x === null ? 1 : -1;
		const order = typeof x === 'string' ? x.localeCompare(String(y)) : x - Number(y);
		return (ascending ? order : -order) || a.name.localeCompare(b.name);
	});
}

/** The slice of a strip of bars that two places on it, from 0 to 1, mark: unix seconds. */
export function brushed(t: number[], step: number, a: number, b: number): { from: number; to: number } {
	const n = t.length;
	const [low, high] = [Math.min(a, b), Math.max(a, b)].map((x) =>
		Math.min(n - 1, Math.max(0, Math.floor(x * n))),
	);
	return { from: t[low!]!, to: t[high!]! + step };
}
