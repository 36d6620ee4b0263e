import { flushSync } from 'svelte';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { resource } from './resource.svelte';

/** The questions, in their order, each answered when the test says so. */
let asked: {
	path: string;
	signal: AbortSignal;
	answer: (value: unknown) => void;
	fail: (why: Error) => void;
}[];
const listeners = new Set<() => void>();
vi.mock('./events.svelte', () => ({
	on: (_name: string, listener: () => void) => {
		listeners.add(listener);
		return () => listeners.delete(listener);
	},
	onReset: () => () => {},
}));
vi.mock('./api', () => ({
	ApiError: class extends Error {},
	api: (path: string, { signal }: { signal: AbortSignal }) =>
		new Promise((answer, fail) => asked.push({ path, signal, answer, fail })),
}));

const route = $state({ item: 'a' });
let made: ReturnType<typeof resource<string>>;
let end: () => void;
/** An event each 300 ms, for so long. */
async function events(ms: number) {
	for (let i = 0; i < ms; i += 300) {
		listeners.forEach((listener) => listener());
		await vi.advanceTimersByTimeAsync(300);
		flushSync();
	}
}
const settle = async () => {
	await vi.advanceTimersByTimeAsync(0);
	flushSync();
};

beforeEach(() => {
	vi.useFakeTimers();
	asked = [];
	route.item = 'a';
	end = $effect.root(() => {
		made = resource<string>(() => `backends/${route.item}`, { events: ['backend'] });
	});
	flushSync();
});
afterEach(() => {
	end();
	vi.useRealTimers();
});

it('waits for an answer that takes long, however much is told meanwhile', async () => {
	await events(6000);
	expect(asked).toHaveLength(1);
	expect(asked[0]?.signal.aborted).toBe(false);
	asked[0]?.answer('first');
	await settle();
	expect(made.value).toBe('first');
	await settle();
	expect(asked).toHaveLength(2); // for what was told since the question
	asked[1]?.answer('second');
	await settle();
	await vi.advanceTimersByTimeAsync(5000);
	expect(made.value).toBe('second');
	expect(made.loading).toBe(false);
	expect(asked).toHaveLength(2);
});

it('asks at most once a second', async () => {
	asked[0]?.answer('first');
	await settle();
	for (let i = 0; i < 10; i++) {
		await events(300);
		asked.at(-1)?.answer('more');
		await settle();
	}
	expect(asked.length).toBeGreaterThan(2);
	expect(asked.length).toBeLessThan(6);
});

it('asks again after an answer that failed', async () => {
	await events(1200);
	asked[0]?.fail(new Error('late'));
	await settle();
	expect(made.error?.message).toContain('late');
	await settle();
	expect(asked).toHaveLength(2);
	asked[1]?.answer('there');
	await settle();
	expect(made).toMatchObject({ value: 'there', error: undefined, loading: false });
});

it('gives up a question only for another path, or when nobody asks any more', async () => {
	route.item = 'b';
	flushSync();
	expect(asked.map((ask) => [ask.path, ask.signal.aborted])).toEqual([
		['backends/a', true],
		['backends/b', false],
	]);
	asked[0]?.answer('of a');
	await settle();
	expect(made.value).toBeUndefined();
	expect(made.loading).toBe(true);
	end();
	expect(asked[1]?.signal.aborted).toBe(true);
});
