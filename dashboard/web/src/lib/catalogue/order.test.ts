import { expect, it } from 'vitest';
import { entries, names, tool } from './fixture';
import { grouped, percentile, shares, sorted } from './order';

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
