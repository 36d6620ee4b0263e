import { describe, expect, it } from 'vitest';
import {
	clientName,
	clientTitle,
	eraWords,
	folded,
	listed,
	refusedOne,
	remedy,
	seen,
	sender,
	upsert,
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
		expect(remedy({ code: 'later' as Refusal['code'] })).toBe('');
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
	it('keeps each in its place', () => {
		const all = [client('a', 0), client('b', 0)];
		expect(upsert(all, client('b', 9)).map((c) => [c.id, c.lastSeen])).toEqual([
			['a', at(0)],
			['b', at(9)],
		]);
		expect(upsert(all, client('c', 9)).map((c) => c.id)).toEqual(['c', 'a', 'b']);
	});
});

describe('waiting for a client', () => {
	const watch = watchFrom(ms(0), [client('here', -5), client('old', -3600)]);
	const ids = (w: typeof watch) => w.came.map((c) => c.id);
	it('sees one that is new', () => expect(ids(seen(watch, client('new', 1)))).toEqual(['new']));
	it('and what it does next', () => {
		const w = seen(seen(watch, client('new', 1)), client('new', 2, { toolsSeen: 83 }));
		expect(w.came.map(listed)).toEqual(['listed 83 tools']);
	});
	it('does not take one for new that was here all along', () => {
		let w = watch;
		for (let s = 1; s < 300; s += 20) w = seen(w, client('here', s));
		expect(ids(w)).toEqual([]);
	});
	it('sees one that comes back', () => expect(ids(seen(watch, client('old', 1)))).toEqual(['old']));
	it('passes over the dashboard, what was before, and one that leaves', () => {
		expect(ids(seen(watch, client('x', 1, { self: true })))).toEqual([]);
		expect(ids(seen(watch, client('x', -1)))).toEqual([]);
		expect(ids(seen(watch, client('x', 1, { connected: false })))).toEqual([]);
	});
	it('tells of one that was refused, until one gets in', () => {
		expect(refusedOne(watch, refusal(-1)).refused).toBeUndefined();
		const w = refusedOne(watch, refusal(1));
		expect(w.refused?.code).toBe('host');
		expect(seen(w, client('new', 2)).refused).toBeUndefined();
	});
});
