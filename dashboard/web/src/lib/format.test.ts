import { expect, it } from 'vitest';
import { bytes, duration, middle, percent, plural, relative, round, timeMs, tokens } from './format';

it('writes durations', () => {
	const want: [number | null, string][] = [
		[null, '–'],
		[0, '0 ms'],
		[0.04, '0.04 ms'],
		[4, '4 ms'],
		[12.34, '12.3 ms'],
		[191.4, '191 ms'],
		[999.9, '1 s'],
		[2400, '2.4 s'],
		[59_900, '1 min'],
		[180_000, '3 min'],
		[7_200_000, '2 h'],
		[5 * 86_400_000, '5 d'],
	];
	for (const [ms, text] of want) expect(duration(ms), String(ms)).toBe(text);
});

it('writes numbers', () => {
	expect([round(0), round(1.25), round(99.96), round(1234)]).toEqual(['0', '1.3', '100', '1234']);
	expect([tokens(212), tokens(24_100), bytes(300), bytes(8100), bytes(1_048_576)]).toEqual([
		'~212',
		'~24.1k',
		'300 B',
		'8.1 KB',
		'1 MB',
	]);
	expect([percent(0.016), percent(undefined), percent(0 / 0)]).toEqual(['1.6 %', '–', '–']);
	expect([plural(1, 'tool'), plural(1204, 'tool')]).toEqual(['1 tool', '1,204 tools']);
});

it('writes times', () => {
	expect([relative(0, 500), relative(0, 4200), relative(12_000, 0), relative(0, 180_000)]).toEqual([
		'now',
		'4 s ago',
		'in 12 s',
		'3 min ago',
	]);
	expect(timeMs(Date.UTC(2026, 0, 1, 0, 0, 7, 4))).toMatch(/:07\.004$/);
});

it('cuts names in the middle, never a letter in half', () => {
	expect(middle('short', 10)).toBe('short');
	expect(middle('abcdefghij', 5)).toBe('ab…ij');
	expect([...middle('😀'.repeat(20), 7)]).toHaveLength(7);
});
