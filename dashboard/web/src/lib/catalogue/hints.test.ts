import { describe, expect, it } from 'vitest';
import type { Tool } from './entry';
import { entries, tool } from './fixture';
import { hints } from './hints';

const day = 24 * 3600 * 1000;

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
