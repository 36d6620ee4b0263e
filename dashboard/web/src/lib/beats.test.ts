import { expect, test } from 'vitest';
import { bars, kindOf, places, summary } from './beats';

test('a check is ok, slow or failed', () => {
	expect([3, 1500, -1].map((ms) => kindOf({ t: 0, ms }))).toEqual(['ok', 'slow', 'failed']);
});

test('the latest check is at the right end', () => {
	expect(bars([{ t: 1, ms: 2 }], 'ok', places * 2, 10)).toBe(`M${(places - 1) * 2}.0 10v-6h1.4v6z`);
	expect(bars([{ t: 1, ms: 2 }], 'failed', places * 2, 10)).toBe('');
	const many = Array.from({ length: places + 20 }, (_, t) => ({ t, ms: 1 }));
	expect(bars(many, 'ok', places, 10).match(/M/g)).toHaveLength(places);
	expect(bars(many, 'ok', places, 10).startsWith('M0.0 ')).toBe(true);
});

test('says what is to be seen', () => {
	expect(summary([])).toBe('Not checked yet.');
	expect(summary([{ t: 1, ms: -1 }])).toBe('The last 1 check failed.');
	expect(
		summary([
			{ t: 1, ms: 4 },
			{ t: 2, ms: -1 },
			{ t: 3, ms: 40 },
		]),
	).toBe('Of the last 3 checks 1 failed; the slowest took 40 ms.');
});
