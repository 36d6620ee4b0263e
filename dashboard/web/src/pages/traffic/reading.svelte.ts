// Where in the list somebody reads: what waits above it, which row is at hand, and
// which call is open beside it.
import { tick } from 'svelte';
import type { CallRow, Row } from '../../lib/calls';
import { clock } from '../../lib/clock.svelte';
import { href } from '../../lib/router';
import { route, setItem, setQuery } from '../../lib/route.svelte';
import { choose, newer, wants } from './list';
import type { Search } from './search.svelte';
import { traffic } from './traffic.svelte';

/** What stands below the oldest row. */
export interface EndRow {
	kind: 'end';
	key: -1;
}

const focus = (key: number) => document.getElementById(`call-${key}`)?.focus({ preventScroll: true });

/** The id of a call in the address, '' for one of an earlier life of the gateway. */
export const linked = (row: CallRow) => (row.epoch === traffic.epoch ? String(row.call.id) : '');

/** The list that a search gives, as it is read; call it while a component is being made. */
export function reading(search: Search) {
	const chosen = $derived.by(() => {
		void traffic.version;
		return choose(traffic.log.rows, search.wanted, search.filter.timed ? clock.now : 0);
	});

	// The list does not move under whoever reads it: what is newer than the anchor waits.
	let anchor = $state<number | undefined>();
	/** The list was stopped by hand, and only the hand lets it go on. */
	let held = false;
	let active = $state<number | undefined>();
	let seen = $state<number | undefined>();
	let lost = $state.raw<CallRow | undefined>();

	const hidden = $derived(anchor === undefined ? 0 : newer(chosen.rows, anchor));
	const shown: (Row | EndRow)[] = $derived([
		...(hidden === 0 ? chosen.rows : chosen.rows.slice(hidden)),
		{ kind: 'end', key: -1 },
	]);
	const waiting = $derived.by(() => {
		void traffic.version;
		if (!traffic.paused) return hidden;
		let n = traffic.log.skippedCount;
		for (const row of traffic.log.pending) if (row.kind === 'call' && wants(search.wanted, row, 0)) n++;
		return n + hidden;
	});
	const open = $derived(
		lost ?? (traffic.version >= 0 && route.item !== '' ? traffic.log.find(Number(route.item)) : undefined),
	);

	// A row is lit up when it is new, and when rows are few enough to follow with the eye.
	let lit = $state(Infinity);
	let newest = Infinity;
	$effect(() => {
		const first = chosen.rows[0]?.key ?? 0;
		lit = first > newest && newer(chosen.rows, newest) <= 3 ? newest : Infinity;
		newest = first;
	});

	function stay() {
		anchor ??= chosen.rows[0]?.key ?? 0;
	}
	function follow() {
		anchor = undefined;
		held = false;
		active = undefined;
	}
	function show(row: CallRow, instead = false) {
		stay();
		active = row.key;
		const item = linked(row);
		lost = item === '' ? row : undefined;
		if (item === '') return;
		if (instead) location.replace(href('traffic', item, route.query));
		else setItem(item);
	}
	/** Closes the drawer: what it showed is no part of the address then. */
	function leave() {
		lost = undefined;
		if (route.item === '') return;
		const query = new URLSearchParams(route.query);
		query.delete('tab');
		location.hash = href('traffic', '', query);
	}

	return {
		/** The rows that the search gives, newest first. */
		get chosen() {
			return chosen;
		},
		/** Of these the rows in the list, and its end. */
		get shown() {
			return shown;
		},
		/** How many rows came since the list stands still. */
		get hidden() {
			return hidden;
		},
		/** How many calls Resume brings. */
		get waiting() {
			return waiting;
		},
		/** Whether the list goes along with what comes. */
		get follows() {
			return anchor === undefined;
		},
		/** The key of the row at hand. */
		get active() {
			return active;
		},
		/** The row at hand. */
		get row(): Row | EndRow | undefined {
			return active === undefined ? undefined : shown.find((r) => r.key === active);
		},
		/** The index of the row that must be in sight. */
		get seen() {
			return seen;
		},
		/** The newest key that is not lit up. */
		get lit() {
			return lit;
		},
		/** The call in the drawer; undefined when it is not here. */
		get open() {
			return open;
		},
		/** What is open cannot be found by its id any more. */
		get lost() {
			return lost !== undefined;
		},
		stay,
		follow,
		/** Stops the list by hand. */
		hold() {
			held = true;
			stay();
		},
		scrolled(atTop: boolean) {
			if (!atTop) stay();
			else if (!held && anchor !== undefined && route.item === '' && active === undefined) follow();
		},
		/** Goes so many calls on, in the list or in the drawer. */
		async move(by: number) {
			stay();
			const calls = shown.filter((r) => r.kind === 'call');
			if (calls.length === 0) return;
			const at = active === undefined ? -1 : calls.findIndex((r) => r.key === active);
			const next = calls[Math.min(calls.length - 1, Math.max(0, at < 0 ? 0 : at + by))]!;
			active = next.key;
			seen = shown.indexOf(next);
			if (route.item !== '' || lost) show(next, true);
			else {
				await tick();
				focus(next.key);
			}
		},
		/** Leaves the row at hand. */
		release() {
			active = undefined;
		},
		/** Opens a call beside the list. */
		show,
		/** Closes the drawer, and goes back to the row that it was opened from. */
		async close() {
			const key = open?.key ?? active;
			leave();
			await tick();
			if (key !== undefined) focus(key);
		},
		/** Goes to a call among all that came before and after it. */
		async inContext(id: number) {
			search.everything();
			const row = traffic.log.find(id);
			if (row?.call.protocol) setQuery({ protocol: '1' });
			leave();
			stay();
			await tick();
			if (!row) return;
			active = row.key;
			seen = shown.findIndex((r) => r.key === row.key);
			await tick();
			focus(row.key);
		},
	};
}

export type Reading = ReturnType<typeof reading>;
