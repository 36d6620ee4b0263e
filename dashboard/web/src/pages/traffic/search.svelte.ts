// What of the traffic is looked for: the address holds it, so that it can be sent to
// somebody, and Back and Forward go through it.
import { parse } from '../../lib/filter';
import { route, setQuery } from '../../lib/route.svelte';
import type { Wanted } from './list';

/** How long after the last letter the address follows, in ms: a browser lets no page
 * rewrite that with each letter. */
const pause = 200;

const number = (name: string): number | undefined => {
	const n = Number(route.query.get(name) ?? NaN);
	return Number.isFinite(n) ? n : undefined;
};

/** The search of the address; call it while a component is being made. */
export function searching() {
	let text = $state(route.query.get('q') ?? '');
	let written: ReturnType<typeof setTimeout> | undefined;
	$effect(() => {
		const q = route.query.get('q') ?? '';
		if (!written) text = q;
	});
	$effect(() => () => clearTimeout(written));

	const protocol = $derived(route.query.get('protocol') === '1');
	const from = $derived(number('from'));
	const to = $derived(number('to'));
	const filter = $derived(parse(text));
	const wanted: Wanted = $derived({ filter, protocol, from, to });
	const narrows = $derived(text.trim() !== '' || (from !== undefined && to !== undefined));

	return {
		/** The filter as it is typed; the address may be a moment behind it. */
		get text() {
			return text;
		},
		set text(value: string) {
			text = value;
			clearTimeout(written);
			written = setTimeout(() => {
				written = undefined;
				setQuery({ q: value });
			}, pause);
		},
		get filter() {
			return filter;
		},
		get protocol() {
			return protocol;
		},
		set protocol(on: boolean) {
			setQuery({ protocol: on ? '1' : '' });
		},
		get from() {
			return from;
		},
		get to() {
			return to;
		},
		/** All of it, as the list takes it. */
		get wanted() {
			return wanted;
		},
		/** Whether calls are left out that are there. */
		get narrows() {
			return narrows;
		},
		/** Only what ended between two times, in unix seconds, or at any time. */
		brush(a: number | undefined, b: number | undefined) {
			setQuery({ from: a === undefined ? '' : String(a), to: b === undefined ? '' : String(b) });
		},
		/** Leaves nothing out any more, but what the protocol does by itself. */
		everything() {
			clearTimeout(written);
			written = undefined;
			text = '';
			setQuery({ q: '', from: '', to: '' });
		},
	};
}

export type Search = ReturnType<typeof searching>;
