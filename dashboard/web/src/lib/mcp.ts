// A small MCP client that lives in a page: streamable HTTP in both eras, sessions of
// 2025-11-25 and the requests of 2026-07-28 that stand alone. It answers what
// servers ask of a client by asking whoever sits in front of the page.
import { refused, shut } from './api';
import { keyHeaders } from './key';
import { isObject, own, type Json, type JsonObject } from './schema/json';
import { events, text } from './sse';

export type Era = 'modern' | 'legacy';

export const revision: Record<Era, string> = { modern: '2026-07-28', legacy: '2025-11-25' };

/** Something a server asks of the person at the page. */
export interface Question {
	/** Which round of questions this is, from 1. */
	round: number;
	mode: 'form' | 'url';
	message: string;
	/** Of the form mode. */
	schema?: unknown;
	/** Of the url mode. */
	url?: string;
}

export type Answer = { action: 'accept'; content?: Json } | { action: 'decline' | 'cancel' };

export interface Progress {
	progress: number;
	total?: number;
	message?: string;
}

/** One message of a call, as it was on the wire. */
export interface Frame {
	direction: 'sent' | 'received';
	at: number;
	text: string;
}

/** What a call tells while it runs. */
export interface Hooks {
	signal?: AbortSignal;
	progress?(progress: Progress): void;
	/** A log message of the server's, or a question that was answered without asking. */
	note?(text: string): void;
	ask?(question: Question): Promise<Answer>;
	/** The server no longer wants its question of this round answered. */
	withdrawn?(round: number): void;
}

export type Outcome = {
	ms: number;
	/** Of the last answer, as text. */
	bytes: number;
	raw: string;
	frames: Frame[];
	rounds: number;
} & (
	| { kind: 'result'; result: JsonObject }
	| { kind: 'rpc'; code: number; message: string; data?: unknown }
	| { kind: 'transport'; status?: number; message: string }
	| { kind: 'declined'; message: string }
	| { kind: 'cancelled' }
);

type Fetch = (url: string, init: RequestInit) => Promise<Response>;

export interface Options {
	url?: string;
	era: Era;
	version: string;
	fetch?: Fetch;
}

const maxRounds = 10;
const maxFrames = 200;
const maxFrameText = 64 * 1024;
const name = 'mcp-gw dashboard';
const capabilities = { elicitation: { form: {}, url: {} }, sampling: {}, roots: {} };
const meta = 'io.modelcontextprotocol/';

class RpcError extends Error {
	constructor(
		readonly code: number,
		message: string,
		readonly data?: unknown,
	) {
		super(message);
	}
}

class TransportError extends Error {
	constructor(
		message: string,
		readonly status?: number,
	) {
		super(message);
	}
}

class Declined extends Error {}

class SessionLost extends Error {}

/** What one call gathers. */
interface Call extends Hooks {
	frames: Frame[];
	raw: string;
	round: number;
	/** The server's open questions, by the id of each: what takes it back. */
	open: Map<unknown, () => void>;
}

export class Client {
	readonly era: Era;
	private readonly url: string;
	private readonly version: string;
	private readonly fetch: Fetch;
	private session: Promise<string> | null = null;
	private next = 0;

	constructor(options: Options) {
		this.era = options.era;
		this.url = options.url ?? 'mcp';
		this.version = options.version;
		this.fetch = options.fetch ?? ((url, init) => fetch(url, init));
	}

	callTool(tool: string, args: Json, hooks: Hooks = {}, inputSchema?: unknown): Promise<Outcome> {
		return this.run('tools/call', { name: tool, arguments: args }, hooks, paramHeaders(inputSchema, args));
	}

	getPrompt(prompt: string, args: Json, hooks: Hooks = {}): Promise<Outcome> {
		return this.run('prompts/get', { name: prompt, arguments: args }, hooks);
	}

	readResource(uri: string, hooks: Hooks = {}): Promise<Outcome> {
		return this.run('resources/read', { uri }, hooks);
	}

	/** Ends the session, if there is one. Never fails, and is safe while a page goes. */
	async close(): Promise<void> {
		const session = this.session;
		this.session = null;
		if (!session) return;
		try {
			const headers = this.sessionHeaders(await session);
			await this.fetch(this.url, {
				method: 'DELETE',
				headers: { ...keyHeaders(), ...headers },
				keepalive: true,
			});
		} catch {
			// It expires by itself.
		}
	}

	private async run(
		method: string,
		params: JsonObject,
		hooks: Hooks,
		extra: Record<string, string> = {},
	): Promise<Outcome> {
		const started = performance.now();
		const call: Call = { ...hooks, frames: [], raw: '', round: 0, open: new Map() };
		const about = () => ({
			ms: performance.now() - started,
			bytes: new TextEncoder().encode(call.raw).length,
			raw: call.raw,
			frames: call.frames,
			rounds: call.round,
		});
		try {
			const result = await this.rounds(method, params, call, extra);
			return { kind: 'result', result, ...about() };
		} catch (error) {
			if (hooks.signal?.aborted) return { kind: 'cancelled', ...about() };
			if (error instanceof RpcError) {
				return { kind: 'rpc', code: error.code, message: error.message, data: error.data, ...about() };
			}
			const message = error instanceof Error ? error.message : String(error);
			if (error instanceof Declined) return { kind: 'declined', message, ...about() };
			const status = error instanceof TransportError ? error.status : undefined;
			return { kind: 'transport', status, message: plain(message), ...about() };
		}
	}

	/** Sends the request until the answer is no question any more. */
	private async rounds(
		method: string,
		params: JsonObject,
		call: Call,
		extra: Record<string, string>,
	): Promise<JsonObject> {
		let answered: JsonObject = {};
		for (;;) {
			let result: JsonObject;
			try {
				result = await this.request(method, { ...params, ...answered }, call, extra);
			} catch (error) {
				const pages =
					error instanceof RpcError && error.code === -32042 ? own(error.data, 'elicitations') : null;
				if (!Array.isArray(pages) || pages.length === 0 || call.round >= maxRounds) throw error;
				call.round++;
				for (const page of pages) {
					const answer = await this.elicit(isObject(page) ? { mode: 'url', ...page } : {}, call);
					if (answer.action !== 'accept') throw error;
				}
				continue;
			}
			if (result['resultType'] !== 'input_required') return result;
			if (++call.round > maxRounds) {
				throw new TransportError(`The server asked ${maxRounds} times and is not satisfied yet.`);
			}
			answered = {};
			const requests = result['inputRequests'];
			if (isObject(requests) && Object.keys(requests).length > 0) {
				const responses: [string, unknown][] = [];
				for (const [key, request] of Object.entries(requests)) {
					responses.push([key, await this.input(request, call)]);
				}
				answered['inputResponses'] = Object.fromEntries(responses) as JsonObject;
			} else {
				await pause(1000, call.signal);
			}
			if (result['requestState'] !== undefined) answered['requestState'] = result['requestState'];
		}
	}

	/** Answers one question of an input_required result. */
	private async input(request: unknown, call: Call): Promise<unknown> {
		const method = own(request, 'method');
		const params = own(request, 'params');
		if (method === 'elicitation/create') return this.elicit(params, call);
		if (method === 'roots/list') return this.roots(call);
		// There is no refusal in this revision: a call whose question has no answer ends.
		throw new Declined(this.declines(method, params, call));
	}

	private declines(method: unknown, params: unknown, call: Call): string {
		const what =
			method === 'sampling/createMessage'
				? 'The server asked for a language model (sampling/createMessage). The playground has none, so it declined.'
				: `The server asked for ${String(method).slice(0, 80)}, which the playground does not know, so it declined.`;
		const asked = JSON.stringify(params ?? {}).slice(0, 2000);
		call.note?.(`${what} What it sent: ${asked}`);
		return what;
	}

	private roots(call: Call): JsonObject {
		call.note?.(
			'The server asked for the roots (roots/list). A page has no files, so the answer was an empty list.',
		);
		return { roots: [] };
	}

	private async elicit(params: unknown, call: Call): Promise<Answer> {
		const mode = own(params, 'mode') === 'url' ? 'url' : 'form';
		const message = own(params, 'message');
		const url = own(params, 'url');
		if (!call.ask) return { action: 'cancel' };
		const answer = await Promise.race([
			call.ask({
				round: call.round,
				mode,
				message: typeof message === 'string' ? message : '',
				...(mode === 'url' ? { url: String(url) } : { schema: own(params, 'requestedSchema') }),
			}),
			aborted(call.signal),
		]);
		return answer;
	}

	private async request(
		method: string,
		params: JsonObject,
		call: Call,
		extra: Record<string, string>,
	): Promise<JsonObject> {
		if (this.era === 'modern') return this.once(method, params, call, extra);
		try {
			return await this.once(method, params, call, {}, await this.open());
		} catch (error) {
			if (!(error instanceof SessionLost)) throw error;
			// The gateway was started anew, or the session was idle for too long.
			this.session = null;
			return this.once(method, params, call, {}, await this.open());
		}
	}

	/** The session's id; the first call of it makes the session. */
	private open(): Promise<string> {
		this.session ??= this.initialize().catch((error: unknown) => {
			this.session = null;
			throw error;
		});
		return this.session;
	}

	private async initialize(): Promise<string> {
		const params = {
			protocolVersion: revision.legacy,
			capabilities,
			clientInfo: { name, version: this.version },
		};
		const response = await this.post({ jsonrpc: '2.0', id: ++this.next, method: 'initialize', params }, {});
		const body = JSON.parse(await bodyText(response)) as unknown;
		refuse(body);
		const session = response.headers.get('Mcp-Session-Id') ?? '';
		const ready = { jsonrpc: '2.0', method: 'notifications/initialized' };
		await this.post(ready, this.sessionHeaders(session));
		return session;
	}

	private sessionHeaders(session: string): Record<string, string> {
		return {
			'MCP-Protocol-Version': revision.legacy,
			...(session === '' ? {} : { 'Mcp-Session-Id': session }),
		};
	}

	/** One request and its answer. */
	private async once(
		method: string,
		params: JsonObject,
		call: Call,
		extra: Record<string, string>,
		session?: string,
	): Promise<JsonObject> {
		const id = ++this.next;
		let headers = extra;
		const _meta: JsonObject = { progressToken: id };
		if (session === undefined) {
			_meta[`${meta}protocolVersion`] = revision.modern;
			_meta[`${meta}clientCapabilities`] = capabilities;
			_meta[`${meta}clientInfo`] = { name, version: this.version };
			_meta[`${meta}logLevel`] = 'info';
			headers = {
				...extra,
				'MCP-Protocol-Version': revision.modern,
				'Mcp-Method': method,
				'Mcp-Name': headerValue(String(params['name'] ?? params['uri'])),
			};
		} else {
			headers = this.sessionHeaders(session);
		}
		const message = { jsonrpc: '2.0', id, method, params: { ...params, _meta } };
		frame(call, 'sent', JSON.stringify(message));
		const stop = () => {
			if (session === undefined) return; // there the closed stream says it
			const params = { requestId: id, reason: 'cancelled in the playground' };
			this.post({ jsonrpc: '2.0', method: 'notifications/cancelled', params }, headers).catch(
				() => undefined,
			);
		};
		call.signal?.addEventListener('abort', stop);
		try {
			const response = await this.post(message, headers, call.signal);
			for await (const text of messages(response)) {
				frame(call, 'received', text);
				const received = JSON.parse(text) as unknown;
				const from = own(received, 'method');
				if (from !== undefined) {
					if (own(received, 'id') === undefined) notified(received, id, call);
					else if (session !== undefined) void this.answer(received, session, call);
					continue;
				}
				if (own(received, 'id') !== id && own(received, 'id') !== null) continue;
				call.raw = text;
				if (response.status === 404 && session !== undefined) throw new SessionLost();
				refuse(received);
				const result = own(received, 'result');
				if (!isObject(result)) throw new TransportError('The answer has neither a result nor an error.');
				return result;
			}
			throw new TransportError('The connection ended before the answer came.', response.status);
		} finally {
			call.signal?.removeEventListener('abort', stop);
		}
	}

	/** Answers a request of the server's, which only sessions have. */
	private async answer(request: unknown, session: string, call: Call): Promise<void> {
		const method = own(request, 'method');
		const params = own(request, 'params');
		let reply: object;
		try {
			if (method === 'elicitation/create') {
				const round = ++call.round;
				const back = new Promise<never>((_, reject) =>
					call.open.set(own(request, 'id'), () => {
						call.withdrawn?.(round);
						reject(new Error());
					}),
				);
				reply = { result: await Promise.race([this.elicit(params, call), back]) };
			} else if (method === 'roots/list') reply = { result: this.roots(call) };
			else if (method === 'ping') reply = { result: {} };
			else if (method === 'sampling/createMessage') {
				reply = { error: { code: -1, message: this.declines(method, params, call) } };
			} else reply = { error: { code: -32601, message: this.declines(method, params, call) } };
		} catch {
			return; // the question was taken back, or the call cancelled
		} finally {
			call.open.delete(own(request, 'id'));
		}
		const message = { jsonrpc: '2.0', id: own(request, 'id'), ...reply };
		frame(call, 'sent', JSON.stringify(message));
		try {
			await this.post(message, this.sessionHeaders(session));
		} catch (error) {
			call.note?.(`The answer did not reach the gateway: ${plain(String(error))}`);
		}
	}

	private async post(
		message: object,
		headers: Record<string, string>,
		signal?: AbortSignal,
	): Promise<Response> {
		const answer = await this.fetch(this.url, {
			method: 'POST',
			body: JSON.stringify(message),
			headers: {
				'Content-Type': 'application/json',
				Accept: 'application/json, text/event-stream',
				...keyHeaders(),
				...headers,
			},
			...(signal ? { signal } : {}),
		});
		if (refused(answer)) shut();
		return answer;
	}
}

/** The JSON-RPC messages of a response. */
async function* messages(response: Response): AsyncGenerator<string, void> {
	const type = response.headers.get('Content-Type') ?? '';
	if (response.body && type.startsWith('text/event-stream')) {
		yield* events(response.body);
		return;
	}
	const all = await bodyText(response);
	if (all !== '') yield all;
}

/** A body that is JSON-RPC, or an error that says what it is instead. */
async function bodyText(response: Response): Promise<string> {
	const all = await text(response.body);
	let body: unknown;
	try {
		body = JSON.parse(all);
	} catch {
		if (response.ok && all === '') return '';
		const answered = response.ok ? 'The answer is not JSON' : `The gateway answered ${response.status}`;
		throw new TransportError(
			`${answered}: ${all.trim().slice(0, 500) || response.statusText}`,
			response.status,
		);
	}
	if (own(body, 'jsonrpc') === undefined) {
		const said = own(body, 'error');
		throw new TransportError(typeof said === 'string' ? said : all.slice(0, 500), response.status);
	}
	return all;
}

function refuse(message: unknown): void {
	const error = own(message, 'error');
	if (error === undefined) return;
	throw new RpcError(Number(own(error, 'code')), String(own(error, 'message') ?? ''), own(error, 'data'));
}

function notified(message: unknown, id: number, call: Call): void {
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

function frame(call: Call, direction: Frame['direction'], text: string): void {
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

async function pause(ms: number, signal?: AbortSignal): Promise<void> {
	await Promise.race([new Promise((done) => setTimeout(done, ms)), ...(signal ? [aborted(signal)] : [])]);
}

function plain(message: string): string {
	return /^(TypeError: )?(Failed to fetch|NetworkError.*|network error|Load failed)$/i.test(message)
		? 'The gateway could not be reached, or the connection broke off.'
		: message;
}

/** A value as a header may carry it (2026-07-28, standard headers). */
export function headerValue(value: string): string {
	const safe = /^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$/.test(value) && !/^=\?base64\?.*\?=$/i.test(value);
	if (safe || value === '') return value;
	const bytes = new TextEncoder().encode(value);
	return `=?base64?${btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''))}?=`;
}

/** The headers that mirror arguments whose schema says x-mcp-header. */
export function paramHeaders(schema: unknown, args: unknown, depth = 0): Record<string, string> {
	const headers: Record<string, string> = {};
	const properties = own(schema, 'properties');
	if (!isObject(properties) || depth > 10) return headers;
	for (const key of Object.keys(properties)) {
		const value = own(args, key);
		if (value === undefined) continue;
		const header = own(properties[key], 'x-mcp-header');
		const sendable = typeof value === 'string' || typeof value === 'boolean' || Number.isSafeInteger(value);
		if (typeof header === 'string' && /^[!#$%&'*+\-.^_`|~0-9a-zA-Z]+$/.test(header) && sendable) {
			headers[`Mcp-Param-${header}`] = headerValue(String(value));
		}
		Object.assign(headers, paramHeaders(properties[key], value, depth + 1));
	}
	return headers;
}
