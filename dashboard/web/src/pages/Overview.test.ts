import { cleanup, fireEvent, render, screen } from '@testing-library/svelte';
import { tick } from 'svelte';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { said, unsay } from '../lib/toasts.svelte';
import Overview from './Overview.svelte';

/** Answers the test of a backend that is saved without a transport. */
let tested: (answer: Response) => void;
let saved: unknown[];

const reply = (body: object, status = 200) => new Response(JSON.stringify(body), { status });

beforeEach(() => {
	saved = [];
	vi.stubGlobal('fetch', (url: string, init: RequestInit) => {
		if (url === 'api/backends/test') return new Promise((answer) => (tested = answer));
		if (url !== 'api/backends') return Promise.resolve(reply({ error: 'not here' }, 503));
		const body = JSON.parse(init.body as string) as object;
		saved.push(body);
		return Promise.resolve(reply({ ok: true, backend: { ...body, health: 'healthy' }, savedIn: 'b.json' }));
	});
});
afterEach(() => {
	cleanup();
	said.all.forEach((toast) => unsay(toast.id));
	vi.unstubAllGlobals();
});

function go(hash: string) {
	location.hash = hash;
	window.dispatchEvent(new HashChangeEvent('hashchange'));
	return tick();
}
const url = () => screen.findByPlaceholderText<HTMLInputElement>('http://10.0.0.5:8123/mcp');
const type = (into: Element, value: string) => fireEvent.input(into, { target: { value } });
async function save() {
	await type(await url(), 'http://slow:1/mcp');
	await type(screen.getByPlaceholderText('home'), 'slow');
	await fireEvent.click(screen.getByRole('button', { name: 'Save' }));
	expect(screen.getByRole('button', { name: 'Saving…' })).toBeTruthy();
}
const told = (text: RegExp) =>
	vi.waitFor(() => expect(said.all.map((toast) => toast.text)).toMatchObject([expect.stringMatching(text)]));
const settled = () => new Promise((done) => setTimeout(done, 20));

test('who closed the dialog and went on is not fetched back when it is saved', async () => {
	await go('#/?add=1');
	const { unmount } = render(Overview);
	await save();
	await go('#/traffic');
	unmount();
	tested(reply({ ok: true, steps: [], tools: 1, transport: 'sse' }));
	await told(/slow is added/);
	await settled();
	expect(location.hash).toBe('#/traffic');
	expect(saved).toMatchObject([{ name: 'slow', url: 'http://slow:1/mcp', transport: 'sse' }]);
});

test('what is typed into a dialog is left alone by what was saved in the one before', async () => {
	await go('#/?view=table&q=x&add=1');
	render(Overview);
	await save();
	await fireEvent.click(screen.getByRole('button', { name: 'Cancel' }));
	expect(location.hash).toBe('#/?view=table&q=x');
	await go('#/?view=table&q=x&add=1');
	await type(await url(), 'http://other:2/mcp');
	const earlier = tested;
	await fireEvent.click(screen.getByRole('button', { name: 'Test' }));
	earlier(reply({ ok: true, steps: [], tools: 1, transport: 'http' }));
	await told(/slow is added/);
	await settled();
	expect(saved).toMatchObject([{ name: 'slow', url: 'http://slow:1/mcp', transport: 'http' }]);
	expect((await url()).value).toBe('http://other:2/mcp');
	expect(location.hash).toContain('add=1');
	expect(screen.getByText(/^Testing http:\/\/other:2/)).toBeTruthy();
});

test('that it could not be saved is said outside of a dialog that is closed', async () => {
	await go('#/?add=1');
	render(Overview);
	await save();
	await fireEvent.click(screen.getByRole('button', { name: 'Cancel' }));
	tested(reply({ error: 'it is too late' }, 503));
	await told(/slow is not added: it is too late/);
	expect(saved).toEqual([]);
});
