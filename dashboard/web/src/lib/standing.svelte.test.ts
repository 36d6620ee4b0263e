import { flushSync } from 'svelte';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { badges } from './badges.svelte';
import type { Backend } from './backends';
import { frame } from './frame.svelte';
import { stand } from './standing.svelte';

// What the frame is told of, as the store and the stream have it.
const facts = $state({
	backends: [] as Backend[],
	problems: undefined as number | undefined,
	tools: undefined as { exposed: number; total: number } | undefined,
	failed: false,
	link: 'live',
});
vi.mock('./store.svelte', () => ({
	store: {
		get backends() {
			return facts.backends;
		},
		get problems() {
			return facts.problems;
		},
		get tools() {
			return facts.tools;
		},
		failedLately: () => facts.failed,
	},
}));
vi.mock('./events.svelte', () => ({
	connection: {
		get link() {
			return facts.link;
		},
	},
	on: () => () => {},
}));

let end: () => void;
beforeEach(() => {
	document.head.innerHTML = '<link id="icon" rel="icon" href="./favicon.svg">';
	Object.assign(facts, { backends: [], problems: undefined, tools: undefined, failed: false, link: 'live' });
	frame.title = 'Traffic';
	end = $effect.root(stand);
	flushSync();
});
afterEach(() => end());

const icon = () => document.getElementById('icon')?.getAttribute('href');
function are(...health: Backend['health'][]) {
	facts.backends = health.map((one) => ({ name: one, health: one }) as Backend);
}

it('has nothing to say when all is well', () => {
	are('healthy', 'degraded', 'disabled');
	flushSync();
	expect(document.title).toBe('Traffic · mcp-gw');
	expect(icon()).toBe('./favicon.svg');
	for (const page of ['discovery', 'tools', 'traffic']) expect(badges.of(page)).toBeUndefined();
});

it('says in the title and the icon how many are down', () => {
	are('down', 'auth_required', 'healthy');
	flushSync();
	expect(document.title).toBe('(2 down) Traffic · mcp-gw');
	expect(icon()).toBe('./favicon-trouble.svg');
	are('healthy');
	flushSync();
	expect(document.title).toBe('Traffic · mcp-gw');
	expect(icon()).toBe('./favicon.svg');
});

it('has another icon while the gateway is away', () => {
	facts.link = 'reconnecting';
	flushSync();
	expect(icon()).toBe('./favicon.svg'); // it may be back in a moment
	facts.link = 'offline';
	flushSync();
	expect(icon()).toBe('./favicon-trouble.svg');
});

it('counts in the rail, and says what it counts', () => {
	Object.assign(facts, { problems: 1, tools: { exposed: 83, total: 96 }, failed: true });
	flushSync();
	expect(badges.of('discovery')).toEqual({ text: '1', means: ' container with a problem', tone: 'problem' });
	expect(badges.of('tools')).toEqual({ text: '83 / 96', means: ' tools exposed', tone: 'count' });
	expect(badges.of('traffic')?.tone).toBe('error');
	Object.assign(facts, { problems: 0, tools: { exposed: 1200, total: 1200 }, failed: false });
	flushSync();
	expect(badges.of('discovery')).toBeUndefined();
	expect(badges.of('tools')).toEqual({ text: '1,200', means: ' tools', tone: 'count' });
	expect(badges.of('traffic')).toBeUndefined();
});
