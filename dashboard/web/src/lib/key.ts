// The page's half of a session with a gateway that asks for its token. The other half is a
// cookie, which a browser also sends to other ports of the machine: alone it is worth
// nothing, as this is. It is kept for this page's address, port and path.

export const header = 'X-MCP-GW-Key';

const place = `mcp-gw.key ${location.pathname.replace(/[^/]*$/, '')}`;
let kept: string | undefined;

export function key(): string {
	if (kept !== undefined) return kept;
	try {
		return localStorage.getItem(place) ?? '';
	} catch {
		return ''; // storage is forbidden
	}
}

/** Keeps a key, '' for none. Other tabs have it as well, where storage is not forbidden. */
export function keep(value: string): void {
	try {
		if (value) localStorage.setItem(place, value);
		else localStorage.removeItem(place);
		kept = undefined;
	} catch {
		kept = value; // for this visit
	}
}

/** What a request has in its header. */
export function keyHeaders(): Record<string, string> {
	const now = key();
	return now ? { [header]: now } : {};
}

/** An address for what can have no header: a stream of events, or a link. */
export function keyed(path: string): string {
	const now = key();
	return now ? `${path}${path.includes('?') ? '&' : '?'}key=${encodeURIComponent(now)}` : path;
}
