import { describe, expect, it } from 'vitest';
import { container } from './fixture';
import { readings, remarks } from './read';
import { tries } from './tried';

const short = (o: Parameters<typeof readings>[0]) =>
	readings(o).map((r) => [r.label, r.meaning, r.source, r.problems.length]);

describe('what was read', () => {
	it('has each label with its meaning, its source and its problem, and then what no label gave', () => {
		const o = container('a', 'registered_warn', 9, {
			backend: 'a',
			labels: {
				'mcp-gw.port': '8080',
				'mcp-gw.timeout.call': '30',
				'mcp-gw.transprot': 'sse',
				'mcp-gw.enable': 'true',
				'mcp-gw.tls.server-name': 'x',
			},
			settings: [
				{ key: 'name', value: 'a', source: 'inferred' },
				{ key: 'port', value: '8080', source: 'label' },
				{ key: 'tls.server-name', value: 'x', source: 'label' },
				{ key: 'path', value: '/mcp', source: 'default' },
			],
			diagnostics: [
				{ severity: 'warning', code: 'L002', label: 'mcp-gw.timeout.call', message: 'has no unit' },
				{ severity: 'warning', code: 'L001', label: 'mcp-gw.transprot', message: 'unknown' },
				{ severity: 'warning', code: 'C001', message: 'is paused' },
			],
		});
		expect(short(o)).toEqual([
			['mcp-gw.enable', 'lets it in', '', 0],
			['mcp-gw.port', 'port 8080', 'label', 0],
			['mcp-gw.timeout.call', '', '', 1],
			['mcp-gw.tls.server-name', 'tls server-name x', 'label', 0],
			['mcp-gw.transprot', '', '', 1],
			['', 'name a', 'inferred', 0],
			['', 'path /mcp', 'default', 0],
		]);
		expect(remarks(o).map((d) => d.code)).toEqual(['C001']);
	});

	it('tells the backends of one container apart', () => {
		const o = container('a', 'registered', 9, {
			backend: 'search',
			labels: { 'mcp-gw.backends.search.port': '8080', 'mcp-gw.backends.admin.port': '8081' },
			settings: [{ key: 'port', value: '8080', source: 'label' }],
			others: [
				{
					backend: 'admin',
					verdict: 'registered',
					reason: '',
					settings: [{ key: 'port', value: '8081', source: 'label' }],
				},
			],
		});
		expect(readings(o).map((r) => [r.backend, r.meaning])).toEqual([
			['admin', 'port 8081'],
			['search', 'port 8080'],
		]);
	});

	it('hides what may be a secret', () => {
		const o = container('a', 'registered', 9, {
			labels: { 'mcp-gw.headers.X': '***' },
			settings: [{ key: 'headers.X', value: '***', source: 'label' }],
		});
		expect(readings(o)[0]).toMatchObject({ hidden: true, meaning: 'headers X is set' });
	});
});

describe('what was tried', () => {
	const url = 'http://172.20.0.5:8081/mcp';
	const states = (o: Parameters<typeof tries>[0]) => tries(o).map((t) => t.state);
	it('ends where the connect ended', () => {
		const o = container('a', 'refused', 6, {
			url,
			reason: '172.20.0.5:8081: refused the connection: nothing listens there',
		});
		expect(states(o)).toEqual(['ok', 'failed', 'pending', 'pending', 'pending']);
		expect(tries(o)[0]?.detail).toBe('172.20.0.5 is an address, no name had to be looked up.');
		expect(tries(o)[1]?.detail).toBe('Refused the connection: nothing listens there.');
	});
	it.each([
		['http_status', ['ok', 'ok', 'failed', 'pending', 'pending']],
		['protocol', ['ok', 'ok', 'ok', 'failed', 'pending']],
		['list_failed', ['ok', 'ok', 'ok', 'ok', 'failed']],
		['no_tools', ['ok', 'ok', 'ok', 'ok', 'warn']],
		['registered', ['ok', 'ok', 'ok', 'ok', 'ok']],
	])('%s', (verdict, want) => expect(states(container('a', verdict, 9, { url }))).toEqual(want));
	it('is nothing where discovery said no', () => expect(tries(container('a', 'no_port', 3))).toEqual([]));
	it('has no name for standard input and output', () =>
		expect(tries(container('a', 'registered')).map((t) => t.what)).toEqual([
			'Connection',
			'Answer',
			'MCP',
			'Tools',
		]));
});
