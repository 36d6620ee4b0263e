// Whether the gateway knows this browser: who shows its token once has a session, of which
// one half is a cookie that no script can read.
import { ApiError, api, door } from './api';
import type { components } from './api.gen';
import { connection, on, refetch } from './events.svelte';
import { keep, keyed } from './key';

type Session = components['schemas']['Session'];

let required = $state(false);
let out = $state(false);
// What was typed, so that Connect can write it into what is copied: in this tab only, and
// only until it is loaded anew.
let token = $state('');

on<components['schemas']['EventHello']>('hello', (hello) => (required = hello.auth));
door.onshut = () => {
	required = true;
	out = true;
	connection.bar();
};

const leaving = new Set<() => Promise<unknown>>();

const ask = () => api<Session>('session', { limit: 5000 });

function enter() {
	door.shut = false;
	out = false;
	connection.open();
	refetch();
}

/** Goes on where nobody needs to sign in any more: another tab did, or the token is gone. */
async function look() {
	if (!out || document.hidden) return;
	const now = await ask().catch(() => undefined);
	if (!now || !out) return;
	required = now.required;
	if (!now.required || now.signedIn) enter();
}
for (const event of ['focus', 'online', 'storage']) addEventListener(event, () => void look());
document.addEventListener('visibilitychange', () => void look());

export const session = {
	/** The gateway asks for a token. */
	get required() {
		return required;
	},
	/** It asks, and this browser has none to show. */
	get out() {
		return out;
	},
	get token() {
		return token;
	},
	/** The address of what a link shows of the gateway. */
	link(path: string): string {
		return out ? path : keyed(path);
	},
	/** Asks once, before anything else. Without an answer all goes on: the stream tells more. */
	async begin() {
		try {
			const now = await ask();
			required = now.required;
			if (now.required && !now.signedIn) {
				door.shut = true;
				out = true;
			}
		} catch {
			// The page says by itself that the gateway does not answer.
		}
	},
	/** Shows the token. It throws an ApiError, which says what is wrong. */
	async signIn(typed: string) {
		try {
			const { key } = await api<components['schemas']['SignedIn']>('session', {
				method: 'POST',
				body: { token: typed },
			});
			keep(key);
		} catch (cause) {
			// It may ask for none since.
			if (!(cause instanceof ApiError) || cause.status !== 404) throw cause;
		}
		const now = await ask();
		required = now.required;
		if (now.required && !now.signedIn) {
			keep('');
			throw new ApiError(
				'The token is right, but this browser kept no cookie of the gateway: it, or something between, forbids them.',
				0,
			);
		}
		token = typed;
		enter();
	},
	/** What has to end before somebody is signed out. */
	onleave(end: () => Promise<unknown>) {
		leaving.add(end);
	},
	/** Forgets all that this page was told. */
	async signOut() {
		await Promise.allSettled([...leaving].map((end) => end()));
		await api('session', { method: 'DELETE' });
		keep('');
		location.reload();
	},
};
