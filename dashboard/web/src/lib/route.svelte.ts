import { href, parse, type Route } from './router';

const state = $state<{ now: Route }>({ now: parse(location.hash) });
addEventListener('hashchange', () => (state.now = parse(location.hash)));

/** Where the page is; follow it in an effect or a template. */
export const route = {
	get page() {
		return state.now.page;
	},
	get item() {
		return state.now.item;
	},
	get query() {
		return state.now.query;
	},
};

/** Goes to a page, as a link does. */
export function go(page: string, item = '', query: Record<string, string | undefined> = {}) {
	location.hash = href(page, item, query);
}

/** Changes parameters of where one is, without a step for Back; '' takes one away. */
export function setQuery(changes: Record<string, string | undefined>) {
	const query = new URLSearchParams(state.now.query);
	for (const [key, value] of Object.entries(changes)) {
		if (value) query.set(key, value);
		else query.delete(key);
	}
	history.replaceState(null, '', href(state.now.page, state.now.item, query));
	state.now = parse(location.hash);
}

/** Opens or, with '', closes what stands beside the list: Back closes it, too. */
export function setItem(item: string) {
	location.hash = href(state.now.page, item, state.now.query);
}
