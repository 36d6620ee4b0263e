import { describe, expect, it } from 'vitest';
import { entries, tool } from './fixture';
import { sorted } from './order';
import { excerpt, marks, search, terms } from './search';

describe('search', () => {
	const all = entries(
		tool('github__search_issues', {
			raw: {
				title: 'Search issues',
				description: 'Finds Issues by Übersicht',
				inputSchema: { properties: { owner: {}, filter: { properties: { label: {} } } } },
			},
		}),
		tool('notes__create', { raw: { annotations: { title: 'New note' } } }),
	);
	it.each([
		['', 2],
		['issues', 1],
		['ISSUES github', 1],
		['ubersicht', 1],
		['owner', 1],
		['label', 1],
		['new note', 1],
		['create', 1],
		['issues create', 0],
		['nothing', 0],
		['backend:github', 1],
		['issues backend:notes', 0],
		['backend:git', 0],
	])('%j finds %i', (query, count) => expect(search(all, query)).toHaveLength(count));

	it('marks what was found, also where folding changes letters', () => {
		expect(marks('Search Issues', terms('sea ISS'))).toEqual([
			{ text: 'Sea', hit: true },
			{ text: 'rch ', hit: false },
			{ text: 'Iss', hit: true },
			{ text: 'ues', hit: false },
		]);
		expect(
			marks('ÜBER ﬁx 🎈', terms('uber 🎈'))
				.filter((piece) => piece.hit)
				.map((piece) => piece.text),
		).toEqual(['ÜBER', '🎈']);
		expect(marks('a<b>', terms('<b>'))).toEqual([
			{ text: 'a', hit: false },
			{ text: '<b>', hit: true },
		]);
		expect(marks('abc', [])).toEqual([{ text: 'abc', hit: false }]);
	});

	it('says where a query was found when it is not in the name', () => {
		expect(excerpt(all[0]!, terms('search'))).toBeNull();
		expect(excerpt(all[0]!, terms('owner'))?.where).toBe('parameter');
		expect(excerpt(all[0]!, terms('ubersicht'))).toMatchObject({ where: 'description' });
	});

	it('is quick with thousands of tools and a description of 100 KB', () => {
		const many = entries(
			...Array.from({ length: 5000 }, (_, i) =>
				tool(`b${i % 20}__t${i}`, { raw: { description: 'x'.repeat(i === 0 ? 100_000 : 500) } }),
			),
		);
		const start = performance.now();
		for (const query of ['t', 't4', 't49', 't499', 't4999']) sorted(search(many, query), 'tokens');
		expect(performance.now() - start).toBeLessThan(1500);
		expect(search(many, 't4999')).toHaveLength(1);
	});
});
