// What the frame says of how things stand: the rail's badges, the tab's title and icon.
import { badges } from './badges.svelte';
import { clock } from './clock.svelte';
import { connection } from './events.svelte';
import { count, plural } from './format';
import { frame } from './frame.svelte';
import { hello } from './hello.svelte';
import { session } from './session.svelte';
import { store } from './store.svelte';

/** Keeps them right; call it while the frame is being made. */
export function stand() {
	$effect(() => {
		const { problems, tools } = store;
		badges.set(
			'discovery',
			problems
				? {
						text: String(problems),
						means: ` ${problems === 1 ? 'container' : 'containers'} with a problem`,
						tone: 'problem',
					}
				: undefined,
		);
		badges.set(
			'tools',
			tools && tools.total > 0
				? {
						text:
							tools.exposed === tools.total
								? count(tools.total)
								: `${count(tools.exposed)} / ${count(tools.total)}`,
						means: tools.exposed === tools.total ? ' tools' : ' tools exposed',
						tone: 'count',
					}
				: undefined,
		);
	});
	$effect(() => {
		badges.set(
			'traffic',
			store.failedLately(clock.now)
				? {
						text: '●',
						means: ' a call failed in the last 5 minutes',
						tone: 'error',
					}
				: undefined,
		);
	});
	$effect(() => {
		badges.version = hello.version;
	});

	let down = $derived(
		session.out
			? 0
			: store.backends.filter((b) => b.health === 'down' || b.health === 'auth_required').length,
	);
	$effect(() => {
		const name = frame.title ? `${frame.title} · mcp-gw` : 'mcp-gw';
		document.title = down > 0 ? `(${plural(down, 'down', 'down')}) ${name}` : name;
	});
	$effect(() => {
		const trouble = down > 0 || connection.link === 'offline';
		const icon = document.getElementById('icon');
		if (icon instanceof HTMLLinkElement) icon.href = trouble ? './favicon-trouble.svg' : './favicon.svg';
	});
}
