// The calls that the page has: the newest few thousand, in the order of their ids,
// with rows that say where some are missing. What was seen stays where it is: a
// call that ends is changed in its place, and while the log is paused nothing
// enters and nothing leaves.

import type { components } from './api.gen';

/** One call as the gateway tells of it, without what was said in it. */
export type Call = components['schemas']['Call'];
export type ErrorKind = NonNullable<Call['errorKind']>;

/** key orders rows, and names one for as long as the page lives. */
export interface CallRow {
	kind: 'call';
	key: number;
	/** Which life of the gateway the call is of; ids begin anew with each. */
	epoch: number;
	call: Call;
	/** It ran when the connection was lost, and how it ended is not known. */
	lost?: boolean;
}

/** A place where calls are missing. */
export interface MissingRow {
	kind: 'missing';
	key: number;
	epoch: number;
	/** What happened: the stream broke, the log was paused too long, the gateway began anew. */
	why: 'disconnected' | 'paused' | 'restarted';
	/** How many; undefined when nobody can know. */
	count?: number;
	/** The ids of the calls around it. Without before, they cannot be asked for. */
	after: number;
	before?: number;
}

export type Row = CallRow | MissingRow;

/** How far apart the ids of two lives of the gateway are kept. */
const life = 2 ** 40;

export class CallLog {
	/** Oldest first. */
	rows: Row[] = [];
	/** What has come in since the log was paused, oldest first. */
	pending: Row[] = [];
	paused = false;
	epoch = 0;
	private at = new Map<number, CallRow>();
	private skipped = 0;
	/** Ids after which the stream broke, until it is known what is missing there. */
	private edges: number[] = [];

	/** capacity is in rows; of them, waiting may come in while paused. */
	constructor(
		readonly capacity = 5000,
		readonly waiting = 2000,
	) {}

	/** Takes in what the gateway tells as it happens. */
	add(calls: readonly Call[]): void {
		let late = false;
		for (const call of calls) {
			const key = this.epoch * life + call.id;
			const known = this.at.get(key);
			if (known) {
				this.update(known, call);
				continue;
			}
			late ||= key < (this.pending.at(-1)?.key ?? this.newest());
			this.put({ kind: 'call', key, epoch: this.epoch, call });
		}
		if (late) this.sort();
		if (late) this.heal();
		this.trim();
	}

	/** The stream broke, or left something out: what comes next may not follow. */
	broken(): void {
		const last = this.lastId();
		if (last !== undefined && this.edges.at(-1) !== last) this.edges.push(last);
	}

	/**
	 * Takes in the newest calls as the gateway has kept them, with the id of the
	 * oldest that it still has. Where the stream broke and calls are missing even so,
	 * a row says how many.
	 */
	merge(calls: readonly Call[], oldest: number): void {
		for (const call of calls) {
			const key = this.epoch * life + call.id;
			const known = this.at.get(key);
			if (known) this.update(known, call);
			// While paused, nothing enters between the rows that are looked at.
			else if (!this.paused || key > this.newest()) this.put({ kind: 'call', key, epoch: this.epoch, call });
		}
		this.sort();
		// A call that runs is kept, however old it is.
		for (const row of this.calls()) {
			if (row.epoch === this.epoch && row.call.id < oldest && row.call.state === 'running') this.lose(row);
		}
		for (const edge of this.edges) this.tear(edge, oldest);
		this.edges = [];
		this.trim();
	}

	/** Calls came late, after a row that said they are missing. */
	private heal(): void {
		for (const list of [this.rows, this.pending]) {
			if (!list.some((r) => r.kind === 'missing' && r.why === 'disconnected')) continue;
			const torn = list.filter((r): r is MissingRow => r.kind === 'missing' && r.why === 'disconnected');
			const rest = list.filter((r) => !torn.includes(r as MissingRow));
			for (const row of torn) {
				let after = row.after;
				const end = row.after + row.count! + 1;
				for (let i = place(rest, row.key); i < rest.length && after < end - 1; i++) {
					const next = rest[i]!;
					if (next.kind !== 'call') break;
					const count = next.call.id - after - 1;
					const key = row.epoch * life + after + 0.5;
					if (count > 0)
						rest.splice(i++, 0, { ...row, key, count, after, before: row.before && next.call.id });
					after = next.call.id;
				}
			}
			list.splice(0, list.length, ...rest);
		}
	}

	private tear(edge: number, oldest: number): void {
		const key = this.epoch * life + edge;
		const all = [...this.rows, ...this.pending];
		const next = all[place(all, key + 0.1)];
		if (next?.kind !== 'call' || next.call.id === edge + 1) return;
		const before = next.call.id > oldest ? next.call.id : undefined;
		const count = next.call.id - edge - 1;
		this.insert({
			kind: 'missing',
			key: key + 0.5,
			epoch: this.epoch,
			why: 'disconnected',
			count,
			after: edge,
			before,
		});
	}

	/** Takes in older calls than those that are there, in answer to a question for them. */
	extend(calls: readonly Call[]): void {
		for (const call of calls) {
			const key = this.epoch * life + call.id;
			if (this.at.has(key)) continue;
			const row: CallRow = { kind: 'call', key, epoch: this.epoch, call };
			this.at.set(key, row);
			this.rows.push(row);
		}
		this.sort();
		this.trim();
	}

	/**
	 * Takes in calls that were asked for in place of a row, newest first, with the id
	 * of the oldest that the gateway still has. What is still missing stays a row.
	 */
	fill(row: MissingRow, calls: readonly Call[], oldest: number): void {
		const at = this.rows.indexOf(row);
		if (at < 0 || row.before === undefined) return;
		const found = calls.filter((c) => c.id > row.after && c.id < row.before!);
		const before = found.at(-1)?.id ?? row.before;
		const rest = Math.min(before - row.after - 1, (row.count ?? Infinity) - found.length);
		this.rows.splice(at, 1);
		if (rest > 0) {
			const key = row.epoch * life + row.after + 0.5;
			this.rows.push({
				...row,
				key,
				count: rest,
				before: found.length > 0 && before > oldest ? before : undefined,
			});
		}
		this.extend(found);
	}

	/** The gateway began anew: ids begin again, and what ran has no end. */
	restart(): void {
		for (const row of this.calls()) if (row.call.state === 'running') this.lose(row);
		const last = this.pending.at(-1) ?? this.rows.at(-1);
		const epoch = this.epoch++;
		this.edges = [];
		if (last?.kind !== 'call') return;
		this.insert({ kind: 'missing', key: last.key + 0.5, epoch, why: 'restarted', after: last.call.id });
	}

	pause(): void {
		this.paused = true;
	}

	resume(): void {
		this.paused = false;
		const first = this.pending.find((r) => r.kind === 'call');
		if (first && this.skipped > 0) {
			const last = this.rows.findLast((r) => r.kind === 'call');
			const same = first.epoch === this.epoch;
			this.rows.push({
				kind: 'missing',
				key: this.newest() + 0.2,
				epoch: first.epoch,
				why: 'paused',
				count: this.skipped,
				after: last?.epoch === first.epoch ? last.call.id : 0,
				before: same ? first.call.id : undefined,
			});
		}
		this.rows.push(...this.pending);
		this.pending = [];
		this.skipped = 0;
		this.trim();
	}

	/** Forgets all that is there; what waits still comes. */
	clear(): void {
		for (const row of this.rows) if (row.kind === 'call') this.at.delete(row.key);
		this.rows = [];
	}

	/** How many came in since the log was paused and have given way to others. */
	get skippedCount(): number {
		return this.skipped;
	}

	/** A call of the gateway's present life. */
	find(id: number): CallRow | undefined {
		return this.at.get(this.epoch * life + id);
	}

	/** The id of the oldest call of the gateway's present life that the page has. */
	firstId(): number | undefined {
		return this.rows.find((r): r is CallRow => r.kind === 'call' && r.epoch === this.epoch)?.call.id;
	}

	/** When the oldest call of the gateway's present life that the page has was made. */
	oldestAt(): number | undefined {
		const row = this.rows.find((r): r is CallRow => r.kind === 'call' && r.epoch === this.epoch);
		return row && Date.parse(row.call.at);
	}

	private calls(): CallRow[] {
		return [...this.at.values()];
	}

	/** Of the newest row that is not waiting. */
	private newest(): number {
		return this.rows.at(-1)?.key ?? this.epoch * life;
	}

	private lastId(): number | undefined {
		const last =
			this.pending.findLast((r): r is CallRow => r.kind === 'call') ??
			this.rows.findLast((r): r is CallRow => r.kind === 'call');
		return last?.epoch === this.epoch ? last.call.id : undefined;
	}

	private put(row: CallRow): void {
		this.at.set(row.key, row);
		if (!this.paused) {
			this.rows.push(row);
			return;
		}
		this.pending.push(row);
		while (this.pending.length > this.waiting) {
			const gone = this.pending.shift()!;
			if (gone.kind !== 'call') continue;
			this.at.delete(gone.key);
			this.skipped++;
		}
	}

	private insert(row: MissingRow): void {
		const list = this.paused ? this.pending : this.rows;
		const at = place(list, row.key);
		if (list[at]?.key !== row.key) list.splice(at, 0, row);
	}

	/** An answer that was on its way may be older than what is known already. */
	private update(row: CallRow, call: Call): void {
		if (call.state === 'running' && row.call.state !== 'running') return;
		this.replace(row, { kind: 'call', key: row.key, epoch: row.epoch, call });
	}

	private lose(row: CallRow): void {
		this.replace(row, { ...row, lost: true });
	}

	/** Rows are replaced and never changed, so that whoever draws them can compare. */
	private replace(old: CallRow, row: CallRow): void {
		this.at.set(row.key, row);
		for (const list of [this.rows, this.pending]) {
			const at = place(list, row.key);
			if (list[at] === old) list[at] = row;
		}
	}

	private sort(): void {
		this.rows.sort((a, b) => a.key - b.key);
		this.pending.sort((a, b) => a.key - b.key);
	}

	private trim(): void {
		if (this.paused || this.rows.length <= this.capacity) return;
		for (const row of this.rows.splice(0, this.rows.length - this.capacity)) {
			if (row.kind === 'call') this.at.delete(row.key);
		}
	}
}

/** Where a row with this key is, or would be, in rows ordered by key. */
function place(rows: readonly { key: number }[], key: number): number {
	let low = 0;
	let high = rows.length;
	while (low < high) {
		const mid = (low + high) >> 1;
		if (rows[mid]!.key < key) low = mid + 1;
		else high = mid;
	}
	return low;
}
