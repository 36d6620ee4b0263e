// How the catalogue is looked at: what of it is listed, and in which order, stands in
// the address; what is folded and picked does not outlive the look.
import { SvelteSet } from 'svelte/reactivity';
import { sorts, terms, type Sort } from '../../lib/catalogue';
import { route } from '../../lib/route.svelte';

export type Tab = 'tools' | 'resources' | 'prompts';

/** The look that the address tells of; call it while a component is being made. */
export function viewing() {
	const asked = (name: string) => route.query.get(name) ?? '';
	const tab = $derived<Tab>(
		asked('tab') === 'resources' ? 'resources' : asked('tab') === 'prompts' ? 'prompts' : 'tools',
	);
	const query = $derived(asked('q'));
	const wanted = $derived(terms(query));
	const sort = $derived<Sort>(Object.hasOwn(sorts, asked('sort')) ? (asked('sort') as Sort) : 'name');
	const flat = $derived(asked('group') === 'none');
	const only = $derived(asked('only'));

	return {
		get tab() {
			return tab;
		},
		/** The search as it is typed. */
		get query() {
			return query;
		},
		/** Its words. */
		get wanted() {
			return wanted;
		},
		get sort() {
			return sort;
		},
		/** Whether the tools are listed without their backends. */
		get flat() {
			return flat;
		},
		/** The hint whose tools are listed alone, '' for none. */
		get only() {
			return only;
		},
		/** Backends whose tools are not listed now. */
		folded: new SvelteSet<string>(),
		/** Tools that the next switch is for. */
		picked: new SvelteSet<string>(),
	};
}

export type View = ReturnType<typeof viewing>;
