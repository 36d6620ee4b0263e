// Which calls the list shows. Pure.
import type { CallRow, Row } from '../../lib/calls';
import type { Filter, Key } from '../../lib/filter';

export interface Wanted {
	filter: Filter;
	/** Lists and handshakes, too. */
	protocol: boolean;
	/** Only what ended in this stretch, in unix seconds. */
	from?: number | undefined;
	to?: number | undefined;
}

/** Whether a call is shown. */
export function wants(w: Wanted, row: CallRow, now: number): boolean {
	return eligible(w, row) && w.filter.test(row.call, now);
}

function eligible(w: Wanted, row: CallRow): boolean {
	if (row.call.protocol && !w.protocol) return false;
	if (w.from === undefined || w.to === undefined) return true;
	const end = (Date.parse(row.call.at) + (row.call.durationMs ?? 0)) / 1000;
	return end >= w.from && end < w.to;
}

/** The rows that are shown, newest first, and how many calls they were chosen from. */
export function choose(
	rows: readonly Row[],
	w: Wanted,
	now: number,
): { rows: Row[]; calls: number; of: number } {
	const chosen: Row[] = [];
	let calls = 0;
	let of = 0;
	for (let i = rows.length - 1; i >= 0; i--) {
		const row = rows[i]!;
		if (row.kind === 'missing') {
			chosen.push(row);
			continue;
		}
		if (!row.call.protocol || w.protocol) of++;
		if (!wants(w, row, now)) continue;
		calls++;
		chosen.push(row);
	}
	return { rows: chosen, calls, of };
}

/** How many of the rows, newest first, are newer than the one with this key. */
export function newer(rows: readonly Row[], key: number): number {
	let low = 0;
	let high = rows.length;
	while (low < high) {
		const mid = (low + high) >> 1;
		if (rows[mid]!.key > key) low = mid + 1;
		else high = mid;
	}
	return low;
}

/** What the selects offer: all that there is, in order, at most so many. */
export function choices(rows: readonly Row[], protocol: boolean, most = 200): Partial<Record<Key, string[]>> {
	const found = {
		backend: new Set<string>(),
		tool: new Set<string>(),
		client: new Set<string>(),
		method: new Set<string>(),
	};
	for (const row of rows) {
		if (row.kind !== 'call' || (row.call.protocol && !protocol)) continue;
		const { backend, name, method, client } = row.call;
		if (backend && found.backend.size < most) found.backend.add(backend);
		if (name && found.tool.size < most) found.tool.add(name);
		if (client.name && found.client.size < most) found.client.add(client.name);
		if (found.method.size < most) found.method.add(method);
	}
	return Object.fromEntries(Object.entries(found).map(([key, set]) => [key, [...set].sort()]));
}
