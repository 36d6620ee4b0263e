import { expect, test } from 'vitest';
import { type Backend, chosen, ordered, retry, sentence, switchable, unlabel, why } from './backends';

function backend(name: string, more: Partial<Backend> = {}): Backend {
	return {
		name,
		url: `http://${name}:8080/mcp`,
		transport: 'http',
		enabled: true,
		tools: [],
		status: 'connected',
		latencyMs: 4,
		lastPingAt: null,
		error: null,
		source: 'docker',
		state: 'ready',
		resources: 0,
		prompts: 0,
		replicas: 1,
		stats: { calls: 0, errors: 0, p50Ms: 0, p95Ms: 0 },
		diagnostics: [],
		health: 'healthy',
		toolCount: 2,
		enabledTools: 2,
		tokens: 100,
		...more,
	};
}

const names = (list: Backend[]) => list.map((b) => b.name).join(' ');

test('problems come first, and one that is being connected stays where it was', () => {
	const all = [
		backend('b'),
		backend('slow', { health: 'degraded' }),
		backend('a', { health: 'disabled' }),
		backend('gone', { health: 'down' }),
		backend('again', { health: 'connecting' }),
	];
	expect(names(ordered(all, (b) => (b.name === 'again' ? 'down' : b.health)))).toBe('again gone slow a b');
	expect(names(ordered(all, (b) => b.health))).toBe('gone slow a again b');
});

test('filters by kind and by words in any of its names', () => {
	const all = [
		backend('github', { serverInfo: { name: 'GitHub MCP', version: '1.2' } as never }),
		backend('home', { source: 'manual', health: 'down' }),
	];
	expect(names(chosen(all, 'problems', ''))).toBe('home');
	expect(names(chosen(all, 'manual', ''))).toBe('home');
	expect(names(chosen(all, 'docker', ''))).toBe('github');
	expect(names(chosen(all, 'all', 'mcp 1.2'))).toBe('github');
	expect(names(chosen(all, 'all', 'nothing'))).toBe('');
});

test('says why, and when it is tried next', () => {
	const b = backend('browser', {
		health: 'down',
		reason: 'connection refused at mcp-browser:8931',
		nextRetryAt: '2026-01-01T00:00:12Z',
	});
	const now = Date.parse('2026-01-01T00:00:00Z');
	expect(why(b)).toBe('Connection refused at mcp-browser:8931.');
	expect(retry(b, now)).toBe('Retrying in 12 s.');
	expect(retry(b, now + 20_000)).toBe('Trying now.');
	expect(retry({ ...b, health: 'healthy' }, now)).toBe('');
	expect(why(backend('x', { health: 'down' }))).toBe('It does not say why.');
	expect(why(backend('x', { health: 'disabled', disabledBy: 'label' }))).toContain('mcp-gw.enable=false');
	const unknown = backend('x', { health: 'disabled', disabledBy: 'unknown' });
	expect(why(unknown)).toContain('the file of the switches cannot be used');
	expect(switchable(unknown)).toBe(false);
});

test('a sentence begins with a capital, but not an address', () => {
	expect(sentence('connection refused')).toBe('Connection refused.');
	expect(sentence('127.0.0.1:80 refused the connection.')).toBe('127.0.0.1:80 refused the connection.');
	expect(sentence('mcp-gw.port=http: expected a number')).toBe('mcp-gw.port=http: expected a number.');
});

test('a labelled backend is not removed from here, and the command is safe to paste', () => {
	expect(unlabel(backend('a', { source: 'manual' }))).toBeUndefined();
	const container = { id: '1', name: "it's", image: 'x' };
	expect(unlabel(backend('a', { container }))?.command).toBe(`docker stop 'it'\\''s'`);
});
