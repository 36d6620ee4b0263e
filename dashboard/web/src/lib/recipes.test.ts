import { describe, expect, it } from 'vitest';
import { compose, shell, toml, yamlKey } from './quote';
import { endpoint, networkSnippet, reach, recipes, targetName, veiled, type Target } from './recipes';

const plain: Target = { name: 'mcp-gw', url: 'http://localhost:3000/mcp', token: '' };
// A token with everything that a language may trip over.
const nasty: Target = { ...plain, token: `a'b"c$d\\e f!\u007f` };

function blocks(id: string, t: Target) {
	const recipe = recipes.find((one) => one.id === id);
	if (!recipe) throw new Error(id);
	return recipe.blocks(t).map((b) => b.code);
}

describe('what is typed and written', () => {
	it.each([
		['claude-code', 0, 'claude mcp add --transport http --scope user mcp-gw http://localhost:3000/mcp'],
		['codex', 0, 'codex mcp add mcp-gw --url http://localhost:3000/mcp'],
		['codex', 1, '[mcp_servers.mcp-gw]\nurl = "http://localhost:3000/mcp"'],
		['gemini', 0, 'gemini mcp add --scope user --transport http mcp-gw http://localhost:3000/mcp'],
		['antigravity', 0, 'agy mcp add mcp-gw http://localhost:3000/mcp'],
		['vscode', 0, `code --add-mcp '{"name":"mcp-gw","type":"http","url":"http://localhost:3000/mcp"}'`],
		[
			'inspector',
			0,
			'npx @modelcontextprotocol/inspector --server-url http://localhost:3000/mcp --transport http',
		],
		['curl', 2, 'curl -sS http://localhost:3000/api/tools'],
		['other', 1, 'http://localhost:3000/sse'],
	])('%s %i', (id, i, want) => expect(blocks(id, plain)[i]).toBe(want));

	it.each([
		['claude-code', 1, { mcpServers: { 'mcp-gw': { type: 'http', url: plain.url } } }],
		['cursor', 0, { mcpServers: { 'mcp-gw': { url: plain.url } } }],
		['vscode', 1, { servers: { 'mcp-gw': { type: 'http', url: plain.url } } }],
		['gemini', 1, { mcpServers: { 'mcp-gw': { httpUrl: plain.url } } }],
		['antigravity', 1, { mcpServers: { 'mcp-gw': { serverUrl: plain.url } } }],
		['windsurf', 1, { mcpServers: { 'mcp-gw': { serverUrl: plain.url } } }],
		['opencode', 0, { mcp: { servers: { 'mcp-gw': { type: 'remote', url: plain.url } } } }],
		['opencode', 1, { mcp: { 'mcp-gw': { type: 'remote', url: plain.url, enabled: true } } }],
		['zed', 0, { context_servers: { 'mcp-gw': { url: plain.url } } }],
		[
			'claude-desktop',
			0,
			{ mcpServers: { 'mcp-gw': { command: 'npx', args: ['-y', 'mcp-remote', plain.url] } } },
		],
	])('the file of %s', (id, i, want) => expect(JSON.parse(blocks(id, plain)[i] ?? '')).toEqual(want));

	it('puts a token into each file as a header, whatever is in it', () => {
		for (const [id, i, key] of [
			['claude-code', 1, 'mcpServers'],
			['cursor', 0, 'mcpServers'],
			['gemini', 1, 'mcpServers'],
			['zed', 0, 'context_servers'],
			['vscode', 1, 'servers'],
		] as const) {
			const file = JSON.parse(blocks(id, nasty)[i] ?? '') as Record<
				string,
				Record<string, { headers: object }>
			>;
			expect(file[key]?.['mcp-gw']?.headers, id).toEqual({ Authorization: `Bearer ${nasty.token}` });
		}
	});

	it('has no token where there is none', () => {
		for (const recipe of recipes)
			for (const block of recipe.blocks(plain))
				expect(block.code, recipe.id).not.toMatch(/authorization|bearer/i);
	});

	it('keeps the token out of the file of Codex, which refuses it there', () => {
		const [typed, file] = blocks('codex', nasty);
		expect(file).toBe(
			'[mcp_servers.mcp-gw]\nurl = "http://localhost:3000/mcp"\nbearer_token_env_var = "MCP_GW_TOKEN"',
		);
		expect(typed).toContain('--bearer-token-env-var MCP_GW_TOKEN');
	});

	it('shows no token that is veiled', () => {
		for (const recipe of recipes) {
			const shown = JSON.stringify(recipe.blocks(veiled({ ...plain, token: 'tell-nobody' })));
			expect(shown, recipe.id).not.toContain('tell-nobody');
		}
	});

	it('has a link that opens the client with what its file would have', () => {
		const links = recipes.flatMap((r) => (r.link ? [r.link({ ...plain, token: 'ü+/' })] : []));
		expect(links.map((l) => new URL(l.href).protocol)).toEqual(['cursor:', 'vscode:']);
		const config = new URL(links[0]?.href ?? '').searchParams.get('config') ?? '';
		const bytes = Uint8Array.from(atob(config), (c) => c.charCodeAt(0));
		expect(JSON.parse(new TextDecoder().decode(bytes))).toEqual({
			url: plain.url,
			headers: { Authorization: 'Bearer ü+/' },
		});
		expect(JSON.parse(decodeURIComponent(links[1]?.href.split('?')[1] ?? ''))).toMatchObject({
			name: 'mcp-gw',
			type: 'http',
		});
	});

	it('says of each how to see that it works', () => {
		for (const recipe of recipes) expect(recipe.check, recipe.id).not.toBe('');
		expect(new Set(recipes.map((r) => r.id)).size).toBe(recipes.length);
	});

	it('tells mcp-remote to take plain HTTP from another machine', () => {
		expect(blocks('claude-desktop', { ...plain, url: 'http://10.0.0.5:3000/mcp' })[0]).toContain(
			'--allow-http',
		);
		expect(blocks('claude-desktop', plain)[0]).not.toContain('--allow-http');
	});
});

describe('a client at its vendor’s', () => {
	it.each([
		['http://localhost:3000/mcp', 'loopback'],
		['http://127.0.0.1/mcp', 'loopback'],
		['http://[::1]:3000/mcp', 'loopback'],
		['http://mcp-gw:3000/mcp', 'private'],
		['https://nas.local/mcp', 'private'],
		['http://172.20.0.5/mcp', 'private'],
		['https://[fd12::1]/mcp', 'private'],
		['http://gw.example.org/mcp', 'http'],
		['https://gw.example.org/mcp', 'public'],
	])('%s is %s', (url, want) => expect(reach(url)).toBe(want));

	it.each(['chatgpt', 'claude-desktop'])('%s is said not to reach this computer', (id) => {
		const limits = recipes.find((r) => r.id === id)?.limits;
		expect(limits?.(plain).join()).toContain('http://localhost:3000/mcp cannot be reached from there');
		expect(limits?.({ ...plain, url: 'https://gw.example.org/mcp' }).join()).not.toContain(
			'cannot be reached',
		);
	});
});

describe('the address', () => {
	it.each([
		['http://localhost:3000', '', 'http://localhost:3000/mcp'],
		['http://localhost:3000/', '', 'http://localhost:3000/mcp'],
		['localhost:3000', '', 'http://localhost:3000/mcp'],
		['https://tools.example.org/gw/mcp/', '', 'https://tools.example.org/gw/mcp'],
		['https://tools.example.org/gw', 'dev', 'https://tools.example.org/gw/mcp/dev'],
		['http://h', 'a/b', 'http://h/mcp/a%2Fb'],
	])('%j with %j is %s', (base, scope, url) => expect(endpoint(base, scope)).toEqual({ url }));

	it.each([
		['', 'such as'],
		['http://', 'is not an address'],
		['ftp://h', 'http:// or https://'],
		['http://u:p@h', 'use a token'],
		['http://h/?a=1', 'before ?'],
	])('%j has a problem', (base, want) =>
		expect(endpoint(base)).toEqual({ problem: expect.stringContaining(want) as string }),
	);

	it('is named after what it is for', () =>
		expect([targetName(''), targetName('dev')]).toEqual(['mcp-gw', 'mcp-gw-dev']));
});

describe('quoting', () => {
	it.each([
		['a-b/c:1', 'a-b/c:1'],
		['', "''"],
		['two words', "'two words'"],
		["it's $HOME", `'it'\\''s $HOME'`],
		['--x;rm', "'--x;rm'"],
	])('%j for a shell', (text, want) => expect(shell(text)).toBe(want));
	it('for TOML', () => expect(toml('a"\\\n\u007f')).toBe('"a\\"\\\\\\n\\u007f"'));
	it('for compose, which reads dollars', () => expect(compose('a$b: "c"')).toBe('"a$$b: \\"c\\""'));
	it.each([
		['mcp-gw.port', 'mcp-gw.port'],
		['yes', '"yes"'],
		['a b', '"a b"'],
		['<old>', '"<old>"'],
	])('%j as a key', (text, want) => expect(yamlKey(text)).toBe(want));
	it('of a network', () => expect(networkSnippet('my net')).toContain('"my net": { external: true }'));
});
