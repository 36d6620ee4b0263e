// Things by their names, fetched as a whole and changed one at a time in between.
// Pure: store.svelte.ts shows it.

/**
 * What is told while an answer is on its way is newer than the answer, or as new: it
 * stands. merge makes one of what was known and what is told.
 */
export class Snapshot<T> {
	private known = new Map<string, T>();
	/** Names that were told of since the question, undefined when none is open. */
	private told: Set<string> | undefined;

	constructor(
		private readonly name: (item: T) => string,
		private readonly merge: (before: T | undefined, now: T) => T,
	) {}

	/** All of them, in the order in which they came. */
	get items(): T[] {
		return [...this.known.values()];
	}

	get(name: string): T | undefined {
		return this.known.get(name);
	}

	put(item: T) {
		const name = this.name(item);
		this.told?.add(name);
		this.known.set(name, this.merge(this.known.get(name), item));
	}

	remove(name: string) {
		this.told?.add(name);
		this.known.delete(name);
	}

	/** Call it when all of them are asked for. */
	ask() {
		this.told = new Set();
	}

	/** Takes the answer to the last question. */
	answer(items: T[]) {
		const told = this.told ?? new Set();
		this.told = undefined;
		const next = new Map<string, T>();
		for (const item of items) {
			const name = this.name(item);
			const ours = this.known.get(name);
			if (!told.has(name)) next.set(name, item);
			else if (ours) next.set(name, ours);
		}
		for (const [name, item] of this.known) if (told.has(name) && !next.has(name)) next.set(name, item);
		this.known = next;
	}
}
