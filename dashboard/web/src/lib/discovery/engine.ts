// What keeps the gateway from seeing containers, each with what mends it. Pure.
import type { components } from '../api.gen';
import { sentence } from './observed';

export type Engine = components['schemas']['Engine'];

export interface Banner {
	tone: 'error' | 'warning' | 'info';
	/** The stable code, D001 and up; '' where there is none. */
	code: string;
	title: string;
	/** What the gateway says of it. */
	text: string;
	/** What to do, beyond what the text says. */
	fix: string;
	/** Ready to copy. */
	snippet: string;
}

interface Known {
	title: string;
	fix: string;
	snippet?: string;
	tone?: Banner['tone'];
}

const mount = 'services:\n  gateway:\n    volumes: ["/var/run/docker.sock:/var/run/docker.sock"]';
const proxy =
	'services:\n  gateway:\n    environment:\n      DOCKER_HOST: tcp://docker-proxy:2375\n    networks: [docker-api]\n  docker-proxy:\n    image: mcp-gw\n    command: [docker-proxy]\n    volumes: ["/var/run/docker.sock:/var/run/docker.sock"]\n    networks: [docker-api]\nnetworks:\n  docker-api: { internal: true }';
const permit = (...names: string[]) =>
	`services:\n  docker-proxy:\n    environment:\n${names.map((name) => `      ${name}: "1"`).join('\n')}`;
const tls =
	'services:\n  gateway:\n    environment:\n      DOCKER_CERT_PATH: /certs\n      DOCKER_TLS_VERIFY: "1"\n    volumes: ["./certs:/certs:ro"]';

/** By the codes of labels.md. */
const known: Record<string, Known> = {
	D001: {
		title: 'There is no Docker socket',
		fix: 'Mount the socket, or let DOCKER_HOST point to where the engine listens.',
		snippet: mount,
	},
	D002: {
		title: 'The Docker socket is a directory',
		fix: 'Remove the directory on the host, start the engine there, then this container anew.',
	},
	D003: {
		title: 'Permission denied on the Docker socket',
		fix: 'Add the group that the socket belongs to, or put docker-proxy before it.',
		snippet: proxy,
	},
	D004: {
		title: 'Nobody listens on the Docker socket',
		fix: 'Start the engine. It is tried again all the time.',
	},
	D005: {
		title: 'The Docker socket is stale',
		fix: 'Start this container anew: the engine made its socket anew, and the mounted one stays the old.',
	},
	D006: {
		title: 'The name in DOCKER_HOST is not known',
		fix: 'Put the proxy and the gateway on one network.',
		snippet: proxy,
	},
	D007: {
		title: 'The engine cannot be reached',
		fix: 'Start what should listen there, or mend DOCKER_HOST.',
	},
	D008: {
		title: 'What answers is not an engine',
		fix: 'Permit /_ping on the proxy, or mend DOCKER_HOST.',
		snippet: permit('PING'),
	},
	D009: { title: 'The engine wants TLS', fix: 'Give the gateway the certificates.', snippet: tls },
	D010: { title: 'The engine does not speak TLS', fix: 'Unset DOCKER_CERT_PATH and DOCKER_TLS_VERIFY.' },
	D011: {
		title: 'A certificate is refused',
		fix: 'Put the right ca.pem, cert.pem and key.pem into DOCKER_CERT_PATH.',
	},
	D012: {
		title: 'Engine and gateway share no API version',
		fix: 'Unset DOCKER_API_VERSION, or use a version of either that fits.',
	},
	D013: {
		title: 'A socket proxy refuses a request',
		fix: 'Permit it on the proxy; without it no container can be found.',
		snippet: permit('PING', 'CONTAINERS', 'NETWORKS', 'EVENTS'),
	},
	D014: { title: 'The engine does not answer', fix: 'Look at the engine, or at what is behind the proxy.' },
	D015: { title: 'ssh is not supported', fix: 'Use a socket proxy, or tcp with TLS.', snippet: proxy },
	D016: { title: 'The settings of the engine’s address cannot be used', fix: 'Mend the one that is named.' },
	D017: {
		title: 'The stream of events ended',
		fix: 'It is opened again by itself; nothing needs to be done.',
		tone: 'info',
	},
	D018: { title: 'The engine reports an error', fix: 'Look at the engine’s log.' },
	D020: {
		title: 'Events are refused',
		fix: 'Containers are looked at every three seconds instead. Permit events on the proxy.',
		snippet: permit('EVENTS'),
	},
	D021: {
		title: 'Containers cannot be inspected',
		fix: 'They are known from the listing alone. Permit inspecting on the proxy.',
		snippet: permit('CONTAINERS'),
	},
	D022: {
		title: 'Networks are refused',
		fix: 'They are told apart by name alone. Permit networks on the proxy.',
		snippet: permit('NETWORKS'),
	},
	D023: {
		title: 'A container cannot be inspected',
		fix: 'What was known of it stands, and it is asked for again every second. Look at the engine’s log.',
	},
};

/** Codes that this page has words for. */
export const knownCodes = Object.keys(known);

/** What is to be said above the list of containers, worst first. */
export function banners(engine: Engine, enabled: boolean): Banner[] {
	if (!enabled)
		return [
			{
				tone: 'info',
				code: '',
				title: 'Containers are not watched',
				text: 'The gateway was started with MCP_GW_DOCKER=off.',
				fix: 'Start it with MCP_GW_DOCKER=auto, and with a way to the engine. Backends added by URL still work.',
				snippet: '',
			},
		];
	const out: Banner[] = [];
	if (engine.error || !engine.connected) {
		const code = engine.code ?? '';
		const k = known[code];
		out.push({
			tone: k?.tone ?? (engine.connected ? 'warning' : 'error'),
			code,
			title:
				k?.title ?? (engine.connected ? 'The engine tells less than it could' : 'Docker is not reachable'),
			text: sentence(engine.error || `${engine.endpoint} was not reached yet`),
			fix: [k?.fix, engine.connected ? '' : 'Backends added by URL still work.'].filter(Boolean).join(' '),
			snippet: snippet(code, engine.error ?? ''),
		});
	}
	if (engine.networkProblem)
		out.push({
			tone: 'error',
			code: '',
			title: `The network ${engine.network} is not ready`,
			text: sentence(engine.networkProblem),
			fix: '',
			snippet: /\bdocker network (?:connect|create) [^;,]*$/.exec(engine.networkProblem)?.[0] ?? '',
		});
	return out;
}

function snippet(code: string, text: string): string {
	const group = /group_add: \["(\d+)"\]/.exec(text);
	if (group) return `services:\n  gateway:\n    group_add: ["${group[1]}"]`;
	return known[code]?.snippet ?? '';
}
