// What recipes are made of: commands, files and sentences that several of them have.
import { command, json, shell, yamlKey } from '../quote';
import { reach, type Target } from './target';

/** The variable that clients read a token from. */
export const tokenVariable = 'MCP_GW_TOKEN';

/** The token as a header's value, as a line of its own, and as the headers of a file. */
export const bearer = (t: Target) => `Bearer ${t.token}`;
export const header = (t: Target) => `Authorization: ${bearer(t)}`;
export const headers = (t: Target) => (t.token ? { headers: { Authorization: bearer(t) } } : {});
/** Said of files that may be there already. */
export const merge = 'If the file has servers already, add this one beside them.';

/** Why a client that runs at its vendor's cannot use the address, '' when it can. */
export function unreachable(t: Target, who: string): string {
	switch (reach(t.url)) {
		case 'public':
			return '';
		case 'http':
			return `${who} connects from its vendor's servers and takes HTTPS only: put the gateway behind a reverse proxy with a certificate.`;
		default:
			return `${who} connects from its vendor's servers, and ${t.url} cannot be reached from there: it needs a public HTTPS address.`;
	}
}

/** Those of some sentences that have something to say. */
export const only = (...sentences: string[]) => sentences.filter(Boolean);

/** The file that most clients read. */
export function mcpServers(t: Target, server: object): string {
	return json({ mcpServers: { [t.name]: server } });
}

/** The same for clients that only start commands: one that connects for them. */
export function mcpRemote(t: Target): string {
	const args = ['-y', 'mcp-remote', t.url];
	if (t.url.startsWith('http:') && reach(t.url) !== 'loopback') args.push('--allow-http');
	// Without a blank in the argument: some versions cut it there.
	if (t.token) args.push('--header', 'Authorization:${AUTH_HEADER}');
	return mcpServers(t, {
		command: 'npx',
		args,
		...(t.token ? { env: { AUTH_HEADER: bearer(t) } } : {}),
	});
}

const accept = ['-H', 'Content-Type: application/json', '-H', 'Accept: application/json, text/event-stream'];

/** curl with the headers that every MCP request has; more are words, quoted already. */
function post(t: Target, body: object, ...more: string[]): string {
	const words = [...accept, ...(t.token ? ['-H', header(t)] : [])].map(shell);
	const lines = [command('curl', '-sS', t.url), ...pairs([...words, ...more])];
	return [...lines, `-d ${shell(JSON.stringify({ jsonrpc: '2.0', ...body }))}`].join(' \\\n  ');
}

function pairs(words: string[]): string[] {
	return words.flatMap((word, i) => (i % 2 === 0 ? [`${word} ${words[i + 1] ?? ''}`] : []));
}

const curlClient = { name: 'curl', version: '1' };

/** One request of 2026-07-28, which needs no session. */
export function modern(t: Target): string {
	const meta = {
		'io.modelcontextprotocol/protocolVersion': '2026-07-28',
		'io.modelcontextprotocol/clientCapabilities': {},
		'io.modelcontextprotocol/clientInfo': curlClient,
	};
	const words = ['-H', 'MCP-Protocol-Version: 2026-07-28', '-H', 'Mcp-Method: tools/list'].map(shell);
	return post(t, { id: 1, method: 'tools/list', params: { _meta: meta } }, ...words);
}

/** The same with a session, as clients before 2026-07-28 do it. */
export function legacy(t: Target): string {
	const hello = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: curlClient };
	const session = ['-H', '"Mcp-Session-Id: $SESSION"'];
	return [
		`SESSION=$(${post(t, { id: 1, method: 'initialize', params: hello }, '-o', '/dev/null', '-D', '-')} |`,
		`  tr -d '\\r' | sed -n 's/^[Mm]cp-[Ss]ession-[Ii]d: //p')`,
		post(t, { method: 'notifications/initialized' }, ...session),
		post(t, { id: 2, method: 'tools/list' }, ...session),
	].join('\n');
}

/** Lines of a file, without those that are empty. */
export function lines(...all: string[]): string {
	return all.filter(Boolean).join('\n');
}

/** The command that tells Claude Code. */
export function claude(t: Target, scope: string): string {
	// The name and the address come first: --header takes every word behind it.
	return command(
		'claude',
		'mcp',
		'add',
		'--transport',
		'http',
		'--scope',
		scope,
		t.name,
		t.url,
		...(t.token ? ['--header', header(t)] : []),
	);
}

/** The REST API beside an MCP endpoint. */
export function rest(url: string): string {
	return url.replace(/\/mcp(\/[^/]*)?$/, '/api/tools');
}

/** The HTTP+SSE endpoint beside a streamable one. */
export function older(url: string): string {
	return url.replace(/\/mcp(\/[^/]*)?$/, '/sse$1');
}

/** What another container needs besides the address. */
export function networkSnippet(network: string): string {
	return [
		'services:',
		'  my-agent:',
		`    networks: [${yamlKey(network)}]`,
		'networks:',
		`  ${yamlKey(network)}: { external: true }`,
	].join('\n');
}
