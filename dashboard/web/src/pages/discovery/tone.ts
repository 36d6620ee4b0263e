import type { Severity } from '../../lib/discovery/observed';
import type { Health } from '../../ui/StatusMark.svelte';

/** The mark that each severity has, on every page the same. */
export const tone: Record<Severity, Health> = {
	error: 'down',
	warning: 'degraded',
	ok: 'healthy',
	ignored: 'disabled',
};
