// What the palette offers and how it is found. Pure.

export interface Entry {
	/** Of its own among all entries. */
	id: string;
	group: 'Pages' | 'Actions' | 'Backends' | 'Tools' | 'Containers';
	label: string;
	/** Behind the label: what it is of. */
	note?: string;
	/** More words by which it is found. */
	words?: string;
	run: () => unknown;
}

/** How well a text has a word: 0 not at all, the more the better. */
function fit(text: string, word: string): number {
	const at = text.indexOf(word);
	if (at < 0) return scattered(text, word) ? 1 : 0;
	if (at === 0) return text.length === word.length ? 6 : 5;
	return /[a-z0-9]/.test(text[at - 1] ?? '') ? 2 : 4; // within a word, or at its beginning
}

/** Whether the letters are there in their order: "ghs" is in github_search. */
function scattered(text: string, word: string): boolean {
	if (word.length < 3) return false;
	let from = 0;
	for (const letter of word) {
		const at = text.indexOf(letter, from);
		if (at < 0) return false;
		from = at + 1;
	}
	return true;
}

const groups: Entry['group'][] = ['Pages', 'Actions', 'Backends', 'Tools', 'Containers'];

/** The entries that have all words, the best fits first, at most so many. */
export function find(entries: Entry[], query: string, most: number): Entry[] {
	const words = query.toLowerCase().split(/\s+/).filter(Boolean);
	if (words.length === 0) return entries.slice(0, most);
	const found: { entry: Entry; score: number; place: number }[] = [];
	entries.forEach((entry, place) => {
		const label = entry.label.toLowerCase();
		const rest = `${entry.note ?? ''} ${entry.words ?? ''} ${entry.group}`.toLowerCase();
		let score = 0;
		for (const word of words) {
			const best = Math.max(fit(label, word) * 2, rest.includes(word) ? 3 : 0);
			if (best === 0) return;
			score += best;
		}
		found.push({ entry, score, place });
	});
	found.sort((a, b) => b.score - a.score || a.place - b.place);
	return found.slice(0, most).map(({ entry }) => entry);
}

/** In groups, each where its best entry is. */
export function grouped(entries: Entry[]): { group: Entry['group']; entries: Entry[] }[] {
	return groups
		.map((group) => ({
			group,
			entries: entries.filter((entry) => entry.group === group),
		}))
		.filter(({ entries }) => entries.length > 0)
		.sort((a, b) => entries.indexOf(a.entries[0]!) - entries.indexOf(b.entries[0]!));
}
