import { describe, expect, it } from 'vitest';
import { networkSnippet } from './pieces';
import { recipes } from './recipes';
import { veiled, type Target } from './target';

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
	it.each(['chatgpt', 'claude-desktop'])('%s is said not to reach this computer', (id) => {
		const limits = recipes.find((r) => r.id === id)?.limits;
		expect(limits?.(plain).join()).toContain('http://localhost:3000/mcp cannot be reached from there');
		expect(limits?.({ ...plain, url: 'https://gw.example.org/mcp' }).join()).not.toContain(
			'cannot be reached',
		);
	});
});

it('what another container needs quotes the name of the network', () =>
	expect(networkSnippet('my net')).toContain('"my net": { external: true }'));
