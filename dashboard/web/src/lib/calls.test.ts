import { describe, expect, it } from 'vitest';
import { CallLog, type Call, type Row } from './calls';

const call = (id: number, more: Partial<Call> = {}): Call => ({
	id,
	at: '2026-11-27T12:00:00.000Z',
	state: 'ok',
	method: 'tools/call',
	name: 'search',
	durationMs: 1,
	client: { id: 'c', name: 'Claude Code' },
	era: 'modern',
	requestBytes: 1,
	...more,
});
const range = (from: number, to: number): Call[] =>
	Array.from({ length: to - from + 1 }, (_, i) => call(from + i));
const newestFirst = (from: number, to: number): Call[] => range(from, to).reverse();
/** Rows in short: ids, and what is missing. */
const show = (rows: Row[]): string =>
	rows
		.map((r) =>
			r.kind === 'call'
				? `${r.call.id}${r.lost ? '?' : r.call.state === 'running' ? '…' : ''}`
				: `(${r.why} ${r.count ?? 'unknown'}${r.before === undefined ? '' : ` before ${r.before}`})`,
		)
		.join(' ');

describe('rows', () => {
	it('are in the order of ids, and changed in their place', () => {
		const log = new CallLog();
		log.add([call(1, { state: 'running' }), call(2), call(4)]);
		const first = log.rows[0];
		log.add([call(3), call(1)]);
		expect(show(log.rows)).toBe('1 2 3 4');
		expect(log.rows[0]).not.toBe(first);
		expect(log.find(1)).toBe(log.rows[0]);
		expect(log.find(9)).toBeUndefined();
	});
	it('do not go back to running when an older answer comes late', () => {
		const log = new CallLog();
		log.add([call(1)]);
		log.merge([call(1, { state: 'running' })], 1);
		expect(show(log.rows)).toBe('1');
	});
	it('are bounded, the oldest give way', () => {
		const log = new CallLog(10);
		for (let i = 1; i <= 100; i++) log.add([call(i)]);
		expect(show(log.rows)).toBe('91 92 93 94 95 96 97 98 99 100');
		expect(log.find(90)).toBeUndefined();
		log.add([call(5)]); // too old to be kept
		expect(log.find(5)).toBeUndefined();
	});
	it('can be cleared, and older ones asked for again', () => {
		const log = new CallLog();
		log.add(range(1, 3));
		log.clear();
		expect(show(log.rows)).toBe('');
		log.add([call(4)]);
		expect(log.firstId()).toBe(4);
		expect(log.oldestAt()).toBe(Date.parse('2026-11-27T12:00:00.000Z'));
		log.extend(newestFirst(2, 3));
		expect(show(log.rows)).toBe('2 3 4');
	});
});

describe('a broken stream', () => {
	it('leaves no trace when everything is still kept', () => {
		const log = new CallLog();
		log.add(range(1, 5));
		log.broken();
		log.add([call(9)]); // the stream may be quicker than the answer
		log.merge(newestFirst(4, 9), 1);
		expect(show(log.rows)).toBe('1 2 3 4 5 6 7 8 9');
	});
	it('leaves a row that says how many are missing and whether they can be had', () => {
		const log = new CallLog();
		log.add(range(1, 5));
		log.broken();
		log.merge(newestFirst(48, 50), 30);
		expect(show(log.rows)).toBe('1 2 3 4 5 (disconnected 42 before 48) 48 49 50');
		const gone = new CallLog();
		gone.add(range(1, 5));
		gone.broken();
		gone.merge(newestFirst(48, 50), 48);
		expect(show(gone.rows)).toBe('1 2 3 4 5 (disconnected 42) 48 49 50');
	});
	it('twice leaves two rows', () => {
		const log = new CallLog();
		log.add([call(1)]);
		log.broken();
		log.broken();
		log.add([call(5)]);
		log.broken();
		log.merge([call(9)], 1);
		expect(show(log.rows)).toBe('1 (disconnected 3 before 5) 5 (disconnected 3 before 9) 9');
	});
	it('leaves no call running for ever', () => {
		const log = new CallLog();
		log.add([call(1, { state: 'running' }), call(2, { state: 'running' }), call(3, { state: 'running' })]);
		log.broken();
		log.merge([call(4), call(3, { state: 'running' }), call(2)], 2);
		expect(show(log.rows)).toBe('1? 2 3… 4');
		log.add([call(1)]); // it did end, and somebody tells
		expect(show(log.rows)).toBe('1 2 3… 4');
	});
	it('takes back what it said when the calls come late', () => {
		const log = new CallLog();
		log.add(range(1, 5));
		log.broken();
		log.merge([call(10)], 1);
		log.add([call(6), call(7)]);
		expect(show(log.rows)).toBe('1 2 3 4 5 6 7 (disconnected 2 before 10) 10');
		log.add([call(8), call(9)]);
		expect(show(log.rows)).toBe('1 2 3 4 5 6 7 8 9 10');
	});
	it('is filled piece by piece, as far as the gateway has kept them', () => {
		const log = new CallLog();
		log.add(range(1, 5));
		log.broken();
		log.merge([call(50)], 20);
		const missing = () => log.rows.find((r) => r.kind === 'missing')!;
		expect(show([missing()])).toBe('(disconnected 44 before 50)');
		log.fill(missing(), newestFirst(30, 49), 20);
		expect(show([missing()])).toBe('(disconnected 24 before 30)');
		log.fill(missing(), newestFirst(20, 29), 20);
		expect(show([missing()])).toBe('(disconnected 14)');
		expect(log.rows).toHaveLength(5 + 1 + 31);
		expect(log.rows.indexOf(missing())).toBe(5);
	});
	it('is filled, and the row goes', () => {
		const log = new CallLog();
		log.add([call(1)]);
		log.broken();
		log.merge([call(5)], 1);
		log.fill(log.rows[1] as never, newestFirst(1, 4), 1);
		expect(show(log.rows)).toBe('1 2 3 4 5');
	});
});

describe('a restart of the gateway', () => {
	it('keeps what was seen, says that something is missing, and begins to count anew', () => {
		const log = new CallLog();
		log.add([call(1), call(2, { state: 'running' })]);
		log.restart();
		log.restart(); // nothing came in between
		log.merge([call(1)], 1);
		expect(show(log.rows)).toBe('1 2? (restarted unknown) 1');
		expect(log.find(2)).toBeUndefined();
		expect(log.find(1)).toBe(log.rows[3]);
		expect(log.firstId()).toBe(1);
		log.add([call(2)]);
		expect(show(log.rows)).toBe('1 2? (restarted unknown) 1 2');
		log.broken();
		log.merge([call(4), call(3)], 1);
		expect(show(log.rows)).toBe('1 2? (restarted unknown) 1 2 3 4');
	});
	it('says nothing when nothing was there', () => {
		const log = new CallLog();
		log.restart();
		expect(log.rows).toEqual([]);
	});
});

describe('a pause', () => {
	it('lets nothing in, but changes what is there', () => {
		const log = new CallLog();
		log.add([call(1, { state: 'running' })]);
		log.pause();
		log.add([call(2, { state: 'running' }), call(1)]);
		log.add([call(2)]);
		expect(show(log.rows)).toBe('1');
		expect(show(log.pending)).toBe('2');
		log.resume();
		expect(show(log.rows)).toBe('1 2');
		expect(log.pending).toEqual([]);
	});
	it('keeps what is looked at, however much comes', () => {
		const log = new CallLog(10, 4);
		log.add(range(1, 10));
		log.pause();
		log.add(range(11, 30));
		expect(show(log.rows)).toBe('1 2 3 4 5 6 7 8 9 10');
		expect(log.skippedCount).toBe(16);
		log.resume();
		expect(show(log.rows)).toBe('6 7 8 9 10 (paused 16 before 27) 27 28 29 30');
		log.fill(log.rows[5] as never, newestFirst(25, 26), 1);
		expect(show(log.rows)).toBe('8 9 10 (paused 14 before 25) 25 26 27 28 29 30');
	});
	it('survives a restart', () => {
		const log = new CallLog();
		log.add([call(1)]);
		log.pause();
		log.add([call(2)]);
		log.restart();
		log.merge([call(1)], 1);
		expect(show(log.rows)).toBe('1');
		log.resume();
		expect(show(log.rows)).toBe('1 2 (restarted unknown) 1');
	});
	it('survives a broken stream', () => {
		const log = new CallLog();
		log.add(range(1, 2));
		log.pause();
		log.broken();
		log.merge([call(9), call(8)], 5);
		log.resume();
		expect(show(log.rows)).toBe('1 2 (disconnected 5 before 8) 8 9');
	});
	it('goes on when it was cleared', () => {
		const log = new CallLog();
		log.add(range(1, 2));
		log.pause();
		log.add([call(3)]);
		log.clear();
		log.add([call(3), call(4)]);
		log.resume();
		expect(show(log.rows)).toBe('3 4');
	});
});

it('takes 500 calls a second easily', () => {
	const log = new CallLog();
	const began = performance.now();
	for (let at = 1; at <= 20_000; at += 50) {
		log.add(range(at, at + 49).map((c) => ({ ...c, state: 'running' })));
		log.add(range(at, at + 49));
	}
	expect(log.rows).toHaveLength(5000);
	expect(performance.now() - began).toBeLessThan(10_000); // 40 s of traffic; a busy machine may be slow
}, 20_000);
