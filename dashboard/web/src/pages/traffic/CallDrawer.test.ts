import { cleanup, render, screen } from '@testing-library/svelte';
import { afterEach, expect, test, vi } from 'vitest';
import type { Call } from '../../lib/calls';
import CallDrawer from './CallDrawer.svelte';

const call = (id: number, state: Call['state']): Call => ({
	id,
	at: '2026-01-01T00:00:00Z',
	state,
	method: 'tools/call',
	name: `demo__add${id}`,
	original: `add${id}`,
	backend: 'demo',
	client: { id: 'c1', name: 'Claude Code' },
	era: 'modern',
	requestBytes: 10,
	durationMs: 3,
});
const props = (id: number, state: Call['state']) => ({
	id: String(id),
	row: { kind: 'call' as const, key: id, epoch: 0, call: call(id, state) },
	redaction: undefined,
	onclose: () => {},
	onmove: () => {},
	oncontext: () => {},
});
/** Time for a question, its answer, and whatever follows from that. */
const settle = () => new Promise((done) => setTimeout(done, 50));

afterEach(() => {
	cleanup();
	vi.unstubAllGlobals();
});

test('a call is asked for once, and again only when it ended or is another one', async () => {
	const asked: string[] = [];
	vi.stubGlobal('fetch', async (url: string) => {
		asked.push(url);
		const id = Number(url.split('/').pop());
		await new Promise((done) => setTimeout(done, 1));
		return new Response(JSON.stringify(call(id, 'ok')), { status: 200 });
	});
	const { rerender } = render(CallDrawer, props(1, 'running'));
	expect(await screen.findByRole('button', { name: 'Copy JSON' })).toBeTruthy();
	await settle();
	expect(asked).toEqual(['api/calls/1']);
	await rerender(props(1, 'ok'));
	await settle();
	expect(asked).toEqual(['api/calls/1', 'api/calls/1']);
	await rerender(props(2, 'ok'));
	expect(await screen.findByRole('heading', { name: 'add2' })).toBeTruthy();
	await settle();
	expect(asked.slice(2)).toEqual(['api/calls/2']);
});
