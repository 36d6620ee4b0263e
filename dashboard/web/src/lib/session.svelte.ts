// Whether the gateway knows this browser: who shows its token once is known by a cookie,
// which no script can read.
import { api, door } from './api';
import type { components } from './api.gen';
import { connection, on, refetch } from './events.svelte';

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
	/** Asks once, before anything else. Without an answer all goes on: the stream tells more. */
	async begin() {
		try {
			const now = await api<components['schemas']['Session']>('session', { limit: 5000 });
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
		await api('session', { method: 'POST', body: { token: typed } });
		token = typed;
		door.shut = false;
		out = false;
		connection.open();
		refetch();
	},
	async signOut() {
		await api('session', { method: 'DELETE' });
		token = '';
		door.shut = true;
		door.onshut();
	},
};
