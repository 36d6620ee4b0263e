import { beforeEach, expect, it, vi } from 'vitest';
import type { Call } from '../../lib/calls';

const hear = new Map<string, (data: unknown) => void>();
let said: { boot: string } | undefined;
let kept: Call[] = [];
vi.mock('../../lib/events.svelte', () => ({
	on: (name: string, listener: (data: unknown) => void) => hear.set(name, listener),
}));
vi.mock('../../lib/hello.svelte', () => ({
	hello: {
		get boot() {
			return said?.boot ?? '';
		},
	},
}));
vi.mock('../../lib/api', () => ({
	ApiError: class extends Error {},
	api: async (path: string) => {
		const before = Number(/before=(\d+)/.exec(path)?.[1] ?? Infinity);
		const calls = kept.filter((c) => c.id < before).slice(-3);
		return { calls: calls.reverse(), oldest: kept[0]?.id ?? 0, kept: kept.length, redaction: 'redacted' };
	},
}));

const call = (id: number): Call => ({
	id,
	at: '2026-11-27T12:00:00.000Z',
	state: 'ok',
	method: 'tools/call',
	client: { id: 'c', name: 'Claude Code' },
	era: 'modern',
	requestBytes: 1,
});
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => call(from + i));
const happens = async (name: string, data: unknown) => {
	hear.get(name)?.(data);
	await vi.advanceTimersByTimeAsync(1000);
};
async function opened() {
	const { traffic } = await import('./traffic.svelte');
	traffic.start();
	await vi.advanceTimersByTimeAsync(1000);
	const rows = () =>
		traffic.log.rows
			.map((r) => (r.kind === 'call' ? r.call.id : `${r.why} ${r.count ?? ''}`.trim()))
			.join(' ');
	return { traffic, rows };
}

beforeEach(() => {
	vi.resetModules();
	vi.useFakeTimers();
	hear.clear();
	said = { boot: 'a' };
	kept = [];
});

it('has what was kept, and then what happens', async () => {
	kept = range(1, 5);
	const { traffic, rows } = await opened();
	expect(rows()).toBe('3 4 5');
	expect(traffic.redaction).toBe('redacted');
	expect(traffic.more).toBe(true);
	await happens('call_started', { ...call(6), state: 'running' });
	await happens('calls', { calls: [call(6), call(7)] });
	expect(rows()).toBe('3 4 5 6 7');
	await traffic.older();
	expect(rows()).toBe('1 2 3 4 5 6 7');
	expect(traffic.more).toBe(false);
});

it('says what is missing after a break, and gets it when it is asked to', async () => {
	kept = range(1, 2);
	const { traffic, rows } = await opened();
	kept = range(1, 9);
	await happens('hello', { boot: 'a', redaction: 'redacted' });
	expect(rows()).toBe('1 2 disconnected 4 7 8 9');
	await traffic.fill(traffic.log.rows[2] as never);
	expect(rows()).toBe('1 2 disconnected 1 4 5 6 7 8 9');
	await traffic.fill(traffic.log.rows[2] as never);
	expect(rows()).toBe('1 2 3 4 5 6 7 8 9');
});

it('takes a reset by the same gateway for a break', async () => {
	kept = range(1, 2);
	const { traffic, rows } = await opened();
	kept = range(1, 3);
	await happens('hello', { boot: 'a', redaction: 'redacted' });
	await happens('reset', {});
	expect(rows()).toBe('1 2 3');
	expect(traffic.epoch).toBe(0);
});

it('knows another gateway, also when the page was opened later than the stream', async () => {
	kept = range(1, 2);
	const { traffic, rows } = await opened();
	kept = range(1, 1);
	await happens('hello', { boot: 'b', redaction: 'full' });
	await happens('reset', {});
	expect(rows()).toBe('1 2 restarted 1');
	expect(traffic.epoch).toBe(1);
	expect(traffic.redaction).toBe('redacted'); // as the answer to the latest question says
	await happens('call_finished', call(2));
	expect(rows()).toBe('1 2 restarted 1 2');
});
