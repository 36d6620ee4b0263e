// How each client is connected: what to type, which file to write, and what to know
// before. Pure: the page fills in the address and the token.
import { base64, command, json, shell, toml, tomlKey } from '../quote';
import {
	claude,
	header,
	headers,
	legacy,
	lines,
	mcpRemote,
	mcpServers,
	merge,
	modern,
	older,
	only,
	rest,
	tokenVariable,
	unreachable,
} from './pieces';
import type { Target } from './target';

export interface Block {
	title: string;
	code: string;
	/** The file that the code belongs in. */
	file?: string;
}

export interface Recipe {
	/** Stands in the page's URL. */
	id: string;
	name: string;
	blocks: (t: Target) => Block[];
	/** Opens the client and has it ask whether it may. */
	link?: (t: Target) => { label: string; href: string };
	/** How to see that it works. */
	check: string;
	limits?: (t: Target) => string[];
}

export const recipes: Recipe[] = [
	{
		id: 'claude-code',
		name: 'Claude Code',
		blocks: (t) => [
			{ title: 'In a terminal', code: claude(t, 'user') },
			{
				title: 'Or for everybody in a project',
				file: '.mcp.json',
				code: mcpServers(t, { type: 'http', url: t.url, ...headers(t) }),
			},
		],
		check:
			'In Claude Code, /mcp lists the gateway as connected, and its tools. In a terminal: claude mcp list.',
		limits: (t) =>
			only(
				'--scope user adds it to all your projects; --scope project writes .mcp.json, and each person is asked once whether to trust it.',
				t.token &&
					'A .mcp.json is usually committed: write ${' +
						tokenVariable +
						'} in it instead of the token, and set the variable.',
			),
	},
	{
		id: 'codex',
		name: 'Codex',
		blocks: (t) => [
			{
				title: 'In a terminal',
				code: lines(
					t.token && `export ${tokenVariable}=${shell(t.token)}`,
					command(
						'codex',
						'mcp',
						'add',
						t.name,
						'--url',
						t.url,
						...(t.token ? ['--bearer-token-env-var', tokenVariable] : []),
					),
				),
			},
			{
				title: 'Or in its file',
				file: '~/.codex/config.toml',
				code: lines(
					`[mcp_servers.${tomlKey(t.name)}]`,
					`url = ${toml(t.url)}`,
					t.token && `bearer_token_env_var = ${toml(tokenVariable)}`,
				),
			},
		],
		check:
			'In Codex, /mcp lists the gateway and its tools. In a terminal: codex mcp list. The IDE extension reads the same file.',
		limits: (t) =>
			only(
				t.token &&
					`Codex takes no token in its file, only the name of a variable: ${tokenVariable} has to be set where Codex is started.`,
				'A project’s own .codex/config.toml counts in trusted projects only.',
			),
	},
	{
		id: 'cursor',
		name: 'Cursor',
		link: (t) => ({
			label: 'Add to Cursor',
			href: `cursor://anysphere.cursor-deeplink/mcp/install?name=${encodeURIComponent(t.name)}&config=${encodeURIComponent(base64(JSON.stringify({ url: t.url, ...headers(t) })))}`,
		}),
		blocks: (t) => [
			{
				title: 'In its file',
				file: '~/.cursor/mcp.json',
				code: mcpServers(t, { url: t.url, ...headers(t) }),
			},
		],
		check: 'Cursor Settings, MCP: a green dot beside the gateway, and how many tools it has.',
		limits: () => [
			merge,
			'Cursor warns when many tools are enabled: serve it one backend or group, or switch tools off here.',
		],
	},
	{
		id: 'vscode',
		name: 'VS Code',
		link: (t) => ({
			label: 'Add to VS Code',
			href: `vscode:mcp/install?${encodeURIComponent(JSON.stringify({ name: t.name, type: 'http', url: t.url, ...headers(t) }))}`,
		}),
		blocks: (t) => [
			{
				title: 'In a terminal',
				code: command(
					'code',
					'--add-mcp',
					JSON.stringify({ name: t.name, type: 'http', url: t.url, ...headers(t) }),
				),
			},
			{
				title: 'Or in a workspace',
				file: '.vscode/mcp.json',
				code: json({ servers: { [t.name]: { type: 'http', url: t.url, ...headers(t) } } }),
			},
		],
		check:
			'Command palette, MCP: List Servers shows the gateway as running. Its tools are in the tools menu of the agent mode.',
		limits: () => [
			'The key of this file is servers, not mcpServers.',
			'A chat request takes 128 tools at most.',
		],
	},
	{
		id: 'gemini',
		name: 'Gemini CLI',
		blocks: (t) => [
			{
				title: 'In a terminal',
				code: command(
					'gemini',
					'mcp',
					'add',
					'--scope',
					'user',
					'--transport',
					'http',
					...(t.token ? ['--header', header(t)] : []),
					t.name,
					t.url,
				),
			},
			{
				title: 'Or in its file',
				file: '~/.gemini/settings.json',
				code: mcpServers(t, { httpUrl: t.url, ...headers(t) }),
			},
		],
		check: 'In Gemini CLI, /mcp lists the gateway and its tools. In a terminal: gemini mcp list.',
		limits: () => ['The key is httpUrl: url means the older HTTP+SSE there.', merge],
	},
	{
		id: 'antigravity',
		name: 'Antigravity',
		blocks: (t) => [
			{
				title: 'In a terminal',
				code: command('agy', 'mcp', 'add', ...(t.token ? ['--header', header(t)] : []), t.name, t.url),
			},
			{
				title: 'Or in its file',
				file: '~/.gemini/config/mcp_config.json',
				code: mcpServers(t, { serverUrl: t.url, ...headers(t) }),
			},
		],
		check: 'In the CLI, /mcp lists the gateway. In the editor: Manage MCP Servers, Refresh.',
		limits: () => [
			'The key is serverUrl.',
			'In the editor, View raw config of Manage MCP Servers opens the file that it reads.',
		],
	},
	{
		id: 'windsurf',
		name: 'Windsurf',
		blocks: (t) => [
			{
				title: 'Devin Desktop, as it is called now',
				file: '~/.config/devin/mcp_config.json',
				code: mcpServers(t, { url: t.url, transport: 'http', ...headers(t) }),
			},
			{
				title: 'Windsurf with Cascade',
				file: '~/.codeium/windsurf/mcp_config.json',
				code: mcpServers(t, { serverUrl: t.url, ...headers(t) }),
			},
		],
		check: 'The MCP panel lists the gateway and its tools, after Refresh.',
		limits: () => ['Cascade wants serverUrl, Devin wants url.', 'Cascade takes 100 tools at most.'],
	},
	{
		id: 'opencode',
		name: 'opencode',
		blocks: (t) => [
			{
				title: 'Version 2',
				file: 'opencode.json',
				code: json({ mcp: { servers: { [t.name]: { type: 'remote', url: t.url, ...headers(t) } } } }),
			},
			{
				title: 'Version 1',
				file: 'opencode.json',
				code: json({ mcp: { [t.name]: { type: 'remote', url: t.url, enabled: true, ...headers(t) } } }),
			},
		],
		check: 'opencode mcp list shows the gateway as connected.',
		limits: () => ['For all projects the file is ~/.config/opencode/opencode.json.'],
	},
	{
		id: 'zed',
		name: 'Zed',
		blocks: (t) => [
			{
				title: 'In its settings',
				file: '~/.config/zed/settings.json',
				code: json({ context_servers: { [t.name]: { url: t.url, ...headers(t) } } }),
			},
		],
		check: 'The settings of the agent panel list the gateway with a green dot.',
		limits: () => [merge, 'Tools and prompts are used, resources are not.'],
	},
	{
		id: 'claude-desktop',
		name: 'Claude Desktop',
		blocks: (t) => [
			{ title: 'Settings, Developer, Edit Config', file: 'claude_desktop_config.json', code: mcpRemote(t) },
			{ title: 'Or a connector, also in claude.ai: Settings, Connectors, Add custom connector', code: t.url },
		],
		check: 'After a restart of Claude Desktop, the tools menu below the chat lists the gateway.',
		limits: (t) =>
			only(
				'The file takes commands only, and is emptied of entries with a url; mcp-remote, which needs Node.js, stands between.',
				unreachable(t, 'A connector'),
				t.token && 'A connector signs in with OAuth, and has no field for a token.',
			),
	},
	{
		id: 'chatgpt',
		name: 'ChatGPT',
		blocks: (t) => [
			{ title: 'Settings, Apps & Connectors, Advanced, Developer mode; then Create', code: t.url },
		],
		check: 'The new connector lists the tools; choose it in a chat under Developer mode.',
		limits: (t) =>
			only(unreachable(t, 'ChatGPT'), t.token && 'It signs in with OAuth, and has no field for a token.'),
	},
	{
		id: 'inspector',
		name: 'MCP Inspector',
		blocks: (t) => [
			{
				title: 'In a terminal',
				code: command(
					'npx',
					'@modelcontextprotocol/inspector',
					'--server-url',
					t.url,
					'--transport',
					'http',
					...(t.token ? ['--header', header(t)] : []),
				),
			},
			{
				title: 'Without a browser',
				code: command(
					'npx',
					'@modelcontextprotocol/inspector',
					'--cli',
					t.url,
					'--transport',
					'http',
					...(t.token ? ['--header', header(t)] : []),
					'--method',
					'tools/list',
				),
			},
		],
		check: 'Connect, then Tools, List Tools.',
		limits: () => ['It needs Node.js 22.19 or newer.'],
	},
	{
		id: 'curl',
		name: 'curl',
		blocks: (t) => [
			{ title: 'The tools, in one request (2026-07-28)', code: modern(t) },
			{ title: 'The tools, with a session (2025-11-25 and before)', code: legacy(t) },
			{
				title: 'The tools, without MCP',
				code: lines(command('curl', '-sS', ...(t.token ? ['-H', header(t)] : []), rest(t.url))),
			},
		],
		check: 'Each prints the list of tools as JSON.',
		limits: () => ['The last one lists the tools of all backends, whatever the address above is for.'],
	},
	{
		id: 'other',
		name: 'Other',
		blocks: (t) => [
			{ title: 'Streamable HTTP', code: t.url },
			{ title: 'If it only knows the older HTTP+SSE', code: older(t.url) },
			{
				title: 'What most files look like',
				code: mcpServers(t, { type: 'http', url: t.url, ...headers(t) }),
			},
			{ title: 'If it only starts commands', code: mcpRemote(t) },
		],
		check: 'This page says when it connects.',
		limits: (t) =>
			only(t.token && `The token goes into a header: Authorization: Bearer, a blank, and the token.`),
	},
];
