import { afterEach, expect, it, vi } from 'vitest';
import { api, door } from './api';
import { connection } from './events.svelte';
import { header, keep, key, keyed } from './key';
import { session } from './session.svelte';

class Silent extends EventTarget {
	readyState = 0;
	constructor(readonly url: string) {
		super();
		opened.push(url);
	}
	close() {}
}
let opened: string[] = [];
vi.stubGlobal('EventSource', Silent);

/** A gateway: what it answers, and what it was asked. */
function gateway(answers: (path: string, init: RequestInit) => [number, unknown, Record<string, string>?]) {
	const asked: [string, RequestInit][] = [];
	vi.stubGlobal('fetch', (path: string, init: RequestInit) => {
		asked.push([path, init]);
		const [status, body, headers] = answers(path, init);
		const text = body === undefined ? null : JSON.stringify(body);
		return Promise.resolve(new Response(text, { status, ...(headers ? { headers } : {}) }));
	});
	return asked;
}
const own = { 'WWW-Authenticate': 'Bearer realm="mcp-gw"' };
const gone = { error: 'this gateway asks for its token' };

afterEach(() => {
	connection.bar();
	keep('');
	opened = [];
	door.shut = false;
});

it('signs in with a key of its own, which goes with all that is asked', async () => {
	gateway(() => [401, gone, own]);
	await expect(api('overview')).rejects.toThrow('asks for its token');
	expect(session.out).toBe(true);
	const asked = gateway((_, init) =>
		init.method === 'POST'
			? [200, { key: 'k-1' }]
			: [200, { required: true, signedIn: (init.headers as Record<string, string>)[header] === 'k-1' }],
	);
	await session.signIn('the token');
	expect(session.out).toBe(false);
	expect(key()).toBe('k-1');
	expect(opened.at(-1)).toMatch(/^api\/events\?key=k-1/);
	expect(keyed('metrics?x=1')).toBe('metrics?x=1&key=k-1');
	expect(JSON.stringify({ ...localStorage })).not.toContain('the token');
	await api('overview');
	expect((asked.at(-1)?.[1].headers as Record<string, string>)[header]).toBe('k-1');
});

it('says so when the browser keeps no cookie', async () => {
	gateway(() => [401, gone, own]);
	await expect(api('overview')).rejects.toThrow();
	gateway((_, init) =>
		init.method === 'POST' ? [200, { key: 'k-1' }] : [200, { required: true, signedIn: false }],
	);
	await expect(session.signIn('the token')).rejects.toThrow('kept no cookie');
	expect(session.out).toBe(true);
	expect(key()).toBe('');
});

it('goes on when the gateway asks for no token any more, or another tab signed in', async () => {
	gateway(() => [401, gone, own]);
	await expect(api('overview')).rejects.toThrow();
	gateway((path) =>
		path === 'api/session' ? [200, { required: false, signedIn: true }] : [404, { error: 'none' }],
	);
	dispatchEvent(new Event('focus'));
	await vi.waitFor(() => expect(session.out).toBe(false));
	expect(session.required).toBe(false);
	expect(opened.length).toBeGreaterThan(0);
});

it('does not take a refusal of somebody between for one of the gateway', async () => {
	gateway(() => [401, { error: 'sign in at the proxy' }, { 'WWW-Authenticate': 'Bearer realm="other"' }]);
	await expect(api('overview')).rejects.toThrow('sign in at the proxy');
	expect(session.out).toBe(false);
	expect(door.shut).toBe(false);
});
