import { expect, it } from 'vitest';
import { tool } from './fixture';
import { estimate, modelView, tokens } from './tokens';

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
