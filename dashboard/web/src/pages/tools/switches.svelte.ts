// The switches of tools: one that is turned is turned at once in the page, and what
// was done can be undone.
import { ApiError, api } from '../../lib/api';
import type { components } from '../../lib/api.gen';
import type { Entry } from '../../lib/catalogue';
import { plural } from '../../lib/format';
import type { resource } from '../../lib/resource.svelte';
import { say } from '../../lib/toasts.svelte';

type Schemas = components['schemas'];

/** The switches of a catalogue. */
export function switching(
	catalogue: Pick<ReturnType<typeof resource<Schemas['Tools']>>, 'value' | 'refresh'>,
) {
	/** Switches that were turned here and are not in an answer yet, by the last turn of each. */
	let turned = $state.raw(new Map<string, { enabled: boolean }>());
	let asked = 0;
	let answered = 0;

	/** Switches tools, and says so with a way back. Tells whether they are as asked now. */
	async function turn(names: string[], enabled: boolean, undoing = false): Promise<boolean> {
		if (names.length === 0) return true;
		const mine = { enabled };
		let done = false;
		turned = new Map([...turned, ...names.map((name) => [name, mine] as const)]);
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
			done = true;
		} catch (cause) {
			say({ text: cause instanceof ApiError ? cause.message : String(cause), tone: 'error' });
		}
		await refetch();
		turned = new Map([...turned].filter(([, one]) => one !== mine));
		return done;
	}
	async function refetch() {
		const question = ++asked;
		try {
			const answer = await api<Schemas['Tools']>('tools');
			if (question < answered) return; // a later one has been answered
			answered = question;
			catalogue.value = answer;
		} catch {
			catalogue.refresh();
		}
	}

	return {
		turn,
		/** The entries as they are when all that was turned is done. */
		applied(entries: Entry[]): Entry[] {
			if (turned.size === 0) return entries;
			return entries.map((one) => {
				const now = turned.get(one.tool.name);
				return now ? { ...one, ...now } : one;
			});
		},
	};
}
