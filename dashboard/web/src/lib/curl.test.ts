import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { exchange, masked, oneShot, shell, type Made } from './curl';

const base = 'http://localhost:3000/gw/';
const nasty = `it's "quoted" $HOME \`id\` \\ ! %s\n--data @file 日本語 💥`;
const call: Made = {
	method: 'tools/call',
	name: 'github_search',
	era: 'modern',
	arguments: { query: nasty, limit: 5 },
};

/** What a real shell gives a curl that only notes its arguments. */
function run(script: string): string[][] {
	const dir = mkdtempSync(join(tmpdir(), 'curl-'));
	const log = join(dir, 'log');
	writeFileSync(
		join(dir, 'curl'),
		`#!/bin/sh\nfor a in "$@"; do printf '%s\\0' "$a"; done >> ${log}\nprintf '\\1' >> ${log}\nprintf 'HTTP/1.1 200 OK\\r\\nMcp-Session-Id: s-1\\r\\n\\r\\n'\n`,
		{ mode: 0o755 },
	);
	execFileSync('/bin/sh', ['-c', script], {
		env: { PATH: `${dir}:${process.env['PATH']}`, HOME: '/home/x' },
	});
	return readFileSync(log, 'utf8')
		.split('\x01')
		.filter(Boolean)
		.map((one) => one.split('\0').slice(0, -1));
}
const body = (args: string[]) => JSON.parse(args[args.indexOf('--data-raw') + 1]!);

// Shells are started, which a busy machine takes its time for.
vi.setConfig({ testTimeout: 60_000 });

describe('one call of the REST API', () => {
	it('is what a shell takes it for, whatever is in the arguments', () => {
		const [args] = run(oneShot(call, base)!);
		expect(args).toContain('http://localhost:3000/gw/api/tools/github_search/call');
		expect(body(args!)).toEqual({ arguments: { query: nasty, limit: 5 } });
	});
	it('escapes the name in the address', () => {
		expect(oneShot({ ...call, name: "a/b?c'd" }, base)).toContain("/api/tools/a%2Fb%3Fc'\\''d/call");
	});
	it('is for tools only', () => {
		expect(oneShot({ ...call, method: 'prompts/get' }, base)).toBeUndefined();
	});
});

describe('the exchange', () => {
	it('is one request when requests stand alone', () => {
		const calls = run(exchange(call, base));
		expect(calls).toHaveLength(1);
		expect(calls[0]).toContain('http://localhost:3000/gw/mcp');
		expect(calls[0]).toContain('MCP-Protocol-Version: 2026-07-28');
		expect(calls[0]).toContain('Mcp-Method: tools/call');
		expect(calls[0]).toContain('Mcp-Name: github_search');
		expect(body(calls[0]!).params.arguments.query).toBe(nasty);
		expect(body(calls[0]!).params._meta['io.modelcontextprotocol/protocolVersion']).toBe('2026-07-28');
	});
	it('opens a session first where there are sessions', () => {
		const calls = run(exchange({ ...call, era: 'legacy', protocolVersion: '2025-06-18' }, base));
		expect(calls.map((c) => body(c).method)).toEqual([
			'initialize',
			'notifications/initialized',
			'tools/call',
		]);
		expect(body(calls[0]!).params.protocolVersion).toBe('2025-06-18');
		for (const later of calls.slice(1)) {
			expect(later).toContain('Mcp-Session-Id: s-1');
			expect(later).toContain('MCP-Protocol-Version: 2025-06-18');
		}
		expect(body(calls[2]!).params).toEqual({ name: 'github_search', arguments: call.arguments });
	});
	it('sends what was sent, when that was kept', () => {
		const request =
			'{"jsonrpc":"2.0","id":9,"method":"tools/call","params":{"name":"x","arguments":{},"_meta":{"a":1}}}';
		const [args] = run(exchange({ ...call, raw: { request } }, base));
		expect(body(args!).params.name).toBe('x');
		expect(body(args!).params._meta.a).toBeUndefined();
	});
	it('knows resources, prompts and what has no name', () => {
		const read = (made: Partial<Made>) =>
			body(run(exchange({ method: '', era: 'modern', ...made }, base))[0]!).params;
		expect(read({ method: 'resources/read', name: 'file:///a b' }).uri).toBe('file:///a b');
		expect(read({ method: 'prompts/get', name: 'p', arguments: { a: '1' } })).toMatchObject({
			name: 'p',
			arguments: { a: '1' },
		});
		expect(Object.keys(read({ method: 'tools/list', raw: { request: '{"trunc' } }))).toEqual(['_meta']);
	});
	it('believes no protocol version', () => {
		const text = exchange({ ...call, era: 'legacy', protocolVersion: "'; rm -rf /" }, base);
		expect(text).not.toContain('rm -rf');
	});
});

it('quotes words', () => {
	expect(shell('plain/word-1')).toBe('plain/word-1');
	expect(shell('')).toBe("''");
	expect(shell('-x')).toBe("'-x'");
	expect(shell('a\0b')).toBe('ab');
});

it('sees what was masked', () => {
	expect(masked('{"token":"•••• redacted, 40 chars"}')).toBe(true);
	expect(masked('{"token":"x"}')).toBe(false);
});

it('takes the token from the environment of the shell', () => {
	for (const era of ['modern', 'legacy'] as const) {
		const scripts = [oneShot({ ...call, era }, base, true)!, exchange({ ...call, era }, base, true)];
		for (const script of scripts) {
			const sent = run(`MCP_GW_TOKEN='a b'\n${script}`);
			expect(sent.length).toBeGreaterThan(0);
			for (const args of sent) expect(args).toContain('Authorization: Bearer a b');
		}
		expect(exchange({ ...call, era }, base)).not.toContain('Authorization');
	}
});
