import { expect, it } from 'vitest';
import { inSight } from './windowed';

it('is what the window shows, and a little around it', () => {
	expect(inSight(2000, 40, 300, 800)).toEqual({ from: 0, to: 23 });
	expect(inSight(2000, 40, -40_000, 800)).toEqual({ from: 990, to: 1030 });
	expect(inSight(2000, 40, -79_900, 800)).toEqual({ from: 1987, to: 2000 });
	expect(inSight(3, 40, 300, 800)).toEqual({ from: 0, to: 3 });
	expect(inSight(0, 40, 300, 800)).toEqual({ from: 0, to: 0 });
	expect(inSight(10, 40, -99_999, 800)).toEqual({ from: 10, to: 10 });
	expect(inSight(100, 40, 5000, 800)).toEqual({ from: 0, to: 0 });
});
