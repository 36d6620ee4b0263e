// The tools in an order, by backend, and what each of these costs.
import type { Entry, Tool } from './entry';

export const sorts = {
	name: 'name',
	tokens: 'tokens',
	calls: 'calls',
	last: 'last called',
	p95: 'p95',
	errors: 'errors',
} as const;
export type Sort = keyof typeof sorts;

const collator = new Intl.Collator('en', { numeric: true });
const byName = (a: Entry, b: Entry) => collator.compare(a.tool.name, b.tool.name);

/** Numbers come largest first, names from A. */
export function sorted(entries: Entry[], by: Sort): Entry[] {
	const size: Record<Exclude<Sort, 'name'>, (one: Entry) => number> = {
		tokens: (one) => one.tool.tokens,
		calls: (one) => one.tool.stats.calls,
		last: (one) => one.lastAt,
		p95: (one) => percentile(one.tool) ?? -1,
		errors: (one) => one.tool.stats.errors,
	};
	if (by === 'name') return entries.toSorted(byName);
	return entries.toSorted((a, b) => size[by](b) - size[by](a) || byName(a, b));
}

/** The 95th percentile in ms, where there were calls enough for one. */
export function percentile(tool: Tool): number | undefined {
	return tool.stats.calls >= 20 ? (tool.stats.p95Ms ?? undefined) : undefined;
}

export interface Group {
	backend: string;
	entries: Entry[];
	enabled: number;
	tokens: number;
}

/** The entries by backend, backends from A; the order within is kept. */
export function grouped(entries: Entry[]): Group[] {
	const groups = new Map<string, Group>();
	for (const one of entries) {
		const { backend } = one.tool;
		const group = groups.get(backend) ?? { backend, entries: [], enabled: 0, tokens: 0 };
		group.entries.push(one);
		if (one.enabled && !one.tool.hidden) {
			group.enabled++;
			group.tokens += one.tool.tokens;
		}
		groups.set(backend, group);
	}
	return [...groups.values()].toSorted((a, b) => collator.compare(a.backend, b.backend));
}

export interface Share {
	backend: string;
	tokens: number;
	tools: number;
}

/** What each backend costs a client that loads all, largest first; the small ones
 * beyond `most` together as ''. */
export function shares(entries: Entry[], most = 6): Share[] {
	const all = grouped(entries)
		.map((group) => ({ backend: group.backend, tokens: group.tokens, tools: group.enabled }))
		.filter((share) => share.tokens > 0)
		.toSorted((a, b) => b.tokens - a.tokens);
	if (all.length <= most) return all;
	const rest = all.slice(most - 1);
	const sum = (key: 'tokens' | 'tools') => rest.reduce((total, share) => total + share[key], 0);
	return [...all.slice(0, most - 1), { backend: '', tokens: sum('tokens'), tools: sum('tools') }];
}
