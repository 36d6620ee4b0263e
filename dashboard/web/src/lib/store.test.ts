import { beforeEach, expect, it, vi } from 'vitest';
import type { Backend, Health } from './backends';

const listeners = new Map<string, (data: never) => void>();
let reset = () => {};
vi.mock('./events.svelte', () => ({
	on: (name: string, listener: (data: never) => void) => listeners.set(name, listener),
	onReset: (listener: () => void) => (reset = listener),
}));
const answers = new Map<string, () => unknown>();
const asked: string[] = [];
vi.mock('./api', () => ({
	ApiError: class extends Error {},
	api: async (path: string) => {
		asked.push(path);
		const answer = answers.get(path);
		if (!answer) throw new Error(`nobody answers ${path}`);
		return answer();
	},
}));

const backend = (name: string, health: Health = 'healthy', more: Partial<Backend> = {}) =>
	({ name, health, tools: [{}], beats: [], ...more }) as unknown as Backend;
const tell = (name: string, data: unknown) => listeners.get(name)?.(data as never);
/** Lets what was asked for be answered, and what was answered be shown. */
const settle = () => vi.advanceTimersByTimeAsync(2000);

let store: (typeof import('./store.svelte'))['store'];
beforeEach(async () => {
	vi.resetModules();
	vi.useFakeTimers();
	listeners.clear();
	asked.length = 0;
	answers.clear();
	answers.set('backends?tools=false', () => [backend('a'), backend('b', 'down')]);
	answers.set('overview', () => ({ tools: { exposed: 3, total: 4 } }));
	answers.set('stats?range=15m', () => ({ series: { t: [10, 20, 30], errors: [0, 2, 0] } }));
	const module = await import('./store.svelte');
	store = module.store;
	module.follow();
	await settle();
	return () => void vi.useRealTimers();
});
const names = () => store.backends.map((b) => `${b.name} ${b.health}`);

it('has what was fetched, without the lists of tools', () => {
	expect(store.loaded).toBe(true);
	expect(names()).toEqual(['a healthy', 'b down']);
	expect(store.backend('a')?.tools).toEqual([]);
	expect(store.tools).toEqual({ exposed: 3, total: 4 });
	expect(store.failedLately(20_000 + 4 * 60_000)).toBe(true); // the last step with an error
	expect(store.failedLately(20_000 + 6 * 60_000)).toBe(false);
});

it('follows what is told', async () => {
	tell('backend', backend('c', 'connecting'));
	tell('backend_removed', { name: 'b' });
	tell('tools_changed', { exposed: 9, tools: 10 });
	tell('discovery', { problems: 2 });
	await settle();
	expect(names()).toEqual(['a healthy', 'c connecting']);
	expect(store.tools).toEqual({ exposed: 9, total: 10 });
	expect(store.problems).toBe(2);
});

it('keeps the checks of one that is told of without them', async () => {
	const beats = [{ t: 1, ms: 2 }];
	tell('backend', backend('a', 'healthy', { beats }));
	tell('backend', { ...backend('a', 'down'), beats: undefined });
	await settle();
	expect(store.backend('a')?.health).toBe('down');
	expect(store.backend('a')?.beats).toEqual(beats);
});

it('knows how one was before it is connected anew', async () => {
	const b = store.backend('b')!;
	store.put({ ...b, health: 'connecting' });
	await settle();
	expect(names()).toContain('b connecting');
	expect(store.settled(store.backend('b')!)).toBe('down');
	expect(store.settled(backend('never seen', 'connecting'))).toBe('connecting');
});

it('takes back what was expected, unless more was told since, and asks', async () => {
	const expected = () => store.expect({ ...store.backend('b')!, health: 'connecting' });
	let takeBack = expected();
	await settle();
	expect(names()).toContain('b connecting');
	answers.set('backends?tools=false', () => new Promise(() => {})); // asked, and not answered
	asked.length = 0;
	takeBack();
	await settle();
	expect(names()).toEqual(['a healthy', 'b down']);
	expect(asked).toEqual(['backends?tools=false']);

	takeBack = expected();
	tell('backend', backend('b', 'degraded'));
	takeBack();
	await settle();
	expect(names()).toEqual(['a healthy', 'b degraded']);

	takeBack = expected();
	tell('backend_removed', { name: 'b' });
	takeBack();
	await settle();
	expect(names()).toEqual(['a healthy']);
});

it('asks again after a gap and a reset, and not twice for two', async () => {
	asked.length = 0;
	tell('gap', {});
	tell('hello', {});
	await settle();
	expect(asked).toEqual(['backends?tools=false']);
	reset();
	await settle();
	expect(asked.slice(1).sort()).toEqual(['backends?tools=false', 'overview', 'stats?range=15m']);
});

it('keeps what it has when the gateway is away, and says why', async () => {
	answers.set('backends?tools=false', () => {
		throw new Error('It does not answer.');
	});
	store.refresh();
	await settle();
	expect(names()).toEqual(['a healthy', 'b down']);
	expect(store.error?.message).toContain('It does not answer.');
	answers.set('backends?tools=false', () => [backend('a')]);
	store.refresh();
	await settle();
	expect(store.error).toBeUndefined();
	expect(names()).toEqual(['a healthy']);
});

it('marks a call that failed, and no list that did', () => {
	const at = new Date(1e12).toISOString();
	tell('call_finished', { state: 'error', protocol: true, at });
	tell('call_finished', { state: 'ok', at });
	expect(store.failedLately(1e12)).toBe(false);
	tell('calls', {
		calls: [
			{ state: 'ok', at },
			{ state: 'error', at },
		],
	});
	expect(store.failedLately(1e12)).toBe(true);
});
