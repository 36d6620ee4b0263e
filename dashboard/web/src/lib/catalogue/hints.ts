// What is worth a line above the list.
import type { Entry } from './entry';
import { tokens } from './tokens';

export interface Hint {
	/** Stable, so that a dismissed hint stays away. */
	id: string;
	text: string;
	/** The tools it is about. */
	names: string[];
	/** Whether switching them off is what the hint is about. */
	offersOff: boolean;
}

/** What is worth a line above the list. since is when counting began. */
export function hints(entries: Entry[], since: number, now: number): Hint[] {
	const list: Hint[] = [];
	const on = entries.filter((one) => one.enabled && !one.tool.hidden);
	const hidden = entries.filter((one) => one.tool.hidden);
	if (hidden.length > 0) {
		list.push({
			id: 'hidden',
			text:
				hidden.length === 1
					? `${hidden[0]!.tool.name} is hidden: ${hidden[0]!.tool.hidden}`
					: `${hidden.length} tools are hidden from clients, because others have their names.`,
			names: namesOf(hidden),
			offersOff: false,
		});
	}
	const altered = entries.filter((one) => one.tool.altered);
	if (altered.length > 0) {
		const first = altered[0]!.tool;
		list.push({
			// Another change is another hint.
			id: `altered:${altered
				.map((one) => one.tool.altered!.at)
				.toSorted()
				.at(-1)}:${altered.length}`,
			text:
				altered.length === 1
					? `${first.name} is described otherwise than before. Look at what changed before a model trusts it.`
					: `${altered.length} tools are described otherwise than before. Look at what changed before a model trusts them.`,
			names: namesOf(altered),
			offersOff: true,
		});
	}
	const idle = on.filter((one) => one.tool.stats.calls === 0 && !one.tool.locked);
	const called = on.some((one) => one.tool.stats.calls > 0);
	if (called && idle.length > 1 && now - since > day) {
		const saved = idle.reduce((total, one) => total + one.tool.tokens, 0);
		list.push({
			id: 'idle',
			text: `${idle.length} tools were never called ${ago(now - since)}; disabling them saves ~${tokens(saved)} tokens.`,
			names: namesOf(idle),
			offersOff: true,
		});
	}
	const same = twins(on);
	if (same.length > 0) {
		const first = enumerate(namesOf(same[0]![1]));
		list.push({
			id: `twins:${same.length}:${same[0]![0]}`,
			text:
				same.length === 1
					? `${first} differ only by their prefix; a model may take one for the other.`
					: `${same.length} names are there more than once and differ only by their prefix, such as ${first}.`,
			names: same.flatMap(([, tools]) => namesOf(tools)),
			offersOff: false,
		});
	}
	const silent = on.filter((one) => one.description.trim() === '');
	if (silent.length > 0) {
		list.push({
			id: 'silent',
			text:
				silent.length === 1
					? `${silent[0]!.tool.name} has no description; a model can only guess what it does.`
					: `${silent.length} tools have no description; a model can only guess what they do.`,
			names: namesOf(silent),
			offersOff: false,
		});
	}
	const long = on.filter((one) => one.tool.tokens > 2000);
	if (long.length > 0) {
		const sum = long.reduce((total, one) => total + one.tool.tokens, 0);
		list.push({
			id: 'long',
			text: `${long.length === 1 ? `${long[0]!.tool.name} alone costs` : `${long.length} tools cost`} ~${tokens(sum)} tokens.`,
			names: namesOf(long),
			offersOff: true,
		});
	}
	return list;
}

const day = 24 * 60 * 60 * 1000;

function ago(ms: number): string {
	const days = Math.floor(ms / day);
	return days < 2 ? 'in the last day' : `in ${days} days`;
}

const namesOf = (entries: Entry[]) => entries.map((one) => one.tool.name);

function enumerate(names: string[]): string {
	if (names.length > 3) return `${names.slice(0, 2).join(', ')} and ${names.length - 2} more`;
	return `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}

/** Tools of different backends that have the same real name. */
function twins(entries: Entry[]): [string, Entry[]][] {
	const by = new Map<string, Entry[]>();
	for (const one of entries) by.set(one.tool.originalName, [...(by.get(one.tool.originalName) ?? []), one]);
	return [...by].filter(([, same]) => new Set(same.map((one) => one.tool.backend)).size > 1);
}
