// What is said of backends, in one place. Pure.
import type { components } from './api.gen';
import { relative } from './format';

export type Backend = components['schemas']['Backend'];
export type Health = Backend['health'];

/** Which of them are shown. */
export type Which = 'all' | 'problems' | 'docker' | 'manual';

const trouble: Partial<Record<Health, number>> = {
	down: 0,
	auth_required: 1,
	degraded: 2,
};

/** Whether somebody should look at it. */
export function isProblem(health: Health): boolean {
	return trouble[health] !== undefined;
}

/**
 * Problems first, the worst of them foremost, then by name. settled is the health that
 * counts: one that is being connected stays where it was.
 */
export function ordered(backends: Backend[], settled: (b: Backend) => Health): Backend[] {
	const rank = (b: Backend) => trouble[settled(b)] ?? 3;
	return [...backends].sort((a, b) => rank(a) - rank(b) || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

/** Those of a kind whose name, server, image or address has all words. */
export function chosen(backends: Backend[], which: Which, words: string): Backend[] {
	const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
	return backends.filter((b) => {
		if (which === 'problems' && !isProblem(b.health)) return false;
		if ((which === 'docker' || which === 'manual') && b.source !== which) return false;
		if (wanted.length === 0) return true;
		const text = [b.name, b.title, b.url, b.container?.name, b.container?.image, b.container?.composeProject]
			.concat(serverName(b))
			.join('\n')
			.toLowerCase();
		return wanted.every((word) => text.includes(word));
	});
}

/** Where it is from. */
export function origin(b: Backend): string {
	return b.source === 'docker' ? 'docker label' : 'manual';
}

/** What its server says that it is: "github-mcp 1.4.0"; '' when it did not say. */
export function serverName(b: Backend): string {
	const info: Record<string, unknown> = b.serverInfo ?? {};
	const text = (value: unknown) => (typeof value === 'string' ? value : '');
	return [text(info.title) || text(info.name), text(info.version)].filter(Boolean).join(' ');
}

/** How it is spoken to: "streamable HTTP · 2025-11-25". */
export function spoken(b: Backend): string {
	const transport = {
		http: 'streamable HTTP',
		sse: 'HTTP+SSE',
		stdio: 'stdio',
		auto: '',
	}[b.transport];
	return [transport, b.protocolVersion].filter(Boolean).join(' · ');
}

/** Why it is not healthy, in a sentence; '' when it is. */
export function why(b: Backend): string {
	if (b.health === 'healthy') return '';
	if (b.health === 'disabled') return disabled(b);
	const reason = b.reason || b.error || '';
	if (b.health === 'auth_required') return sentence(reason || 'it asks for credentials');
	if (b.health === 'connecting') return reason ? sentence(reason) : '';
	return sentence(reason || 'it does not say why');
}

/** Whether its switch here has an effect. */
export function switchable(b: Backend): boolean {
	return b.disabledBy !== 'label' && b.disabledBy !== 'unknown';
}

function disabled(b: Backend): string {
	switch (b.disabledBy) {
		case 'dashboard':
			return 'Disabled in the dashboard.';
		case 'label':
			return 'Disabled by the label mcp-gw.enable=false.';
		case 'file':
			return 'Disabled where it is registered.';
		case 'unknown':
			return 'Off like all others: the file of the switches cannot be used, and nobody can tell which are to be on.';
		default:
			return 'Disabled.';
	}
}

/** "Retrying in 12 s."; '' when that is not waited for. */
export function retry(b: Backend, now: number): string {
	if (!b.nextRetryAt || !isProblem(b.health)) return '';
	const at = Date.parse(b.nextRetryAt);
	if (!Number.isFinite(at)) return '';
	return at - now < 1000 ? 'Trying now.' : `Retrying ${relative(at, now)}.`;
}

/** With a full stop. */
export function ended(text: string): string {
	const trimmed = text.trim();
	return trimmed === '' || /[.!?…]$/.test(trimmed) ? trimmed : `${trimmed}.`;
}

/** With a full stop, and a capital where it begins with a word: not for what begins with a name. */
export function sentence(text: string): string {
	return ended(text).replace(/^[a-z]+(?=[\s,:])/, (word) => word.charAt(0).toUpperCase() + word.slice(1));
}

/** What a check of it is: ping is no more in the newer protocol. */
export function checkedBy(b: Pick<Backend, 'era'>): string {
	return b.era === 'modern' ? 'server/discover' : 'ping';
}

/** What to do to be rid of a backend that a label has made. */
export function unlabel(b: Backend): { text: string; command: string } | undefined {
	if (b.source !== 'docker') return undefined;
	const name = b.container?.name ?? b.name;
	return {
		text: `Managed by labels on container ${name}. Stop the container, or set mcp-gw.enable=false.`,
		command: `docker stop ${/^[\w.-]+$/.test(name) ? name : `'${name.replaceAll("'", `'\\''`)}'`}`,
	};
}
