// A small MCP client that lives in a page: streamable HTTP in both eras, sessions of
// 2025-11-25 and the requests of 2026-07-28 that stand alone. It answers what
// servers ask of a client by asking whoever sits in front of the page.
import { refused, shut } from '../api';
import { keyHeaders } from '../key';
import { isObject, own, type Json, type JsonObject } from '../schema/json';
import { Declined, elicit, frame, input, notified, pause, reply, type Call } from './questions';
import { revision, type Era, type Hooks, type Outcome } from './types';
import {
	bodyText,
	headerValue,
	messages,
	paramHeaders,
	plain,
	refuse,
	RpcError,
	TransportError,
} from './wire';

type Fetch = (url: string, init: RequestInit) => Promise<Response>;

export interface Options {
	url?: string;
	era: Era;
	version: string;
	fetch?: Fetch;
}

const maxRounds = 10;
const name = 'mcp-gw dashboard';
const capabilities = { elicitation: { form: {}, url: {} }, sampling: {}, roots: {} };
const meta = 'io.modelcontextprotocol/';

class SessionLost extends Error {}

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
					const answer = await elicit(isObject(page) ? { mode: 'url', ...page } : {}, call);
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
					responses.push([key, await input(request, call)]);
				}
				answered['inputResponses'] = Object.fromEntries(responses) as JsonObject;
			} else {
				await pause(1000, call.signal);
			}
			if (result['requestState'] !== undefined) answered['requestState'] = result['requestState'];
		}
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
		const answer = await reply(request, call);
		if (!answer) return;
		const message = { jsonrpc: '2.0', id: own(request, 'id'), ...answer };
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
