// Containers for tests, as the API tells of them.
import type { Observed } from './observed';

const names = [
	'seen',
	'labelled',
	'labels valid',
	'running and healthy',
	'shares a network',
	'port reachable',
	'speaks MCP',
	'tools listed',
] as const;

/** A container whose ladder ends at a step, from 1; 9 when it got to the end. */
export function container(name: string, verdict: string, end = 9, more: Partial<Observed> = {}): Observed {
	return {
		id: `${name}0123456789`,
		name,
		image: 'acme/demo:1',
		state: 'running',
		verdict,
		reason: `${verdict} it is`,
		diagnostics: [],
		ladder: names.map((step, i) => ({
			name: step,
			state: i + 1 < end ? 'ok' : i + 1 === end ? 'failed' : 'pending',
		})),
		...more,
	};
}
