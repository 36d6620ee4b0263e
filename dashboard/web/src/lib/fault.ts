// What went wrong with a call, whose fault it is, and what can be done. Pure.
import type { ErrorKind } from './calls';
import { duration } from './format';
import { own } from './schema/json';

export interface Fault {
	/** Two or three words. */
	title: string;
	/** Whose fault it is. */
	what: string;
	/** What to do. */
	fix: string;
}

export interface Failed {
	errorKind?: ErrorKind;
	error?: string;
	method: string;
	name?: string;
	backend?: string;
	durationMs?: number;
	result?: unknown;
	raw?: { response?: string };
}

/** The meaning of JSON-RPC's and MCP's codes, with what to do about each. */
const codes: Record<string, { meaning: string; fix: string }> = {
	'-32700': {
		meaning: 'parse error',
		fix: 'The server could not read the request as JSON. That is a fault of the server, or of something between it and the gateway.',
	},
	'-32600': {
		meaning: 'invalid request',
		fix: 'The server does not take requests like this one. Look at the raw messages.',
	},
	'-32601': {
		meaning: 'method not found',
		fix: 'The server does not know this method, though it said that it does. Look at what it lists.',
	},
	'-32602': {
		meaning: 'invalid params',
		fix: 'The arguments are not what the server wants. Hold them against the tool’s schema: the server’s message often names the place.',
	},
	'-32603': { meaning: 'internal error', fix: 'The server failed inside. Its own log says more.' },
	'-32002': {
		meaning: 'resource not found',
		fix: 'There is nothing at this address any more. List the resources again.',
	},
	'-32042': {
		meaning: 'needs an answer at a web page',
		fix: 'The server wants somebody to open its page first. The client has to show that.',
	},
};

/** The code of a JSON-RPC error in an answer. */
export function codeOf(response: string | undefined): string | undefined {
	try {
		const code: unknown = JSON.parse(response ?? '')?.error?.code;
		return typeof code === 'number' ? String(code) : undefined;
	} catch {
		return undefined;
	}
}

const noun = (method: string): string =>
	method === 'prompts/get' ? 'prompt' : method === 'resources/read' ? 'resource' : 'tool';

/** Explains a failed call; undefined for one that did not fail. */
export function explain(call: Failed): Fault | undefined {
	const who = call.backend || 'the backend';
	switch (call.errorKind) {
		case undefined:
			return undefined;
		case 'tool':
			return {
				title: 'Tool error',
				what: `The ${noun(call.method)} ran and says that it failed. Gateway and connection are fine.`,
				fix: 'Hold the arguments against what it says, and try others in the playground.',
			};
		case 'jsonrpc': {
			const code = codeOf(call.raw?.response);
			const known = code === undefined ? undefined : codes[code];
			return {
				title: known
					? `JSON-RPC error ${code}: ${known.meaning}`
					: code
						? `JSON-RPC error ${code}`
						: 'JSON-RPC error',
				what: `${who} refused the request before it ran.`,
				fix: known?.fix ?? 'Hold the arguments against the schema and the message.',
			};
		}
		case 'transport':
			return {
				title: 'No answer',
				what: `The connection to ${who} failed, so whether the call was carried out is not known.`,
				fix: 'The page of the backend says whether it is up, and why not.',
			};
		case 'timeout':
			return {
				title: 'Too slow',
				what: `${who} said nothing for as long as it may stay silent${
					call.durationMs === undefined ? '' : `; the call ended after ${duration(call.durationMs)}`
				}.`,
				fix: 'If it needs longer, set the label mcp-gw.timeout.call on its container, or MCP_GW_CALL_TIMEOUT for all. Progress notifications start the clock anew.',
			};
		case 'cancelled':
			return {
				title: 'Cancelled',
				what: 'The client did not wait for the answer.',
				fix: 'Nothing is wrong here. If it happens often, the client’s own time limit is shorter than the tool needs.',
			};
		case 'gateway':
			return {
				title: 'Refused by the gateway',
				what: 'The request never reached a backend.',
				fix: `The message says why. The page Tools shows which ${noun(call.method)}s there are, and which are switched off.`,
			};
	}
}

/** What the other side said about it, in its own words. */
export function messageOf(call: Failed): string {
	const content = call.errorKind === 'tool' ? own(call.result, 'content') : undefined;
	if (Array.isArray(content)) {
		const texts = content.map((c) => own(c, 'text')).filter((t) => typeof t === 'string');
		if (texts.length > 0) return texts.join('\n');
	}
	if (call.errorKind === 'jsonrpc') {
		try {
			const message: unknown = JSON.parse(call.raw?.response ?? '')?.error?.message;
			if (typeof message === 'string' && message !== '') return message;
		} catch {
			// Only the short form is left.
		}
	}
	return call.error ?? '';
}

/** A call in a sentence. took is how long, in words. */
export function sentence(
	call: { state: string; backend?: string; errorKind?: ErrorKind; protocol?: boolean },
	took: string,
): string {
	const who = call.backend || 'The gateway';
	if (call.state === 'running') return `${who} has been at it for ${took}.`;
	switch (call.errorKind) {
		case undefined:
			return `${who} answered after ${took}.`;
		case 'tool':
			return `${who} answered with a tool error after ${took}.`;
		case 'jsonrpc':
			return `${who} answered with a JSON-RPC error after ${took}.`;
		case 'transport':
			return `${who} gave no answer; the connection failed after ${took}.`;
		case 'timeout':
			return `${who} gave no answer in time; it ended after ${took}.`;
		case 'cancelled':
			return `The client cancelled it after ${took}.`;
		case 'gateway':
			return `The gateway refused it after ${took}.`;
	}
}

export interface Phase {
	label: string;
	ms: number;
	/** Where it begins, from 0 to 1 of the whole. */
	from: number;
	size: number;
	note: string;
}

/** Where the time of a call went, piece after piece. */
export function phases(t: { waitMs?: number; firstByteMs?: number; totalMs: number }): Phase[] {
	const total = Math.max(t.totalMs, 0);
	const wait = Math.min(t.waitMs ?? 0, total);
	const first = t.firstByteMs === undefined ? undefined : Math.min(Math.max(t.firstByteMs, wait), total);
	const parts: [string, number, number, string][] = [];
	if (t.waitMs !== undefined) {
		parts.push(['Waited', 0, wait, 'for a session with the backend, a free place, or its return']);
	}
	if (first === undefined) {
		parts.push(['Backend', wait, total, 'until the answer was complete']);
	} else {
		parts.push(['First byte', wait, first, 'until the backend began to answer']);
		parts.push(['Answer', first, total, 'until the client had all of it']);
	}
	return parts.map(([label, from, to, note]) => ({
		label,
		ms: to - from,
		from: total === 0 ? 0 : from / total,
		size: total === 0 ? 0 : (to - from) / total,
		note,
	}));
}

/** How a duration compares with what is usual: a few words, '' when it is nothing special. */
export function compared(ms: number, usual: { p50Ms: number; p95Ms: number } | undefined): string {
	if (!usual || usual.p50Ms <= 0) return '';
	const times = ms / usual.p50Ms;
	if (ms > usual.p95Ms && times >= 1.5)
		return `${times < 10 ? times.toFixed(1) : Math.round(times)}× slower than usual`;
	if (times <= 0.5) return `${times > 0 ? `${(1 / times).toFixed(1)}× ` : ''}faster than usual`;
	return 'as usual';
}
