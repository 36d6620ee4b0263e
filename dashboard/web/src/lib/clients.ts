// Who connects to the gateway, in words, and what the page that waits for a client
// makes of what happens. Pure.
import type { components } from './api.gen';
import { plural } from './format';

export type Client = components['schemas']['Client'];
export type Refusal = components['schemas']['Refusal'];

/** What clients call themselves, and what people call them. */
const names: [RegExp, string][] = [
	[/^claude-code$/i, 'Claude Code'],
	[/^claude-ai$/i, 'Claude'],
	[/^anthropic\/claudeai$/i, 'claude.ai'],
	[/^codex(-mcp-client)?$/i, 'Codex'],
	[/^cursor(-vscode)?$/i, 'Cursor'],
	[/^gemini-cli(-mcp-client.*)?$/i, 'Gemini CLI'],
	[/^antigravity(-client)?$/i, 'Antigravity'],
	[/^windsurf(-client)?$/i, 'Windsurf'],
	[/^visual studio code$/i, 'VS Code'],
	[/^openai-mcp.*$/i, 'ChatGPT'],
	[/^(mcp-)?inspector(-client|-cli)?$/i, 'MCP Inspector'],
];

/** The name that people know; else the one it gives, as it is. */
export function clientName(name: string): string {
	// mcp-remote says whom it stands in for.
	const through = /^(.*) \(via (mcp-remote [\w.-]+)\)$/.exec(name);
	if (through) return `${clientName(through[1] ?? '')} through ${through[2]}`;
	return names.find(([known]) => known.test(name))?.[1] ?? name;
}

/** Claude Code 2.1.4 */
export function clientTitle(client: Pick<Client, 'name' | 'version'>): string {
	return [clientName(client.name), client.version].filter(Boolean).join(' ');
}

/** session 2025-11-25, stateless 2026-07-28 */
export function eraWords(client: Pick<Client, 'era' | 'protocolVersion'>): string {
	return [client.era === 'legacy' ? 'session' : 'stateless', client.protocolVersion]
		.filter(Boolean)
		.join(' ');
}

/** Nothing was heard of it for so long, in ms. */
const idleAfter = 10 * 60_000;

export function idle(client: Client, now: number): boolean {
	if (client.streams > 0) return false;
	return !client.connected || now - Date.parse(client.lastSeen) > idleAfter;
}

/** Those one looks for first: the dashboard itself last, else as the gateway sorts. */
export function folded(clients: Client[], now: number): { active: Client[]; idle: Client[] } {
	const sorted = clients.toSorted((a, b) => Number(a.self ?? false) - Number(b.self ?? false));
	return { active: sorted.filter((c) => !idle(c, now)), idle: sorted.filter((c) => idle(c, now)) };
}

/** What to do about a refusal, by its code, where its reason does not say so itself. */
const remedies: Record<string, string> = {
	host: 'Name the host in MCP_GW_ALLOWED_HOSTS, or use an address that is one already.',
	origin: 'Name the page’s origin in MCP_GW_ALLOWED_ORIGINS.',
	token_missing: 'Send the token: what to copy for each client is above, with the header that has it.',
	token_wrong: 'The client has another token than the gateway: it may have been changed since.',
	loop: 'A gateway was given its own address as a backend: remove that backend.',
	endpoint: 'No backend or group has that name: look at what the address is for.',
	session_missing: 'The client sends no session: it has to begin with initialize.',
	session_unknown:
		'The session ended, or was of another life of the gateway: the client has to connect anew.',
	version: 'The client speaks a revision of MCP that this gateway does not.',
	content_type: 'The client has to send JSON, and to accept JSON and event streams.',
	body: 'What it sent is too large, or cannot be read.',
	message: 'What it sent is no MCP message.',
};

export function remedy(refusal: Pick<Refusal, 'code' | 'reason'>): string {
	const said = refusal.reason.includes('MCP_GW_') && !refusal.code.startsWith('token_');
	return said ? '' : (remedies[refusal.code] ?? '');
}

/** Who sent what was refused, as far as it said. */
export function sender(refusal: Pick<Refusal, 'userAgent'>): string {
	const product = /^([^\s/()]+)\/?([\w.-]*)/.exec(refusal.userAgent ?? '');
	return product ? [clientName(product[1] ?? ''), product[2]].filter(Boolean).join(' ') : 'A client';
}

/** What the page that waits for a client knows. */
export interface Watch {
	/** Those that came since, the latest first, with when they were noticed (ms since 1970). */
	came: { client: Client; at: number }[];
	/** The latest that was refused while none got in after it. */
	refused: { refusal: Refusal; at: number } | undefined;
	/** When each was last heard of. */
	heard: Map<string, number>;
	/** When somebody was refused last. */
	lastRefused: number;
}

export interface Snapshot {
	clients: Client[];
	refused: Refusal[];
}

const most = 3;
/** Without sessions a client that starts anew is the same as before: it was quiet for so long, in ms. */
const quiet = 60_000;

const newest = (refused: Refusal[]) => Math.max(0, ...refused.map((r) => Date.parse(r.at)));
const heardOf = (clients: Client[]) => new Map(clients.map((c) => [c.id, Date.parse(c.lastSeen)]));

/** Begins to wait: whoever is here by now has not come. */
export function watchFrom(now: Snapshot): Watch {
	return { came: [], refused: undefined, heard: heardOf(now.clients), lastRefused: newest(now.refused) };
}

/** Looks again. Times of the gateway are compared with its own only; at is the page's. */
export function look(watch: Watch, now: Snapshot, at: number): Watch {
	let came = watch.came.map((one) => ({
		...one,
		client: now.clients.find((c) => c.id === one.client.id) ?? one.client,
	}));
	let { refused } = watch;
	const lastRefused = Math.max(watch.lastRefused, newest(now.refused));
	if (lastRefused > watch.lastRefused) {
		const refusal = now.refused.find((r) => Date.parse(r.at) === lastRefused);
		if (refusal) refused = { refusal, at };
	}
	for (const client of now.clients.toReversed()) {
		if (client.self || !client.connected) continue;
		const before = watch.heard.get(client.id);
		if (before !== undefined && Date.parse(client.lastSeen) - before < quiet) continue;
		came = [{ client, at }, ...came.filter((one) => one.client.id !== client.id)].slice(0, most);
		if (refused && Date.parse(refused.refusal.at) <= Date.parse(client.lastSeen)) refused = undefined;
	}
	return { came, refused, heard: heardOf(now.clients), lastRefused };
}

/** listed 83 tools, lists the tools now */
export function listed(client: Client): string {
	return client.toolsSeen === undefined
		? 'has not listed the tools yet'
		: `listed ${plural(client.toolsSeen, 'tool')}`;
}
