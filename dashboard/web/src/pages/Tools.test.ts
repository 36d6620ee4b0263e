import { cleanup, fireEvent, render, screen } from '@testing-library/svelte';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { tool } from '../lib/catalogue/fixture';
import { said, unsay } from '../lib/toasts.svelte';
import Tools from './Tools.svelte';

const on = new Map<string, boolean>();
/** What has been asked and has no answer yet; calling one answers it, as things are then. */
let changes: (() => void)[];
let lists: (() => void)[];
let held: boolean; // whether lists wait, too

const list = () => ({
	tools: [...on].map(([name, enabled]) => tool(name, { enabled })),
	savedIn: 'switches.json',
});
const others: Record<string, object> = {
	'api/backends': [],
	'api/health': { uptimeMs: 1 },
	'api/resources': { resources: [], templates: [] },
	'api/prompts': { prompts: [] },
};
const reply = (body: object) => new Response(JSON.stringify(body));

beforeEach(() => {
	location.hash = '#/tools';
	for (const name of ['a__one', 'a__two', 'a__three']) on.set(name, true);
	changes = [];
	lists = [];
	held = false;
	vi.stubGlobal('fetch', (url: string, init: RequestInit) => {
		if (init.method === 'PATCH') {
			const { names, enabled } = JSON.parse(init.body as string) as { names?: string[]; enabled: boolean };
			return new Promise((answer) =>
				changes.push(() => {
					for (const name of names ?? [url.replace('api/tools/', '')]) on.set(name, enabled);
					answer(reply({ ok: true, savedIn: 'switches.json' }));
				}),
			);
		}
		if (url !== 'api/tools') return Promise.resolve(reply(others[url] ?? {}));
		const now = reply(list());
		return held ? new Promise((answer) => lists.push(() => answer(now))) : Promise.resolve(now);
	});
});
afterEach(() => {
	cleanup();
	said.all.forEach((toast) => unsay(toast.id));
	vi.unstubAllGlobals();
});

const a = (name: string) => screen.getByRole('switch', { name: new RegExp(`a__${name}`) });
const is = (name: string) => a(name).getAttribute('aria-checked');
const settled = () => new Promise((done) => setTimeout(done, 20));

test('a switch that waits for its answer stays turned when another one has its own', async () => {
	render(Tools);
	await screen.findAllByRole('switch');
	await fireEvent.click(a('one'));
	await fireEvent.click(a('two'));
	changes[0]!();
	await vi.waitFor(() => expect(said.all).toHaveLength(1));
	await settled();
	expect([is('one'), is('two'), is('three')]).toEqual(['false', 'false', 'true']);
	// The list that was asked for before the second turn comes after the one that knows it.
	held = true;
	await fireEvent.click(a('three'));
	changes[1]!();
	await vi.waitFor(() => expect(lists).toHaveLength(1));
	changes[2]!();
	await vi.waitFor(() => expect(lists).toHaveLength(2));
	lists[1]!();
	await settled();
	lists[0]!();
	await settled();
	expect([is('one'), is('two'), is('three')]).toEqual(['false', 'false', 'false']);
});

test('only what is done with a selection ends it', async () => {
	render(Tools);
	await screen.findAllByRole('switch');
	await fireEvent.click(screen.getByRole('button', { name: 'Select all' }));
	expect(screen.getByText('3 selected')).toBeTruthy();
	await fireEvent.click(a('one'));
	changes[0]!();
	await vi.waitFor(() => expect(said.all).toHaveLength(1));
	await settled();
	expect(screen.getByText('3 selected')).toBeTruthy();
	await fireEvent.click(screen.getByRole('button', { name: 'Disable' }));
	changes[1]!();
	await vi.waitFor(() => expect(screen.queryByText(/selected/)).toBeNull());
	expect([is('one'), is('two'), is('three')]).toEqual(['false', 'false', 'false']);
});
