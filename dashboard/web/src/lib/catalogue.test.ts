import { describe, expect, it } from 'vitest';
import {
	careful,
	entry,
	estimate,
	excerpt,
	grouped,
	hints,
	marks,
	modelView,
	percentile,
	search,
	shares,
	sorted,
	terms,
	tokens,
	type Tool,
} from './catalogue';

function tool(name: string, more: Partial<Tool> & { raw?: object } = {}): Tool {
	const { raw, ...rest } = more;
	const [backend, originalName] = name.split('__') as [string, string];
	return {
		name,
		backend,
		originalName,
		tool: {
			name: originalName,
			description: `Does ${originalName}.`,
			inputSchema: { type: 'object' },
			...raw,
		},
		tokens: 100,
		stats: { calls: 0, errors: 0 },
		...rest,
	};
}
const entries = (...tools: Tool[]) => tools.map(entry);
const names = (list: { tool: Tool }[]) => list.map((one) => one.tool.name);
const day = 24 * 3600 * 1000;

describe('search', () => {
	const all = entries(
		tool('github__search_issues', {
			raw: {
				title: 'Search issues',
				description: 'Finds Issues by Übersicht',
				inputSchema: { properties: { owner: {}, filter: { properties: { label: {} } } } },
			},
		}),
		tool('notes__create', { raw: { annotations: { title: 'New note' } } }),
	);
	it.each([
		['', 2],
		['issues', 1],
		['ISSUES github', 1],
		['ubersicht', 1],
		['owner', 1],
		['label', 1],
		['new note', 1],
		['create', 1],
		['issues create', 0],
		['nothing', 0],
		['backend:github', 1],
		['issues backend:notes', 0],
		['backend:git', 0],
	])('%j finds %i', (query, count) => expect(search(all, query)).toHaveLength(count));

	it('marks what was found, also where folding changes letters', () => {
		expect(marks('Search Issues', terms('sea ISS'))).toEqual([
			{ text: 'Sea', hit: true },
			{ text: 'rch ', hit: false },
			{ text: 'Iss', hit: true },
			{ text: 'ues', hit: false },
		]);
		expect(
			marks('ÜBER ﬁx 🎈', terms('uber 🎈'))
				.filter((piece) => piece.hit)
				.map((piece) => piece.text),
		).toEqual(['ÜBER', '🎈']);
		expect(marks('a<b>', terms('<b>'))).toEqual([
			{ text: 'a', hit: false },
			{ text: '<b>', hit: true },
		]);
		expect(marks('abc', [])).toEqual([{ text: 'abc', hit: false }]);
	});

	it('says where a query was found when it is not in the name', () => {
		expect(excerpt(all[0]!, terms('search'))).toBeNull();
		expect(excerpt(all[0]!, terms('owner'))?.where).toBe('parameter');
		expect(excerpt(all[0]!, terms('ubersicht'))).toMatchObject({ where: 'description' });
	});

	it('is quick with thousands of tools and a description of 100 KB', () => {
		const many = entries(
			...Array.from({ length: 5000 }, (_, i) =>
				tool(`b${i % 20}__t${i}`, { raw: { description: 'x'.repeat(i === 0 ? 100_000 : 500) } }),
			),
		);
		const start = performance.now();
		for (const query of ['t', 't4', 't49', 't499', 't4999']) sorted(search(many, query), 'tokens');
		expect(performance.now() - start).toBeLessThan(1500);
		expect(search(many, 't4999')).toHaveLength(1);
	});
});

it('sorts by numbers, largest first, and by name', () => {
	const all = entries(
		tool('a__t10', { tokens: 5, stats: { calls: 21, errors: 0, p95Ms: 3 } }),
		tool('a__t9', { tokens: 9, stats: { calls: 0, errors: 0, p95Ms: null } }),
		tool('b__t1', {
			tokens: 5,
			stats: { calls: 70, errors: 2, p95Ms: 1, lastAt: '2026-01-02T03:04:05.000Z' },
		}),
	);
	expect(names(sorted(all, 'name'))).toEqual(['a__t9', 'a__t10', 'b__t1']);
	expect(names(sorted(all, 'tokens'))).toEqual(['a__t9', 'a__t10', 'b__t1']);
	expect(names(sorted(all, 'calls'))).toEqual(['b__t1', 'a__t10', 'a__t9']);
	expect(names(sorted(all, 'p95'))).toEqual(['a__t10', 'b__t1', 'a__t9']);
	expect(percentile(tool('a__x', { stats: { calls: 19, errors: 0, p95Ms: 3 } }))).toBeUndefined();
	expect(names(sorted(all, 'last'))[0]).toBe('b__t1');
	expect(names(sorted(all, 'errors'))[0]).toBe('b__t1');
});

it('groups and adds up what clients get', () => {
	const all = entries(
		tool('b__x'),
		tool('a__x', { enabled: false }),
		tool('a__y'),
		tool('a__z', { hidden: 'taken' }),
	);
	expect(grouped(all).map(({ backend, enabled, tokens }) => [backend, enabled, tokens])).toEqual([
		['a', 1, 100],
		['b', 1, 100],
	]);
	const many = entries(...Array.from({ length: 9 }, (_, i) => tool(`s${i}__x`, { tokens: 10 * (i + 1) })));
	const bar = shares(many, 4);
	expect(bar.map((share) => share.backend)).toEqual(['s8', 's7', 's6', '']);
	expect(bar.reduce((sum, share) => sum + share.tokens, 0)).toBe(450);
	expect(bar.at(-1)!.tools).toBe(6);
});

describe('hints', () => {
	const ids = (tools: Tool[], since = 8 * day) => hints(entries(...tools), 0, since).map((hint) => hint.id);
	it('nothing is worth saying of two good tools', () =>
		expect(ids([tool('a__x'), tool('a__y')])).toEqual([]));
	it('tools that nobody calls, once there was time to', () => {
		const tools = [tool('a__x', { stats: { calls: 3, errors: 0 } }), tool('a__y'), tool('b__z')];
		expect(hints(entries(...tools), 0, 8 * day)[0]).toMatchObject({
			id: 'idle',
			names: ['a__y', 'b__z'],
			offersOff: true,
			text: '2 tools were never called in 8 days; disabling them saves ~200 tokens.',
		});
		expect(ids(tools, day / 2)).toEqual([]);
		expect(ids([...tools.slice(1)])).toEqual([]);
	});
	it('names that differ only by prefix, missing descriptions, hidden tools, long ones', () => {
		expect(ids([tool('a__search'), tool('b__search')])).toEqual(['twins:1:search']);
		expect(ids([tool('a__x', { raw: { description: '' } })])).toEqual(['silent']);
		expect(ids([tool('a__x', { hidden: 'b has it.' })])).toEqual(['hidden']);
		expect(ids([tool('a__x', { tokens: 9000 })])).toEqual(['long']);
		const altered = (at: string) => tool('a__x', { altered: { at, before: {} } });
		expect(ids([altered('2026-01-01T00:00:00Z')])).toEqual(['altered:2026-01-01T00:00:00Z:1']);
		expect(ids([altered('2026-01-02T00:00:00Z')])).toEqual(['altered:2026-01-02T00:00:00Z:1']); // not dismissed with the other
		expect(ids([tool('a__x', { tokens: 9000, enabled: false })])).toEqual([]);
	});
});

it('reads annotations as words, and knows what to be careful with', () => {
	const words = (annotations: object | undefined) =>
		entry(tool('a__x', { raw: { annotations } })).annotations.map((one) => one.word);
	expect(words({ readOnlyHint: true, destructiveHint: true, openWorldHint: true })).toEqual([
		'read-only',
		'open world',
	]);
	expect(words({ destructiveHint: true, idempotentHint: true })).toEqual(['destructive', 'idempotent']);
	expect(words(undefined)).toEqual([]);
	expect(careful({ annotations: { readOnlyHint: true } })).toBeNull();
	expect(careful({ annotations: { destructiveHint: false } })).toBeNull();
	expect(careful({ annotations: { destructiveHint: true } })).toBe('destructive');
	expect(careful({})).toBe('unknown');
	expect(careful(null)).toBe('unknown');
});

it('stands what is no tool', () => {
	for (const raw of [null, 7, [], { description: 7, inputSchema: 'x', annotations: [] }]) {
		const one = entry({ ...tool('a__x'), tool: raw });
		expect(one).toMatchObject({ description: '', title: '', parameters: [] });
	}
});

it('tokens are estimates in three digits', () => {
	expect([0, 999, 1000, 24_149, 99_949, 99_960, 1_234_567].map(tokens)).toEqual([
		'0',
		'999',
		'1.0k',
		'24.1k',
		'99.9k',
		'100k',
		'1.2M',
	]);
	expect(estimate('abcd')).toBe(1);
	expect(estimate('äöüß')).toBe(2);
	expect(Object.keys(modelView(tool('a__x')))).toEqual(['name', 'description', 'input_schema']);
});
