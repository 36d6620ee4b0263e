import { cleanup, fireEvent, render, screen } from '@testing-library/svelte';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { session } from '../lib/session.svelte';
import Connect from './Connect.svelte';

beforeEach(() => {
	location.hash = '#/connect/claude-code';
	const body = JSON.stringify({
		clients: [],
		refused: [],
		endpoint: '',
		containers: [],
		engine: { network: 'n' },
	});
	vi.stubGlobal('fetch', () => Promise.resolve(new Response(body, { status: 200 })));
});
afterEach(() => {
	cleanup();
	vi.unstubAllGlobals();
});

test('a token is nowhere in the page until it is revealed', async () => {
	const { container } = render(Connect);
	await fireEvent.input(screen.getByLabelText('Token'), { target: { value: 'tell-nobody' } });
	expect(container.textContent).toContain('claude mcp add');
	expect(container.innerHTML).not.toContain('tell-nobody');
	expect(location.href).not.toContain('tell-nobody');
	await fireEvent.click(screen.getByRole('button', { name: 'Reveal' }));
	expect(container.textContent).toContain('Bearer tell-nobody');
});

test('where the gateway asks for its token, what is copied has a place for it', async () => {
	const answer = JSON.stringify({ required: true, signedIn: true });
	vi.stubGlobal('fetch', () => Promise.resolve(new Response(answer, { status: 200 })));
	await session.begin();
	vi.stubGlobal('fetch', () => Promise.reject(new Error()));
	const { container } = render(Connect);
	expect(container.textContent).toContain('The gateway asks for its token');
	expect(container.textContent).toContain('Bearer <token>');
	await fireEvent.input(screen.getByLabelText('Token'), { target: { value: 'tell-nobody' } });
	expect(container.innerHTML).not.toMatch(/tell-nobody|<token>|&lt;token&gt;/);
});

test('an address that is none is said to be, and nothing is proposed for it', async () => {
	render(Connect);
	await fireEvent.input(screen.getByLabelText('Gateway'), { target: { value: 'ftp://h' } });
	expect(await screen.findByText(/ftp:\/\/ cannot be used/)).toBeTruthy();
	expect(screen.queryByRole('tab')).toBeNull();
});
