// What to paste into a shell to make a call again. Pure.
import { headerValue } from './mcp/wire';

/** What is made again: a call as it is kept. */
export interface Made {
	method: string;
	name?: string;
	era: 'legacy' | 'modern';
	protocolVersion?: string;
	/** Of tools and prompts. */
	arguments?: unknown;
	/** The request as it was, JSON-RPC as text. */
	raw?: { request?: string };
}

/** One word for a POSIX shell, whatever is in the text. */
export function shell(text: string): string {
	// A shell's words cannot have it, and no JSON needs it as it is.
	text = text.replaceAll('\0', '');
	return /^[\w@%+=:,./-]+$/.test(text) && !text.startsWith('-') ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

/** Whether values were masked in it, which somebody has to put back. */
export const masked = (text: string): boolean => text.includes('•••• redacted');

/** Where somebody's shell has the token. */
const token = '-H "Authorization: Bearer $MCP_GW_TOKEN"';

const post = (url: string, headers: string[], body: unknown, auth: boolean, flags = '-sS'): string =>
	[
		`curl ${flags} ${shell(url)}`,
		...headers.map((h) => `-H ${shell(h)}`),
		...(auth ? [token] : []),
		`--data-raw ${shell(JSON.stringify(body))}`,
	].join(' \\\n  ');

/** The REST API's call of a tool; undefined for what is no tool. base is the page's address;
 * auth: the gateway asks for its token. */
export function oneShot(call: Made, base: string, auth = false): string | undefined {
	if (call.method !== 'tools/call' || !call.name) return undefined;
	const url = new URL(`api/tools/${encodeURIComponent(call.name)}/call`, base).href;
	return post(url, ['Content-Type: application/json'], { arguments: call.arguments ?? {} }, auth);
}

const version = { modern: '2026-07-28', legacy: '2025-11-25' };
const accept = ['Content-Type: application/json', 'Accept: application/json, text/event-stream'];
const meta = 'io.modelcontextprotocol/';
const who = { name: 'curl', version: '1' };

/** The MCP exchange, in the era in which the call was made. */
export function exchange(call: Made, base: string, auth = false): string {
	const url = new URL('mcp', base).href;
	const params = { ...paramsOf(call) };
	delete params['_meta'];
	if (call.era === 'modern') {
		const headers = [...accept, `MCP-Protocol-Version: ${version.modern}`, `Mcp-Method: ${call.method}`];
		if (call.name && named.test(call.method)) headers.push(`Mcp-Name: ${headerValue(call.name)}`);
		params['_meta'] = {
			[`${meta}protocolVersion`]: version.modern,
			[`${meta}clientCapabilities`]: {},
			[`${meta}clientInfo`]: who,
		};
		return post(url, headers, { jsonrpc: '2.0', id: 1, method: call.method, params }, auth, '-sSN');
	}
	const revision = /^\d{4}-\d\d-\d\d$/.test(call.protocolVersion ?? '')
		? call.protocolVersion!
		: version.legacy;
	const hello = post(
		url,
		accept,
		{
			jsonrpc: '2.0',
			id: 0,
			method: 'initialize',
			params: { protocolVersion: revision, capabilities: {}, clientInfo: who },
		},
		auth,
		'-sS -D - -o /dev/null',
	);
	const first = `${hello} |\n  tr -d '\\r' | sed -n 's/^[Mm][Cc][Pp]-[Ss]ession-[Ii]d: //p'`;
	const session = [...accept, `MCP-Protocol-Version: ${revision}`];
	const inSession = (body: unknown): string =>
		post(url, session, body, auth, '-sSN').replace(' \\\n', ' \\\n  -H "Mcp-Session-Id: $SESSION" \\\n');
	return [
		`SESSION=$(${first})`,
		inSession({ jsonrpc: '2.0', method: 'notifications/initialized' }),
		inSession({ jsonrpc: '2.0', id: 1, method: call.method, params }),
	].join('\n');
}

const named = /^(tools\/call|prompts\/get|resources\/read)$/;

function paramsOf(call: Made): Record<string, unknown> {
	try {
		const params: unknown = JSON.parse(call.raw?.request ?? '').params;
		if (typeof params === 'object' && params !== null && !Array.isArray(params)) return params as never;
	} catch {
		// It was not kept, or only a part of it.
	}
	if (call.method === 'resources/read') return { uri: call.name ?? '' };
	if (!named.test(call.method)) return {};
	return { name: call.name ?? '', arguments: call.arguments ?? {} };
}
