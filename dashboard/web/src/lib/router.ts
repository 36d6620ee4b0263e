// Where the page is: a path and parameters after the #, so that the page works under
// any path of a reverse proxy. Pure; route.svelte.ts follows the browser with it.

/** Where one is: the page, what of it, and how it is filtered. */
export interface Route {
	/** The first part of the path: a page's name, '' for the overview. */
	page: string;
	/** What follows, decoded, '' for none: a tool's name may have slashes. */
	item: string;
	query: URLSearchParams;
}

export function parse(hash: string): Route {
	const [path = '', query = ''] = split(hash.replace(/^#/, ''), '?');
	const [page = '', item = ''] = split(path.replace(/^\/+/, ''), '/');
	return { page: decode(page), item: decode(item), query: new URLSearchParams(query) };
}

/** The hash of a route: what a link's href is. Empty values are left out. */
export function href(
	page: string,
	item = '',
	query: Record<string, string | undefined> | URLSearchParams = {},
): string {
	const params = new URLSearchParams();
	const entries = query instanceof URLSearchParams ? [...query] : Object.entries(query);
	for (const [key, value] of entries) if (value) params.set(key, value);
	const text = params.toString();
	const path = item ? `${page}/${encodeURIComponent(item)}` : page;
	return `#/${path}${text ? `?${text}` : ''}`;
}

function split(text: string, at: string): [string, string] {
	const i = text.indexOf(at);
	return i < 0 ? [text, ''] : [text.slice(0, i), text.slice(i + 1)];
}

function decode(text: string): string {
	try {
		return decodeURIComponent(text);
	} catch {
		return text; // typed by hand
	}
}
