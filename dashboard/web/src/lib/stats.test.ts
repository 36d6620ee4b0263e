import { describe, expect, it } from 'vitest';
import { brushed, charts, ordered, wordsOf, type Stats, type ToolNumbers } from './stats';

const zero = [0, 0, 0, 0];
const begin = Date.parse('2026-11-27T12:00:00Z') / 1000;
const stats = (more: Partial<Stats['series']> = {}, rest: Partial<Stats> = {}): Stats => ({
	from: '2026-11-27T12:00:00Z',
	to: '2026-11-27T12:00:35Z',
	since: '2026-11-27T11:00:00Z',
	stepSeconds: 10,
	series: {
		t: [begin, begin + 10, begin + 20, begin + 30],
		ok: zero,
		errors: zero,
		p50Ms: [null, null, null, null],
		p95Ms: [null, null, null, null],
		p99Ms: [null, null, null, null],
		running: zero,
		streams: zero,
		byKind: { tool: zero, jsonrpc: zero, transport: zero, timeout: zero, cancelled: zero, gateway: zero },
		...more,
	},
	total: { calls: 0, errors: 0, p50Ms: null, p95Ms: null, p99Ms: null },
	tools: [],
	backends: [],
	self: { version: '1', uptimeMs: 1, memoryBytes: 1, goroutines: 1 },
	...rest,
});
const chart = (s: Stats, id: string) => charts(s).find((c) => c.id === id)!;
const total = (calls: number, errors: number, p95Ms: number | null = null) => ({
	total: { calls, errors, p50Ms: p95Ms, p95Ms, p99Ms: p95Ms },
});

describe('rates', () => {
	it('divide by how long a step has lasted, the one under way included', () => {
		const s = stats({ ok: [10, 20, 0, 10], errors: [0, 10, 0, 0] }, total(50, 10));
		expect(chart(s, 'calls').lines.map((l) => l.values)).toEqual([
			[1, 2, 0, 2],
			[0, 1, 0, 0],
		]);
		expect(chart(s, 'calls').summary).toMatch(
			/^50 calls in the last 15 minutes, 20 % of them failed. Busiest at ..:..:10 with 3 calls\/s.$/,
		);
	});
	it('are nothing, not zero, before the data begin', () => {
		const s = stats({ ok: [0, 5, 0, 0] }, { ...total(5, 0), since: '2026-11-27T12:00:15Z' });
		expect(chart(s, 'calls').lines[0]!.values).toEqual([null, 1, 0, 0]);
	});
	it('tell errors by kind, and what there were most of', () => {
		const byKind = {
			tool: [1, 0, 0, 0],
			jsonrpc: zero,
			transport: zero,
			timeout: [0, 2, 1, 0],
			cancelled: zero,
			gateway: zero,
		};
		const s = stats({ byKind }, total(10, 4));
		expect(chart(s, 'errors').summary).toBe('4 errors in the last 15 minutes: 3 timeout, 1 tool.');
		expect(chart(s, 'errors').lines.map((l) => [l.label, l.values])).toEqual([
			['timeout', [0, 12, 6, 0]],
			['tool', [6, 0, 0, 0]],
		]);
		expect(chart(stats({}, total(10, 0)), 'errors').empty).toBe('No errors in the last 15 minutes.');
	});
});

describe('percentiles', () => {
	it('are not shown from a few calls', () => {
		expect(chart(stats({}, total(3, 0)), 'latency').empty).toBe(
			'Percentiles appear after 20 calls; there were 3.',
		);
		expect(chart(stats(), 'latency').empty).toBe('No calls in the last 15 minutes.');
		expect(chart(stats({}, total(3, 0)), 'latency').summary).toBe('No percentiles from 3 calls.');
	});
	it('are told of all calls when no step had enough', () => {
		const c = chart(stats({}, total(40, 0, 120)), 'latency');
		expect(c.empty).toContain('In no step of 10 s there were 20 calls');
		expect(c.empty).toContain('p95 120 ms');
		expect(c.summary).toContain('95 % at most 120 ms');
	});
	it('say when they were worst', () => {
		const c = chart(stats({ p95Ms: [null, 50, 230, null] }, total(100, 0, 120)), 'latency');
		expect(c.empty).toBeUndefined();
		expect(c.summary).toMatch(/highest at ..:..:20 with 230 ms\.$/);
	});
	it('have each its PromQL', () => {
		const { lines, promql } = chart(stats(), 'latency');
		expect(promql.map((query) => query.line)).toEqual(lines.map((line) => line.label));
		expect(promql.map((query) => /quantile\(([\d.]+),/.exec(query.text)?.[1])).toEqual([
			'0.5',
			'0.95',
			'0.99',
		]);
	});
});

it('say of what range they are', () => {
	const of = (to: string) => wordsOf({ from: '2026-11-27T12:00:10Z', to });
	expect(of('2026-11-27T12:15:09Z')).toBe('the last 15 minutes');
	expect(of('2026-11-27T12:15:19Z')).toBe('the last 15 minutes');
	expect(of('2026-11-27T12:59:59Z')).toBe('the last hour');
	expect(of('2026-11-28T12:00:00Z')).toBe('the last 24 hours');
	expect(of('2026-11-29T12:00:00Z')).toBe('the last 24 hours');
});

it('order tools, those without a number last', () => {
	const tool = (name: string, more: Partial<ToolNumbers>): ToolNumbers => ({
		name,
		backend: 'b',
		calls: 1,
		errors: 0,
		p50Ms: null,
		p95Ms: null,
		totalMs: 0,
		...more,
	});
	const tools = [tool('b', { p95Ms: 5 }), tool('a', {}), tool('c', { p95Ms: 9, lastAt: '2026-01-01' })];
	const names = (...args: Parameters<typeof ordered> extends [unknown, ...infer R] ? R : never) =>
		ordered(tools, ...args)
			.map((t) => t.name)
			.join('');
	expect(names('p95Ms', false)).toBe('cba');
	expect(names('p95Ms', true)).toBe('bca');
	expect(names('calls', false)).toBe('abc');
	expect(names('name', true)).toBe('abc');
	expect(names('lastAt', false)).toBe('cab');
});

it('make a stretch of time of two places on the strip', () => {
	const t = [100, 110, 120, 130];
	expect(brushed(t, 10, 0.3, 0.6)).toEqual({ from: 110, to: 130 });
	expect(brushed(t, 10, 0.6, 0.3)).toEqual({ from: 110, to: 130 });
	expect(brushed(t, 10, -1, 2)).toEqual({ from: 100, to: 140 });
});
