// What clients are connected to: the address of the gateway, and its token.

/** What a client is to be connected to. */
export interface Target {
	/** What the client calls the gateway; a key of its files. */
	name: string;
	/** The address of the MCP endpoint. */
	url: string;
	/** Sent as bearer token, '' for none. */
	token: string;
}

/** Stands where a token has to be put by hand. */
export const unknownToken = '<token>';

/** How far an address reaches: a client at a vendor's needs a public one. */
export function reach(url: string): 'public' | 'http' | 'private' | 'loopback' {
	let u: URL;
	try {
		u = new URL(url);
	} catch {
		return 'private';
	}
	const host = u.hostname.replace(/^\[|\]$/g, '').toLowerCase();
	if (host === 'localhost' || host.endsWith('.localhost') || /^127\./.test(host) || host === '::1')
		return 'loopback';
	const inner =
		/^(10\.|192\.168\.|169\.254\.|172\.(1[6-9]|2\d|3[01])\.|100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.)/.test(
			host,
		) ||
		/^f[cd][0-9a-f]{2}:|^fe80:/.test(host) ||
		(!host.includes('.') && !host.includes(':')) ||
		/\.(local|internal|lan|home\.arpa)$/.test(host);
	if (inner) return 'private';
	return u.protocol === 'https:' ? 'public' : 'http';
}

/** The address of an endpoint below a base, or a sentence about what is wrong with it. */
export function endpoint(base: string, scope = ''): { url: string } | { problem: string } {
	let text = base.trim();
	if (text === '')
		return {
			problem: 'Type the address at which the client reaches the gateway, such as https://tools.example.com.',
		};
	if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) text = `http://${text}`;
	let u: URL;
	try {
		u = new URL(text);
	} catch {
		return { problem: `${base.trim()} is not an address. It looks like http://localhost:3000.` };
	}
	if (u.protocol !== 'http:' && u.protocol !== 'https:')
		return { problem: `${u.protocol}// cannot be used: clients connect with http:// or https://.` };
	if (u.username || u.password)
		return { problem: 'A name and password in the address are not passed on by most clients: use a token.' };
	if (u.search || u.hash) return { problem: 'The address ends before ? and #.' };
	const path = u.pathname.replace(/\/+$/, '').replace(/\/mcp$/, '');
	return { url: `${u.origin}${path}/mcp${scope ? `/${encodeURIComponent(scope)}` : ''}` };
}

/** What clients call the gateway when they see all of it, or a part. */
export function targetName(scope: string): string {
	return scope ? `mcp-gw-${scope}` : 'mcp-gw';
}

/** The same target with a token that nobody can read over a shoulder. */
export function veiled(t: Target): Target {
	return t.token ? { ...t, token: '••••••••' } : t;
}
