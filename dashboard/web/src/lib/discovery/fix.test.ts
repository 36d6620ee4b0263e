import { describe, expect, it } from 'vitest';
import { container } from './fixture';
import { fixOf, textOf, type Fix } from './fix';
import type { Diagnostic, Observed } from './observed';

const net = 'mcp-gw-net';
const remark = (label: string, suggestion: string, code = 'L002'): Diagnostic => ({
	severity: 'warning',
	code,
	label,
	message: 'm',
	suggestion,
});
const fix = (verdict: string, more: Partial<Observed>) => fixOf(container('shop', verdict, 3, more), net);
const marked = (f: Fix) =>
	f.snippets.flatMap((s) => s.lines.filter((l) => l.mark).map((l) => `${l.mark} ${l.text.trim()}`));

// The sentences are the gateway's own.
describe('a fix ready to copy', () => {
	it.each<[string, Partial<Observed> & { verdict: string }, string[]]>([
		[
			'a mistyped label',
			{
				verdict: 'registered_warn',
				labels: { 'mcp-gw.port': '8080', 'mcp-gw.transprot': 'http' },
				fix: 'mcp-gw.transport=http',
				diagnostics: [remark('mcp-gw.transprot', 'mcp-gw.transport=http', 'L001')],
			},
			['removed mcp-gw.transprot: "http"', 'changed mcp-gw.transport: "http"'],
		],
		[
			'a mistyped prefix',
			{
				verdict: 'near_miss_label',
				labels: { 'mcpgw.port': '8080' },
				fix: 'mcp-gw.port=8080',
				diagnostics: [remark('mcpgw.port', 'mcp-gw.port=8080', 'L005')],
			},
			['removed mcpgw.port: "8080"', 'changed mcp-gw.port: "8080"'],
		],
		[
			'a wrong value',
			{
				verdict: 'registered_warn',
				labels: { 'mcp-gw.timeout.call': '30' },
				fix: 'mcp-gw.timeout.call=30s',
				diagnostics: [remark('mcp-gw.timeout.call', 'mcp-gw.timeout.call=30s')],
			},
			['changed mcp-gw.timeout.call: "30s"'],
		],
		[
			'no port',
			{
				verdict: 'no_port',
				labels: { 'mcp-gw.enable': 'true' },
				fix: 'mcp-gw.port=8080, or wherever the MCP server listens',
			},
			['new mcp-gw.port: "8080"  # or wherever the MCP server listens'],
		],
		[
			'several ports',
			{
				verdict: 'port_ambiguous',
				fix: 'mcp-gw.port=3000 or mcp-gw.port=8080, whichever the MCP server listens on',
			},
			['new mcp-gw.port: "3000"  # mcp-gw.port=8080, whichever the MCP server listens on'],
		],
		[
			'no labels',
			{ verdict: 'not_labelled', fix: 'to register it, start it with the label mcp-gw.enable=true' },
			['new mcp-gw.enable: "true"', 'new mcp-gw.port: "8080"  # where the MCP server listens'],
		],
		[
			'a name that is taken',
			{
				verdict: 'conflict',
				backend: 'good',
				labels: { 'mcp-gw.name': 'good' },
				fix: 'mcp-gw.name=<another name>, as a label of shop or of good',
			},
			['changed mcp-gw.name: "good-2"  # as a label of shop or of good'],
		],
		[
			'a secret that is not granted',
			{ verdict: 'secret', fix: 'MCP_GW_SECRET_GRANTS=github_token:shop on the gateway' },
			['new MCP_GW_SECRET_GRANTS: "github_token:shop"'],
		],
		[
			'a secret in a label',
			{
				verdict: 'registered_warn',
				backend: 'shop',
				labels: { 'mcp-gw.headers.Authorization': '***' },
				diagnostics: [
					remark(
						'mcp-gw.headers.Authorization',
						"mcp-gw.secret-headers.Authorization=<secret name>, with the secret in a file of that name in the gateway's MCP_GW_SECRETS_DIR",
						'L003',
					),
				],
			},
			[
				'removed mcp-gw.headers.Authorization: "***"',
				'changed mcp-gw.secret-headers.Authorization: "shop_token"',
			],
		],
		[
			'a closed input',
			{ verdict: 'stdio', fix: 'start it with stdin_open: true (docker run -i)' },
			['new stdin_open: true'],
		],
		[
			'a terminal',
			{ verdict: 'stdio', fix: 'start it without tty: true (docker run without -t)' },
			['removed tty: true'],
		],
		[
			'another network',
			{ verdict: 'no_shared_network', fix: 'docker network connect mcp-gw-net shop' },
			['new networks: [mcp-gw-net]  # beside those that it has'],
		],
		[
			'a wrong port',
			{
				verdict: 'refused',
				labels: { 'mcp-gw.port': '8081' },
				fix: 'see in docker logs shop where the server listens. Another port: label mcp-gw.port=<port>. On 127.0.0.1: make it listen on 0.0.0.0',
			},
			['changed mcp-gw.port: "<port>"'],
		],
		[
			'the wrong port of one of several',
			{
				verdict: 'refused',
				backend: 'two',
				labels: { 'mcp-gw.backends.one.port': '1', 'mcp-gw.backends.two.port': '2' },
				fix: 'see in docker logs shop where the server listens. Another port: label mcp-gw.backends.two.port=<port>. On 127.0.0.1: make it listen on 0.0.0.0',
			},
			['changed mcp-gw.backends.two.port: "<port>"'],
		],
		[
			'a wrong path',
			{
				verdict: 'http_status',
				labels: { 'mcp-gw.path': '/api' },
				fix: 'set the label mcp-gw.path to the path at which the server answers MCP; docker logs shop often shows it',
			},
			['changed mcp-gw.path: "/mcp"  # the path at which the server answers MCP'],
		],
		[
			'a wrong transport',
			{
				verdict: 'http_status',
				labels: { 'mcp-gw.transport': 'sse' },
				fix: 'remove the label mcp-gw.transport=sse, so that the transport is found out; or set the label mcp-gw.path to the path at which the server answers MCP; docker logs shop often shows it',
			},
			[
				'removed mcp-gw.transport: "sse"',
				'new mcp-gw.path: "/mcp"  # the path at which the server answers MCP',
			],
		],
		[
			'credentials',
			{
				verdict: 'auth_required',
				backend: 'git-hub',
				fix: "mcp-gw.auth=bearer and mcp-gw.auth.secret=<secret name>, with the token in a file of that name in the gateway's MCP_GW_SECRETS_DIR, and MCP_GW_SECRET_GRANTS=<secret name>:git-hub on the gateway",
			},
			[
				'new mcp-gw.auth: "bearer"',
				'new mcp-gw.auth.secret: "git_hub_token"',
				'new MCP_GW_SECRET_GRANTS: "git_hub_token:git-hub"',
			],
		],
		[
			'hosts with commas',
			{ verdict: 'label_value', fix: 'MCP_GW_ALLOW_URL_HOSTS=a.example,b.example on the gateway' },
			['new MCP_GW_ALLOW_URL_HOSTS: "a.example,b.example"'],
		],
		[
			'a port that is only asked about',
			{
				verdict: 'no_answer',
				fix: 'is mcp-gw.port=8080 the port of the MCP server? Its log: docker logs shop',
			},
			[],
		],
		['a container that was stopped', { verdict: 'not_running', fix: 'docker start shop' }, []],
	])('%s', (_, more, want) => expect(marked(fix(more.verdict, more))).toEqual(want));

	it.each([
		['docker start shop', 'docker start shop'],
		['docker network connect mcp-gw-net shop', 'docker network connect mcp-gw-net shop'],
		[
			"docker inspect --format '{{json .State.Health}}' shop",
			"docker inspect --format '{{json .State.Health}}' shop",
		],
		['docker logs shop may say why: a missing credential or setting, most often', 'docker logs shop'],
		['see in docker logs shop where the server listens. Another port: …', 'docker logs shop'],
		[
			'move them to labels:, or: docker service update --container-label-add mcp-gw.port=8080 shop',
			'docker service update --container-label-add mcp-gw.port=8080 shop',
		],
		['mcp-gw.port=8080', ''],
	])('%s has the command %j', (text, command) =>
		expect(fix('not_running', { fix: text }).command).toBe(command),
	);

	it('is a whole service, which can be copied as it is', () => {
		const f = fix('no_port', {
			composeService: 'web',
			labels: {
				'mcp-gw.enable': 'true',
				'mcp-gw.description': 'costs $5: "cheap"',
				'mcp-gw.headers.X': '***',
			},
			fix: 'mcp-gw.port=8080, or wherever the MCP server listens',
		});
		expect(textOf(f.snippets[0] ?? { title: '', lines: [] })).toBe(
			[
				'services:',
				'  web:',
				'    image: acme/demo:1',
				'    networks: [mcp-gw-net]',
				'    labels:',
				'      mcp-gw.description: "costs $$5: \\"cheap\\""',
				'      mcp-gw.enable: "true"',
				'      mcp-gw.headers.X: "***"  # as it is: not shown here',
				'      mcp-gw.port: "8080"  # or wherever the MCP server listens',
				'networks:',
				'  mcp-gw-net: { external: true }',
			].join('\n'),
		);
		expect(f.apply).toBe('docker compose up -d web');
	});

	it('is no YAML of a stranger', () => {
		const f = fix('no_port', {
			image: 'x"\n  evil: true',
			labels: { 'a\nb': 'c\nd: "e"' },
			fix: 'mcp-gw.port=8080',
		});
		expect(textOf(f.snippets[0] ?? { title: '', lines: [] }).split('\n')).toHaveLength(9);
	});
});
