// What the gateway tried on its way from a container's address to its tools, made of
// how far it came. Pure.
import type { components } from '../api.gen';
import { sentence, type Observed } from './observed';

export type Backend = components['schemas']['Backend'];

export interface Try {
	what: string;
	state: 'ok' | 'warn' | 'failed' | 'pending';
	detail: string;
}

/** The steps of a connect, and the failures that end it there. */
const ends: [what: string, failures: string[]][] = [
	['Name', ['dns']],
	['Connection', ['refused', 'timeout', 'unreachable', 'tls']],
	['Answer', ['no_answer', 'closed', 'http_status', 'auth_required', 'not_mcp']],
	['MCP', ['protocol']],
	['Tools', ['list_failed', 'no_tools']],
];

/** Nothing when nobody connected, because discovery alone said no. */
export function tries(
	o: Observed,
	backend?: Pick<Backend, 'latencyMs' | 'protocolVersion' | 'toolCount'>,
): Try[] {
	const spot = ends.findIndex(([, failures]) => failures.includes(o.verdict));
	const rungs = new Map((o.ladder ?? []).map((step) => [step.name, step]));
	const reached = rungs.get('port reachable');
	if (spot < 0 && reached?.state !== 'ok') return [];
	const steps = ends.map(([what], i): Try => {
		const state =
			spot < 0 || i < spot ? 'ok' : i > spot ? 'pending' : o.verdict === 'no_tools' ? 'warn' : 'failed';
		if (state === 'failed' || state === 'warn') return { what, state, detail: sentence(strip(o)) };
		return { what, state, detail: state === 'ok' ? passed(what, o, rungs, backend) : '' };
	});
	return o.url ? steps : steps.slice(1); // standard input and output have no name
}

function passed(
	what: string,
	o: Observed,
	rungs: Map<string, { detail?: string }>,
	backend?: Pick<Backend, 'latencyMs' | 'protocolVersion' | 'toolCount'>,
): string {
	const host = hostOf(o.url ?? '');
	switch (what) {
		case 'Name':
			return isAddress(host) ? `${host} is an address, no name had to be looked up.` : `${host} was found.`;
		case 'Connection':
			return o.url
				? `${authority(o.url)} accepts connections.`
				: 'Attached to its standard input and output.';
		case 'Answer':
			return backend?.latencyMs ? `It answers, last in ${Math.round(backend.latencyMs)} ms.` : 'It answers.';
		case 'MCP':
			return sentence(rungs.get('speaks MCP')?.detail ?? '');
	}
	return sentence(rungs.get('tools listed')?.detail ?? '');
}

/** The reason without the address, which stands above it. */
function strip(o: Observed): string {
	const at = `${authority(o.url ?? '')}: `;
	return o.reason.startsWith(at) ? o.reason.slice(at.length) : o.reason;
}

function authority(url: string): string {
	try {
		return new URL(url).host;
	} catch {
		return url;
	}
}

function hostOf(url: string): string {
	try {
		return new URL(url).hostname;
	} catch {
		return url;
	}
}

function isAddress(host: string): boolean {
	return /^\d+\.\d+\.\d+\.\d+$/.test(host) || host.startsWith('[');
}
