// The switches of tools: one that is turned is turned at once in the page, and what
// was done can be undone.
import { ApiError, api } from '../../lib/api';
import type { components } from '../../lib/api.gen';
import type { Entry } from '../../lib/catalogue';
import { plural } from '../../lib/format';
import type { resource } from '../../lib/resource.svelte';
import { say } from '../../lib/toasts.svelte';

type Schemas = components['schemas'];

/** The switches of a catalogue; done is called when some were turned. */
export function switching(catalogue: ReturnType<typeof resource<Schemas['Tools']>>, done: () => void) {
	/** Switches that were turned here and are not in an answer yet. */
	let turned = $state.raw(new Map<string, boolean>());

	/** Switches tools, and says so with a way back. */
	async function turn(names: string[], enabled: boolean, undoing = false) {
		if (names.length === 0) return;
		turned = new Map([...turned, ...names.map((name) => [name, enabled] as const)]);
		try {
			const one = names.length === 1;
			const answer = one
				? await api<Schemas['ToolSwitchAnswer']>(`tools/${encodeURIComponent(names[0]!)}`, {
						method: 'PATCH',
						body: { enabled },
					})
				: await api<Schemas['ToolsSwitchAnswer']>('tools', { method: 'PATCH', body: { names, enabled } });
			const where = (answer as { savedIn?: string }).savedIn ?? catalogue.value?.savedIn ?? '';
			say({
				text: `${one ? names[0] : plural(names.length, 'tool')} ${one ? 'is' : 'are'} ${enabled ? 'on' : 'off'}${undoing ? ' again' : ''}.${where ? ` Saved in ${where}.` : ''}`,
				...(undoing ? {} : { undo: () => turn(names, !enabled, true) }),
			});
			done();
		} catch (cause) {
			say({ text: cause instanceof ApiError ? cause.message : String(cause), tone: 'error' });
		}
		await refetch();
	}
	async function refetch() {
		try {
			catalogue.value = await api<Schemas['Tools']>('tools');
		} catch {
			catalogue.refresh();
		}
		turned = new Map();
	}

	return {
		turn,
		/** The entries as they are when all that was turned is done. */
		applied(entries: Entry[]): Entry[] {
			if (turned.size === 0) return entries;
			return entries.map((one) =>
				turned.has(one.tool.name) ? { ...one, enabled: turned.get(one.tool.name)! } : one,
			);
		},
	};
}
