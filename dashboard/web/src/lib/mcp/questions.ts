// What servers ask and tell in the midst of a call, and how it is answered: by whoever sits
// in front of the page, or by a refusal that says why.
import { own, type JsonObject } from '../schema/json';
import type { Answer, Frame, Hooks } from './types';
import { TransportError } from './wire';

const maxFrames = 200;
const maxFrameText = 64 * 1024;

/** A question was refused, and with it the call. */
export class Declined extends Error {}

/** What one call gathers. */
export interface Call extends Hooks {
	frames: Frame[];
	raw: string;
	round: number;
	/** The server's open questions, by the id of each: what takes it back. */
	open: Map<unknown, () => void>;
}

/** Answers one question of an input_required result. */
export async function input(request: unknown, call: Call): Promise<unknown> {
	const method = own(request, 'method');
	const params = own(request, 'params');
	if (method === 'elicitation/create') return elicit(params, call);
	if (method === 'roots/list') return roots(call);
	// There is no refusal in this revision: a call whose question has no answer ends.
	throw new Declined(declines(method, params, call));
}

/** Answers a request that a server sends within a session; undefined when nobody waits for
 * that any more. */
export async function reply(
	request: unknown,
	call: Call,
): Promise<{ result: unknown } | { error: unknown } | undefined> {
	const id = own(request, 'id');
	const method = own(request, 'method');
	const params = own(request, 'params');
	switch (method) {
		case 'ping':
			return { result: {} };
		case 'roots/list':
			return { result: roots(call) };
		case 'sampling/createMessage':
			return { error: { code: -1, message: declines(method, params, call) } };
		case 'elicitation/create':
			break;
		default:
			return { error: { code: -32601, message: declines(method, params, call) } };
	}
	const round = ++call.round;
	const back = new Promise<undefined>((done) =>
		call.open.set(id, () => {
			call.withdrawn?.(round);
			done(undefined);
		}),
	);
	try {
		const answer = await Promise.race([elicit(params, call), back]);
		return answer && { result: answer };
	} catch {
		return undefined; // the call was cancelled
	} finally {
		call.open.delete(id);
	}
}

function declines(method: unknown, params: unknown, call: Call): string {
	const what =
		method === 'sampling/createMessage'
			? 'The server asked for a language model (sampling/createMessage). The playground has none, so it declined.'
			: `The server asked for ${String(method).slice(0, 80)}, which the playground does not know, so it declined.`;
	const asked = JSON.stringify(params ?? {}).slice(0, 2000);
	call.note?.(`${what} What it sent: ${asked}`);
	return what;
}

function roots(call: Call): JsonObject {
	call.note?.(
		'The server asked for the roots (roots/list). A page has no files, so the answer was an empty list.',
	);
	return { roots: [] };
}

/** Asks the person at the page. It throws when the call is cancelled meanwhile. */
export async function elicit(params: unknown, call: Call): Promise<Answer> {
	const mode = own(params, 'mode') === 'url' ? 'url' : 'form';
	const message = own(params, 'message');
	const url = own(params, 'url');
	if (!call.ask) return { action: 'cancel' };
	return Promise.race([
		call.ask({
			round: call.round,
			mode,
			message: typeof message === 'string' ? message : '',
			...(mode === 'url' ? { url: String(url) } : { schema: own(params, 'requestedSchema') }),
		}),
		aborted(call.signal),
	]);
}

/** Takes a notification that came while request id was under way. */
export function notified(message: unknown, id: number, call: Call): void {
	const params = own(message, 'params');
	if (own(message, 'method') === 'notifications/progress') {
		const progress = own(params, 'progress');
		if (own(params, 'progressToken') !== id || typeof progress !== 'number') return;
		const total = own(params, 'total');
		const said = own(params, 'message');
		call.progress?.({
			progress,
			...(typeof total === 'number' ? { total } : {}),
			...(typeof said === 'string' ? { message: said } : {}),
		});
	} else if (own(message, 'method') === 'notifications/cancelled') {
		call.open.get(own(params, 'requestId'))?.();
	} else if (own(message, 'method') === 'notifications/message') {
		const data = own(params, 'data');
		const level = own(params, 'level');
		call.note?.(`${String(level)}: ${typeof data === 'string' ? data : JSON.stringify(data)}`.slice(0, 2000));
	}
}

/** Keeps a message as it was on the wire. */
export function frame(call: Call, direction: Frame['direction'], text: string): void {
	if (call.frames.length >= maxFrames) return;
	const kept =
		text.length > maxFrameText ? `${text.slice(0, maxFrameText)} … ${text.length} characters` : text;
	call.frames.push({ direction, at: Date.now(), text: kept });
}

/** Never ends well: with the signal, or not at all. */
function aborted(signal?: AbortSignal): Promise<never> {
	return new Promise((_, reject) => {
		if (signal?.aborted) reject(new TransportError('cancelled'));
		signal?.addEventListener('abort', () => reject(new TransportError('cancelled')));
	});
}

/** Waits, or throws when the call is cancelled meanwhile. */
export async function pause(ms: number, signal?: AbortSignal): Promise<void> {
	await Promise.race([new Promise((done) => setTimeout(done, ms)), ...(signal ? [aborted(signal)] : [])]);
}
