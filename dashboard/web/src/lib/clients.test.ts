import { describe, expect, it } from 'vitest';
import {
	clientName,
	clientTitle,
	eraWords,
	folded,
	listed,
	look,
	remedy,
	sender,
	watchFrom,
	type Client,
	type Refusal,
} from './clients';

const at = (seconds: number) => new Date(Date.UTC(2026, 10, 27, 12) + seconds * 1000).toISOString();
const ms = (seconds: number) => Date.parse(at(seconds));

function client(id: string, lastSeen: number, more: Partial<Client> = {}): Client {
	return {
		id,
		name: 'claude-code',
		version: '2.1.4',
		era: 'legacy',
		protocolVersion: '2025-11-25',
		capabilities: [],
		address: '127.0.0.1',
		firstSeen: at(lastSeen),
		lastSeen: at(lastSeen),
		streams: 0,
		calls: 0,
		errors: 0,
		connected: true,
		...more,
	};
}
const refusal = (seconds: number): Refusal => ({
	at: at(seconds),
	address: '10.0.0.9',
	status: 403,
	reason: 'no',
	code: 'host',
});

describe('a client in words', () => {
	it.each([
		['claude-code', 'Claude Code'],
		['codex-mcp-client', 'Codex'],
		['cursor-vscode', 'Cursor'],
		['Visual Studio Code', 'VS Code'],
		['claude-ai (via mcp-remote 0.1.29)', 'Claude through mcp-remote 0.1.29'],
		['<img src=x>', '<img src=x>'],
		['my-claude-code', 'my-claude-code'],
	])('%s is %s', (name, want) => expect(clientName(name)).toBe(want));
	it('has its version', () => expect(clientTitle(client('a', 0))).toBe('Claude Code 2.1.4'));
	it('has its era', () =>
		expect([eraWords(client('a', 0)), eraWords({ era: 'modern', protocolVersion: '2026-07-28' })]).toEqual([
			'session 2025-11-25',
			'stateless 2026-07-28',
		]));
	it.each([
		['claude-code/2.1.4 (cli)', 'Claude Code 2.1.4'],
		['curl/8.5.0', 'curl 8.5.0'],
		['', 'A client'],
	])('%j sent what was refused', (userAgent, want) => expect(sender({ userAgent })).toBe(want));
	it('says what to do about a refusal', () => {
		expect(remedy(refusal(0))).toContain('MCP_GW_ALLOWED_HOSTS');
		expect(remedy({ code: 'later' as Refusal['code'], reason: '' })).toBe('');
		const code = 'token_missing';
		expect(remedy({ code, reason: 'the value of MCP_GW_TOKEN' })).toContain('header');
		expect(remedy({ code: 'host', reason: 'add it to MCP_GW_ALLOWED_HOSTS' })).toBe('');
	});
	it('says what it listed', () =>
		expect([listed(client('a', 0)), listed(client('a', 0, { toolsSeen: 1 }))]).toEqual([
			'has not listed the tools yet',
			'listed 1 tool',
		]));
});

describe('the list of clients', () => {
	it('folds those away that are idle, and has the dashboard last', () => {
		const all = [
			client('self', 0, { self: true }),
			client('a', 0),
			client('gone', 0, { connected: false }),
			client('old', -3600),
			client('stream', -3600, { streams: 1 }),
		];
		const { active, idle } = folded(all, ms(5));
		expect(active.map((c) => c.id)).toEqual(['a', 'stream', 'self']);
		expect(idle.map((c) => c.id)).toEqual(['gone', 'old']);
	});
});

describe('waiting for a client', () => {
	const start = { clients: [client('here', -5), client('old', -3600)], refused: [refusal(-9)] };
	const began = watchFrom(start);
	const then = (clients: Client[], refused = start.refused, watch = began) =>
		look(watch, { clients, refused }, 1000);
	const ids = (w: typeof began) => w.came.map((one) => one.client.id);
	it('sees nobody in those that are here', () => expect(ids(then(start.clients))).toEqual([]));
	it('sees one that is new', () => expect(ids(then([client('new', 1), ...start.clients]))).toEqual(['new']));
	it('and what it does next', () => {
		const w = then([client('new', 2, { toolsSeen: 83 })], start.refused, then([client('new', 1)]));
		expect(w.came.map((one) => [listed(one.client), one.at])).toEqual([['listed 83 tools', 1000]]);
	});
	it('does not take one for new that was here all along', () => {
		let w = began;
		for (let s = 1; s < 300; s += 20) w = then([client('here', s)], start.refused, w);
		expect(ids(w)).toEqual([]);
	});
	it('sees one that comes back', () => expect(ids(then([client('old', 1)]))).toEqual(['old']));
	it('passes over the dashboard, and one that left again', () =>
		expect(ids(then([client('x', 1, { self: true }), client('y', 1, { connected: false })]))).toEqual([]));
	it('tells of one that was refused, until one gets in', () => {
		expect(then(start.clients).refused).toBeUndefined();
		const w = then(start.clients, [refusal(3), ...start.refused]);
		expect(w.refused?.refusal.at).toBe(at(3));
		expect(then([client('new', 4)], [refusal(3)], w).refused).toBeUndefined();
	});
	it('tells of one that was refused after another got in', () => {
		const w = then([client('new', 1)]);
		expect(then([client('new', 1)], [refusal(3)], w).refused).toBeDefined();
	});
});
