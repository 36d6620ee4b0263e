import { cleanup, fireEvent, render, screen } from '@testing-library/svelte';
import { tick } from 'svelte';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import Discovery from './Discovery.svelte';
import { container } from '../lib/discovery/fixture';

const engine = {
	connected: true,
	endpoint: 'unix:///var/run/docker.sock',
	version: '28.3',
	network: 'mcp-gw-net',
};
let answer: { status: number; body: unknown };

beforeEach(() => {
	location.hash = '#/discovery';
	answer = { status: 200, body: { enabled: true, engine, containers: [] } };
	vi.stubGlobal('fetch', () =>
		Promise.resolve(new Response(JSON.stringify(answer.body), { status: answer.status })),
	);
});
afterEach(() => {
	cleanup();
	vi.unstubAllGlobals();
});

test('what strangers wrote is text, and the fix is there when a row is opened', async () => {
	const evil = '<img src=x onerror="alert(1)">';
	answer.body = {
		enabled: true,
		engine,
		containers: [
			container('fine', 'registered'),
			container('bad', 'no_port', 3, {
				image: evil,
				reason: `${evil} exposes no TCP port`,
				fix: 'mcp-gw.port=8080, or wherever the MCP server listens',
				labels: { 'mcp-gw.enable': 'true', 'mcp-gw.description': evil },
			}),
		],
	};
	const { container: page } = render(Discovery);
	const button = await screen.findByRole('button', { name: /bad/ });
	expect(screen.queryByRole('button', { name: /fine/ })).toBeNull(); // problems first
	expect(button.getAttribute('aria-expanded')).toBe('false');
	location.hash = '#/discovery/bad';
	window.dispatchEvent(new HashChangeEvent('hashchange'));
	await tick();
	expect(button.getAttribute('aria-expanded')).toBe('true');
	expect(page.querySelector('.mark')?.textContent).toBeTruthy();
	expect(page.textContent).toContain('mcp-gw.port: "8080"');
	expect(page.textContent).toContain(evil);
	expect(page.querySelector('img')).toBeNull();
});

test('an error of the API stands in the place of the list, and can be tried again', async () => {
	answer = { status: 503, body: { error: 'the gateway is shutting down' } };
	render(Discovery);
	expect((await screen.findByRole('alert')).textContent).toContain('the gateway is shutting down');
	answer = { status: 200, body: { enabled: true, engine, containers: [container('bad', 'no_port', 3)] } };
	await fireEvent.click(screen.getByRole('button', { name: 'Retry' }));
	expect(await screen.findByRole('button', { name: /bad/ }, { timeout: 3000 })).toBeTruthy();
});

test('nothing seen yet, and nobody looking, are said', async () => {
	const { unmount } = render(Discovery);
	expect(await screen.findByText('No containers seen yet.')).toBeTruthy();
	unmount();
	answer.body = { enabled: false, engine: { connected: false, endpoint: '', network: '' }, containers: [] };
	render(Discovery);
	expect(await screen.findByText('Containers are not watched')).toBeTruthy();
});
