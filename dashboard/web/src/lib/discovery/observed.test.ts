import { describe, expect, it } from 'vitest';
import { container } from './fixture';
import {
	counts,
	find,
	gone,
	inPlace,
	looksLikeMCP,
	row,
	sentence,
	severityOf,
	sift,
	usual,
	wordOf,
} from './observed';

const rows = (...all: ReturnType<typeof container>[]) => all.map(row);
const keys = (list: { key: string }[]) => list.map((r) => r.key);

describe('a container as a row', () => {
	it('names the first step that failed, and greys those behind it', () => {
		const r = row(container('a', 'refused', 6));
		expect(r.failed).toMatchObject({ number: 6, name: 'port reachable' });
		expect(r.ladder.map((s) => s.beyond)).toEqual([false, false, false, false, false, false, true, true]);
	});
	it('names a step that holds back, where none failed', () => {
		const o = container('a', 'registered_warn');
		const ladder = o.ladder?.map((s, i) => (i === 2 ? { ...s, state: 'warn' as const } : s));
		expect(row({ ...o, ladder }).failed?.name).toBe('labels valid');
	});
	it('is as bad as the worst of its backends', () => {
		const others = [{ backend: 'b', verdict: 'no_port', reason: 'no port' }];
		expect(row(container('a', 'registered', 9, { others })).severity).toBe('error');
	});
	it('is a problem as the gateway only when something is to be done', () => {
		expect(row(container('gw', 'self')).severity).toBe('ignored');
		expect(row(container('gw', 'self', 9, { fix: 'docker network connect n gw' })).severity).toBe('error');
	});
	it('is a problem with a verdict of a later version', () => {
		expect([severityOf('brand_new'), wordOf('brand_new')]).toEqual(['error', 'Brand new']);
	});
	it('knows since when it runs, or was seen', () => {
		expect(row(container('a', 'registered', 9, { startedAt: '2026-11-27T12:00:00Z' })).since).toBe(
			Date.UTC(2026, 10, 27, 12),
		);
		expect(row(container('a', 'registered', 9, { seenAt: 'never' })).since).toBe(0);
	});
});

describe('the list', () => {
	const all = rows(
		container('z', 'registered'),
		container('b', 'not_labelled', 2),
		container('d', 'registered_warn'),
		container('c', 'refused', 6, { labels: { 'mcp-gw.port': '8081' } }),
	);
	it('counts what its filters have', () =>
		expect(counts(all)).toEqual({ problems: 2, registered: 2, ignored: 1, all: 4 }));
	it('shows the problems first of all, if there are any', () => {
		expect(usual(counts(all))).toBe('problems');
		expect(usual(counts(rows(container('z', 'registered'))))).toBe('all');
	});
	it('has the worst first', () => expect(keys(sift(all, 'all', ''))).toEqual(['c', 'd', 'z', 'b']));
	it.each([
		['problems', '', ['c', 'd']],
		['registered', '', ['d', 'z']],
		['ignored', '', ['b']],
		['all', 'PORT=8081', ['c']],
		['all', 'connection refused', ['c']],
		['problems', 'acme z', []],
	] as const)('%s with %j', (filter, query, want) => expect(keys(sift(all, filter, query))).toEqual(want));
	it.each([
		['c', 'c'],
		['c0123456789', 'c'],
		['c012', 'c'],
		['c01', undefined],
		['', undefined],
	])('finds %j', (item, key) => expect(find(all, item)?.key).toBe(key));
});

describe('a list that somebody reads', () => {
	it('keeps each in its place, also one that was mended and made anew', () => {
		const now = rows(container('a', 'registered'), container('b', 'refused'), container('new', 'no_port'));
		const placed = inPlace(['a', 'b', 'gone'], now, sift(now, 'problems', ''));
		expect(keys(placed.rows)).toEqual(['a', 'b', 'new']);
		expect(placed.stale).toBe(1);
	});
	it('puts what is new where it belongs', () => {
		const now = rows(
			container('a', 'refused'),
			container('c', 'refused'),
			container('b', 'refused'),
			container('0', 'refused'),
		);
		expect(keys(inPlace(['a', 'c'], now, sift(now, 'problems', '')).rows)).toEqual(['0', 'a', 'b', 'c']);
	});
	it('has a place for one that comes back', () => {
		const without = rows(container('a', 'refused'), container('c', 'refused'));
		const { keys: order } = inPlace(['a', 'b', 'c'], without, sift(without, 'problems', ''));
		const again = rows(container('a', 'refused'), container('c', 'refused'), container('b', 'registered'));
		expect(keys(inPlace(order, again, sift(again, 'problems', '')).rows)).toEqual(['a', 'b', 'c']);
	});
	it('says of one that went that it is gone', () =>
		expect(gone(row(container('a', 'refused', 6)))).toMatchObject({
			key: 'a',
			severity: 'ignored',
			word: 'Gone',
			ladder: [],
		}));
	it('is quick with many', () => {
		const many = rows(
			...Array.from({ length: 2000 }, (_, i) => container(`c${i}`, i % 2 ? 'refused' : 'registered')),
		);
		const began = performance.now();
		inPlace(keys(many), many, sift(many, 'problems', 'c1'));
		expect(performance.now() - began).toBeLessThan(1000);
	});
});

describe('words', () => {
	it.each([
		['registered as demo: 7 tools', 'Registered as demo: 7 tools.'],
		['"a" exposes no TCP port', '"a" exposes no TCP port.'],
		['mcp-gw.port="x" is not a number', 'mcp-gw.port="x" is not a number.'],
		['mcp-gw.enable=false', 'mcp-gw.enable=false.'],
		['is it right?', 'Is it right?'],
		['http://h/mcp', 'http://h/mcp.'],
		['', ''],
	])('%j is the sentence %j', (text, want) => expect(sentence(text)).toBe(want));
	it('believes an image that says what it is', () => {
		const reason = 'on "n", without mcp-gw labels; its image says that it is the MCP server "io.x/y"';
		expect(looksLikeMCP(container('a', 'not_labelled', 2, { image: 'x', reason }))).toBe(true);
	});
	it.each([
		['ghcr.io/acme/github-mcp-server:1', true],
		['mcp/fetch', true],
		['mcp-notes', true],
		['acme/amcpx', false],
		['postgres:17', false],
	])('%s looks like an MCP server: %s', (image, want) =>
		expect(looksLikeMCP(container('a', 'not_labelled', 2, { image }))).toBe(want),
	);
});
