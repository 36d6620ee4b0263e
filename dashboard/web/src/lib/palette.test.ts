import { expect, test } from 'vitest';
import { type Entry, find, grouped } from './palette';

const entry = (group: Entry['group'], label: string, more: Partial<Entry> = {}): Entry => ({
	id: `${group} ${label}`,
	group,
	label,
	run: () => {},
	...more,
});
const all = [
	entry('Pages', 'Overview'),
	entry('Pages', 'Tools'),
	entry('Actions', 'Reconnect browser'),
	entry('Backends', 'browser', { note: 'Down' }),
	entry('Tools', 'github__search_issues', { words: 'find tickets' }),
	entry('Tools', 'browser__open'),
];
const labels = (query: string, most = 10) => find(all, query, most).map((e) => e.label);

test('without words all are offered, in their order', () => {
	expect(labels('', 2)).toEqual(['Overview', 'Tools']);
});

test('the best fit comes first', () => {
	expect(labels('browser')).toEqual(['browser', 'browser__open', 'Reconnect browser']);
	expect(labels('rec br')).toEqual(['Reconnect browser']);
	expect(labels('tickets')).toEqual(['github__search_issues']);
	expect(labels('ghsi')).toEqual(['github__search_issues']);
	expect(labels('down')).toEqual(['browser']);
	expect(labels('nothing like it')).toEqual([]);
});

test('groups stand where their best entry does', () => {
	expect(grouped(find(all, 'browser', 10)).map((g) => g.group)).toEqual(['Backends', 'Tools', 'Actions']);
});

test('two thousand tools are searched at once', () => {
	const many = Array.from({ length: 2000 }, (_, i) => entry('Tools', `backend__tool_${i}`));
	expect(find(many, 'tool_1999', 50)[0]?.label).toBe('backend__tool_1999');
});
