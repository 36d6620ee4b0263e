import { expect, test } from 'vitest';
import { Snapshot } from './snapshot';

interface Thing {
	name: string;
	state: string;
	beats?: number[];
}
const things = () =>
	new Snapshot<Thing>(
		(thing) => thing.name,
		(before, now) => ({ ...now, beats: now.beats ?? before?.beats }),
	);

test('an answer replaces all, and keeps nothing of those that are gone', () => {
	const s = things();
	s.put({ name: 'old', state: 'a' });
	s.ask();
	s.answer([{ name: 'new', state: 'b' }]);
	expect(s.items).toEqual([{ name: 'new', state: 'b' }]);
});

test('what is told while the answer is on its way stands', () => {
	const s = things();
	s.ask();
	s.put({ name: 'a', state: 'told' });
	s.put({ name: 'fresh', state: 'told' });
	s.remove('b');
	s.answer([
		{ name: 'a', state: 'stale' },
		{ name: 'b', state: 'stale' },
		{ name: 'c', state: 'as it was' },
	]);
	expect(s.items.map((x) => `${x.name} ${x.state}`)).toEqual(['a told', 'c as it was', 'fresh told']);
	// The next answer is newer than that.
	s.ask();
	s.answer([{ name: 'a', state: 'fetched' }]);
	expect(s.items).toEqual([{ name: 'a', state: 'fetched' }]);
});

test('what an event leaves out is kept, and what it says not any more is not', () => {
	const s = things();
	s.put({ name: 'a', state: 'x', beats: [1, 2] });
	s.put({ name: 'a', state: 'y' });
	expect(s.get('a')).toEqual({ name: 'a', state: 'y', beats: [1, 2] });
});
