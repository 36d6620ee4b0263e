import { describe, expect, it } from 'vitest';
import { CallLog, type Call } from '../../lib/calls';
import { parse } from '../../lib/filter';
import { choices, choose, newer, type Wanted } from './list';

const call = (id: number, more: Partial<Call> = {}): Call => ({
	id,
	at: `2026-11-27T12:00:${String(id).padStart(2, '0')}.000Z`,
	state: 'ok',
	method: 'tools/call',
	name: 'search',
	backend: 'github',
	client: { id: 'c', name: 'Claude Code' },
	era: 'modern',
	requestBytes: 1,
	durationMs: 500,
	...more,
});
const log = new CallLog();
log.add([
	call(1),
	call(2, { protocol: true, method: 'tools/list', name: undefined }),
	call(3, { backend: 'gitlab', durationMs: 3000 }),
	call(4, { state: 'running', durationMs: undefined, client: { id: 'd', name: 'Cursor' } }),
]);
log.broken();
log.merge([call(9)], 9);
const start = Date.parse('2026-11-27T12:00:00.000Z');
const shown = (w: Partial<Wanted> & { text?: string }, now = start) =>
	choose(log.rows, { protocol: false, ...w, filter: parse(w.text ?? '') }, now);
const ids = (...args: Parameters<typeof shown>) =>
	shown(...args).rows.map((r) => (r.kind === 'call' ? r.call.id : '-'));

describe('what is shown', () => {
	it('is newest first, without protocol traffic, with what is missing', () => {
		expect(ids({})).toEqual([9, '-', 4, 3, 1]);
		expect(shown({}).of).toBe(4);
		expect(ids({ protocol: true })).toEqual([9, '-', 4, 3, 2, 1]);
		expect(shown({ protocol: true }).of).toBe(5);
	});
	it('is what the filter says', () => {
		expect(ids({ text: 'backend:gitlab' })).toEqual(['-', 3]);
		expect(shown({ text: 'backend:gitlab' })).toMatchObject({ calls: 1, of: 4 });
		expect(ids({ text: '>1s' }, start + 4500)).toEqual(['-', 3]);
		expect(ids({ text: '>1s' }, start + 5500)).toEqual(['-', 4, 3]);
	});
	it('is what ended in the stretch of time', () => {
		const from = start / 1000 + 6;
		expect(ids({ from, to: from + 1 })).toEqual(['-', 3]);
		expect(ids({ from: from - 5, to: from - 4 })).toEqual(['-', 1]);
	});
});

it('counts what is newer than a row', () => {
	const { rows } = shown({});
	expect(newer(rows, rows[2]!.key)).toBe(2);
	expect(newer(rows, rows[0]!.key)).toBe(0);
	expect(newer(rows, 0)).toBe(rows.length);
});

it('offers what there is', () => {
	expect(choices(log.rows, false)).toEqual({
		backend: ['github', 'gitlab'],
		tool: ['search'],
		client: ['Claude Code', 'Cursor'],
		method: ['tools/call'],
	});
	expect(choices(log.rows, true).method).toEqual(['tools/call', 'tools/list']);
	expect(choices(log.rows, false, 1).backend).toEqual(['github']);
});
