import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Live, type LiveEvent } from './live';

class Source extends EventTarget {
	readyState = 0;
	closed = false;
	constructor(readonly url: string) {
		super();
		all.push(this);
	}
	close() {
		this.closed = true;
		this.readyState = 2;
	}
	opens() {
		this.readyState = 1;
		this.dispatchEvent(new Event('open'));
	}
	fails() {
		this.readyState = 2;
		this.dispatchEvent(new Event('error'));
	}
	says(name: string, data: string, lastEventId = '') {
		this.dispatchEvent(new MessageEvent(name, { data, lastEventId }));
	}
}

let all: Source[] = [];
let states: string[] = [];
let taken: LiveEvent[][] = [];
let stale = 0;
let barred: boolean;
let live: Live;
const latest = () => all[all.length - 1] as Source;

beforeEach(() => {
	vi.useFakeTimers();
	all = [];
	states = [];
	taken = [];
	stale = 0;
	barred = false;
	live = new Live({
		url: () => 'api/events',
		take: (events) => taken.push(events),
		stale: () => stale++,
		state: (link) => states.push(link),
		barred: () => Promise.resolve(barred),
		source: (url) => new Source(url) as unknown as EventSource,
		frame: (run) => setTimeout(run, 16),
	});
	live.open();
});
afterEach(() => {
	live.close();
	vi.useRealTimers();
});

it('hands over what came in one frame together', () => {
	latest().opens();
	latest().says('change', '{"id":1}');
	latest().says('metrics', '{"running":2}');
	latest().says('change', 'not json');
	expect(taken).toHaveLength(0);
	vi.advanceTimersByTime(16);
	expect(taken).toEqual([
		[
			{ name: 'change', data: { id: 1 } },
			{ name: 'metrics', data: { running: 2 } },
		],
	]);
});

it('waits for no frame that does not come, and takes each event once', () => {
	let frame: FrameRequestCallback | undefined;
	vi.stubGlobal('requestAnimationFrame', (run: FrameRequestCallback) => ((frame = run), 1));
	vi.stubGlobal('cancelAnimationFrame', () => (frame = undefined));
	const takes: LiveEvent[][] = [];
	const real = new Live({
		url: () => 'api/events',
		take: (events) => takes.push(events),
		stale: () => {},
		state: () => {},
		source: (url) => new Source(url) as unknown as EventSource,
	});
	real.open();
	latest().opens();
	latest().says('change', '{"id":1}'); // and now the page is hidden
	vi.advanceTimersByTime(1000);
	expect(takes).toEqual([[{ name: 'change', data: { id: 1 } }]]);
	expect(frame).toBeUndefined();
	latest().says('change', '{"id":2}');
	frame?.(0);
	vi.advanceTimersByTime(5000);
	expect(takes.slice(1)).toEqual([[{ name: 'change', data: { id: 2 } }]]);
	real.close();
	vi.unstubAllGlobals();
});

it('comes back by itself, later each time, from where it was', () => {
	latest().opens();
	latest().says('change', '{}', 'b-7');
	for (let i = 0; i < 8; i++) {
		const n = all.length;
		latest().fails();
		vi.advanceTimersByTime(150);
		expect(all.length, `try ${i} too soon`).toBe(n);
		vi.advanceTimersByTime(40_000);
		expect(all.length, `try ${i}`).toBe(n + 1);
	}
	expect(latest().url).toBe('api/events?since=b-7');
	expect(states[states.length - 1]).toBe('offline');
	latest().opens();
	expect(states[states.length - 1]).toBe('live');
});

it('notices a stream that says nothing any more', () => {
	latest().opens();
	for (let i = 0; i < 4; i++) {
		vi.advanceTimersByTime(15_000);
		latest().says('ping', '{}');
	}
	expect(all).toHaveLength(1);
	vi.advanceTimersByTime(60_000);
	expect(all.length).toBeGreaterThan(1);
	expect(all[0]?.closed).toBe(true);
});

it('tries at once when it is asked to, or when the page is seen again', () => {
	latest().fails();
	live.nudge();
	expect(all).toHaveLength(2);
	latest().opens();
	live.nudge();
	expect(all).toHaveLength(2);
	live.seen(false);
	vi.advanceTimersByTime(5 * 60_000 + 1);
	expect(latest().closed).toBe(true);
	live.seen(true);
	expect(all.length).toBeGreaterThan(2);
});

it('says when the snapshots are stale', () => {
	latest().opens();
	latest().says('reset', '{}', 'c-1');
	expect(stale).toBe(1);
});

it('hears nothing of a stream that it gave up', () => {
	const old = latest();
	old.fails();
	vi.advanceTimersByTime(2000);
	old.says('change', '{"id":9}');
	vi.advanceTimersByTime(16);
	expect(taken).toHaveLength(0);
});

it('stops where it is refused, until it is let in', async () => {
	latest().opens();
	barred = true;
	latest().fails();
	await vi.advanceTimersByTimeAsync(0);
	expect(states[states.length - 1]).toBe('signed out');
	live.nudge();
	live.seen(true);
	await vi.advanceTimersByTimeAsync(10 * 60_000);
	expect(all).toHaveLength(1);
	barred = false;
	live.open();
	expect(all).toHaveLength(2);
	latest().opens();
	expect(states[states.length - 1]).toBe('live');
});

it('asks whether it is refused only where something answered', async () => {
	barred = true;
	latest().readyState = 0;
	latest().dispatchEvent(new Event('error'));
	await vi.advanceTimersByTimeAsync(1000);
	expect(all.length).toBeGreaterThan(1);
	expect(states).not.toContain('signed out');
});
