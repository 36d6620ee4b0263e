import { cleanup, fireEvent, render, screen } from '@testing-library/svelte';
import { tick } from 'svelte';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type Tool } from '../lib/catalogue';
import { tool } from '../lib/catalogue/fixture';
import { refetch } from '../lib/events.svelte';
import { drafts } from '../lib/runs.svelte';
import Playground from './Playground.svelte';

const schema = (...names: string[]) => ({
	type: 'object',
	properties: Object.fromEntries(names.map((name) => [name, { type: 'string' }])),
});
let tools: Tool[];
let asked: string[];

beforeEach(() => {
	tools = [tool('a__one', { raw: { inputSchema: schema('n') } })];
	asked = [];
	drafts.clear();
	vi.stubGlobal('fetch', (url: string) => {
		asked.push(url);
		const body = url === 'api/tools' ? { tools } : { id: 7, tool: 'a__one', arguments: { n: 'of the call' } };
		return Promise.resolve(new Response(JSON.stringify(body)));
	});
});
afterEach(() => {
	cleanup();
	vi.unstubAllGlobals();
});

function go(hash: string) {
	location.hash = hash;
	window.dispatchEvent(new HashChangeEvent('hashchange'));
	return tick();
}
const field = (name = 'n') => screen.findByLabelText<HTMLInputElement>(name);
const type = (into: Element, value: string) => fireEvent.input(into, { target: { value } });
const json = () => screen.findByLabelText<HTMLTextAreaElement>('Arguments as JSON');

test('what is typed as JSON is there again, finished or not', async () => {
	await go('#/playground/a__one');
	const { unmount } = render(Playground);
	await field();
	await fireEvent.click(screen.getByRole('button', { name: 'JSON' }));
	await type(await json(), '{"n": "half');
	unmount();
	render(Playground);
	expect((await json()).value).toBe('{"n": "half');
});

test('the arguments of a call are taken once, and again only when that is asked for', async () => {
	await go('#/playground/a__one?from=7');
	const { unmount } = render(Playground);
	await vi.waitFor(async () => expect((await field()).value).toBe('of the call'));
	await vi.waitFor(() => expect(location.hash).toBe('#/playground/a__one'));
	expect(screen.getByText(/arguments of call 7/)).toBeTruthy();
	await type(await field(), 'edited');
	unmount();
	render(Playground);
	expect((await field()).value).toBe('edited');
	await go('#/playground/a__one?from=7');
	await vi.waitFor(async () => expect((await field()).value).toBe('of the call'));
	expect(asked.filter((url) => url === 'api/calls/7')).toHaveLength(2);
});

test('a tool that goes for a moment takes nothing with it', async () => {
	await go('#/playground/a__one');
	render(Playground);
	const input = await field();
	await type(input, 'typed');
	const [one] = tools;
	tools = [];
	refetch();
	expect(await screen.findByText(/No backend offers/)).toBeTruthy();
	expect(input.isConnected).toBe(true);
	tools = [one!];
	refetch();
	await vi.waitFor(() => expect(screen.queryByText(/No backend offers/)).toBeNull(), 5000);
	expect(input.isConnected).toBe(true);
	expect(input.value).toBe('typed');
	await go('#/playground/a__other');
	expect(screen.getByText('There is no such tool.')).toBeTruthy();
}, 15_000);

test('a tool that comes back with another schema has the form of that one', async () => {
	await go('#/playground/a__one');
	render(Playground);
	await type(await field(), 'typed');
	tools = [tool('a__one', { raw: { inputSchema: schema('n', 'more') } })];
	refetch();
	expect(await field('more')).toBeTruthy();
	expect((await field()).value).toBe('typed');
});
