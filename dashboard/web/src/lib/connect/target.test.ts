import { describe, expect, it } from 'vitest';
import { endpoint, reach, targetName } from './target';

describe('how far an address reaches', () => {
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
