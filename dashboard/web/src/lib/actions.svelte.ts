// What can be done to a backend. Each is shown before it is answered, and taken back
// when the answer is an error, which says why.
import { ApiError, api } from './api';
import type { components } from './api.gen';
import type { Backend } from './backends';
import { session } from './session.svelte';
import { store } from './store.svelte';
import { say } from './toasts.svelte';

type Answer = components['schemas']['BackendAnswer'];

const path = (name: string, more = '') => `backends/${encodeURIComponent(name)}${more}`;

function complain(what: string, cause: unknown) {
	const why = cause instanceof ApiError ? cause.message : String(cause);
	say({ text: `${what}: ${why}`, tone: 'error' });
}

/** Connects it anew, now. The card keeps its numbers meanwhile. */
export async function reconnect(b: Backend) {
	const takeBack = store.expect({ ...b, health: 'connecting' });
	try {
		const { backend } = await api<Answer>(path(b.name, '/reconnect'), {
			method: 'POST',
		});
		store.put(backend);
		if (backend.health === 'healthy' || backend.health === 'degraded') {
			say({ text: `${b.name} is connected: ${backend.toolCount} tools.` });
		} else if (backend.health !== 'connecting') {
			say({
				text: `${b.name} could not be connected: ${backend.reason ?? backend.error}`,
				tone: 'error',
			});
		}
	} catch (cause) {
		takeBack();
		complain(`${b.name} was not connected anew`, cause);
	}
}

/** Switches it on or off; what was done can be undone. */
export async function setEnabled(b: Backend, enabled: boolean, undoable = true) {
	const takeBack = store.expect({ ...b, enabled, health: enabled ? 'connecting' : 'disabled' });
	try {
		const answer = await api<Answer>(path(b.name), {
			method: 'PATCH',
			body: { enabled },
		});
		store.put(answer.backend);
		const saved = answer.savedIn ? ` Saved in ${answer.savedIn}.` : '';
		const undo = () => setEnabled(answer.backend, !enabled, false);
		say({
			text: `${b.name} is ${enabled ? 'enabled' : 'disabled'}.${saved}`,
			...(undoable ? { undo } : {}),
		});
	} catch (cause) {
		takeBack();
		complain(`${b.name} was not ${enabled ? 'enabled' : 'disabled'}`, cause);
	}
}

/** Takes a registration away, which cannot be undone: its headers are not known here. */
export async function remove(b: Backend): Promise<boolean> {
	try {
		await api(path(b.name), { method: 'DELETE' });
		store.remove(b.name);
		say({ text: `${b.name} is removed.` });
		return true;
	} catch (cause) {
		complain(`${b.name} was not removed`, cause);
		return false;
	}
}

/** Signs this browser out. */
export async function leave() {
	try {
		await session.signOut();
	} catch (cause) {
		complain('This browser is not signed out', cause);
	}
}
