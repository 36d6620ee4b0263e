import { describe, expect, it, vi } from 'vitest';
import { Client } from './client';
import type { Era, Hooks } from './types';

interface Sent {
	method: string;
	headers: Record<string, string>;
	// eslint-disable-next-line @typescript-eslint/no-explicit-any
	body: any;
}
type Reply = (
	sent: Sent,
	write: (message: object) => void,
) => object | undefined | Promise<object | undefined>;

const json = (body: object, status = 200, headers: Record<string, string> = {}) =>
	new Response(JSON.stringify(body), { status, headers: { 'Content-Type': 'application/json', ...headers } });
const result = (id: unknown, value: object) => ({ jsonrpc: '2.0', id, result: value });
const done = { content: [{ type: 'text', text: 'done' }] };

/** A gateway in memory: reply answers each tools/call, and may write before it does. */
function gateway(era: Era, reply: Reply) {
	const sent: Sent[] = [];
	let sessions = 0;
	const waiting = new Map<unknown, (message: object) => void>();
	const fetch = async (_: string, init: RequestInit): Promise<Response> => {
		const one: Sent = {
			method: init.method ?? '',
			headers: init.headers as Record<string, string>,
			body: init.body ? JSON.parse(init.body as string) : undefined,
		};
		sent.push(one);
		if (one.method === 'DELETE') return new Response(null, { status: 204 });
		if (one.body.method === 'initialize') {
			return json(result(one.body.id, { protocolVersion: '2025-11-25' }), 200, {
				'Mcp-Session-Id': `session-${++sessions}`,
			});
		}
		if (one.body.id === undefined) return new Response(null, { status: 202 });
		if (one.body.method === undefined) {
			waiting.get(one.body.id)?.(one.body);
			return new Response(null, { status: 202 });
		}
		const signal = init.signal;
		const body = new ReadableStream<Uint8Array>({
			async start(controller) {
				const write = (message: object) =>
					controller.enqueue(
						new TextEncoder().encode(`event: message\ndata: ${JSON.stringify(message)}\n\n`),
					);
				signal?.addEventListener('abort', () => controller.error(signal.reason));
				try {
					const answer = await reply(one, write);
					if (answer) write(answer);
					controller.close();
				} catch {
					// The reader has left.
				}
			},
		});
		return new Response(body, { headers: { 'Content-Type': 'text/event-stream' } });
	};
	/** What the client answers a request of the server's. */
	const answer = (id: unknown) => new Promise<object>((resolve) => waiting.set(id, resolve));
	return { sent, answer, client: new Client({ era, version: '1.2', fetch: vi.fn(fetch) }) };
}
const eras: Era[] = ['modern', 'legacy'];

describe.each(eras)('in the %s era', (era) => {
	it('calls a tool, hears of its progress and says who it is', async () => {
		const seen: unknown[] = [];
		const { client, sent } = gateway(era, ({ body }, write) => {
			const progressToken = body.params._meta.progressToken;
			write({
				jsonrpc: '2.0',
				method: 'notifications/progress',
				params: { progressToken, progress: 1, total: 2, message: 'half' },
			});
			write({
				jsonrpc: '2.0',
				method: 'notifications/progress',
				params: { progressToken: 'other', progress: 9 },
			});
			write({ jsonrpc: '2.0', method: 'notifications/message', params: { level: 'info', data: { a: 1 } } });
			return result(body.id, done);
		});
		const outcome = await client.callTool(
			'a__b',
			{ x: 1 },
			{ progress: (p) => seen.push(p), note: (n) => seen.push(n) },
		);
		expect(outcome).toMatchObject({ kind: 'result', result: done, rounds: 0 });
		expect(outcome.bytes).toBe(outcome.raw.length);
		expect(outcome.frames.map((frame) => frame.direction)).toEqual([
			'sent',
			'received',
			'received',
			'received',
			'received',
		]);
		expect(seen).toEqual([{ progress: 1, total: 2, message: 'half' }, 'info: {"a":1}']);
		const call = sent.at(-1)!;
		expect(call.body).toMatchObject({ method: 'tools/call', params: { name: 'a__b', arguments: { x: 1 } } });
		const hello =
			era === 'modern'
				? call.body.params._meta['io.modelcontextprotocol/clientInfo']
				: sent[0]!.body.params.clientInfo;
		expect(hello).toEqual({ name: 'mcp-gw dashboard', version: '1.2' });
	});

	it('shows what went wrong as what it is', async () => {
		const answers: (object | undefined)[] = [
			{ error: { code: -32602, message: 'bad', data: { at: 1 } } },
			undefined,
			{ result: 7 },
		];
		const { client } = gateway(era, ({ body }) => {
			const answer = answers.shift();
			return answer && { jsonrpc: '2.0', id: body.id, ...answer };
		});
		expect(await client.callTool('t', {})).toMatchObject({
			kind: 'rpc',
			code: -32602,
			message: 'bad',
			data: { at: 1 },
		});
		expect(await client.callTool('t', {})).toMatchObject({
			kind: 'transport',
			message: expect.stringContaining('ended before'),
		});
		expect(await client.callTool('t', {})).toMatchObject({
			kind: 'transport',
			message: expect.stringContaining('neither'),
		});
	});

	it('says in words what no JSON-RPC server would answer', async () => {
		const fetch = vi.fn<() => Promise<Response>>();
		const client = new Client({ era, version: '1', fetch });
		fetch.mockResolvedValueOnce(json({ error: 'sign in first' }, 401));
		expect(await client.callTool('t', {})).toMatchObject({
			kind: 'transport',
			status: 401,
			message: 'sign in first',
		});
		fetch.mockResolvedValueOnce(new Response('<h1>Bad gateway</h1>', { status: 502 }));
		expect(await client.callTool('t', {})).toMatchObject({
			kind: 'transport',
			status: 502,
			message: expect.stringContaining('502'),
		});
		fetch.mockRejectedValueOnce(new TypeError('Failed to fetch'));
		expect(await client.callTool('t', {})).toMatchObject({
			kind: 'transport',
			message: expect.stringContaining('could not be reached'),
		});
	});

	it('cancels', async () => {
		const { client, sent } = gateway(era, () => new Promise(() => undefined));
		const stop = new AbortController();
		const outcome = client.callTool('t', {}, { signal: stop.signal });
		await vi.waitFor(() => expect(sent.some(({ body }) => body?.method === 'tools/call')).toBe(true));
		stop.abort();
		expect(await outcome).toMatchObject({ kind: 'cancelled' });
		const told = sent.filter(({ body }) => body?.method === 'notifications/cancelled');
		expect(told).toHaveLength(era === 'legacy' ? 1 : 0);
		if (era === 'legacy') {
			const id = sent.find(({ body }) => body.method === 'tools/call')!.body.id;
			expect(told[0]!.body.params.requestId).toBe(id);
		}
	});

	it('asks the person, and is withdrawn with the call', async () => {
		const form = {
			method: 'elicitation/create',
			params: { message: 'Name?', requestedSchema: { type: 'object' } },
		};
		const { client, answer } = gateway(era, async ({ body }, write) => {
			if (era === 'modern') {
				const answers = body.params.inputResponses;
				return result(
					body.id,
					answers
						? { content: [answers] }
						: { resultType: 'input_required', inputRequests: { q: form }, requestState: 's' },
				);
			}
			write({ jsonrpc: '2.0', id: 'q', ...form });
			return result(body.id, { content: [{ q: ((await answer('q')) as { result: object }).result }] });
		});
		const ask: Hooks['ask'] = async (question) => {
			expect(question).toEqual({ round: 1, mode: 'form', message: 'Name?', schema: { type: 'object' } });
			return { action: 'accept', content: { name: 'x' } };
		};
		expect(await client.callTool('t', {}, { ask })).toMatchObject({
			kind: 'result',
			rounds: 1,
			result: { content: [{ q: { action: 'accept', content: { name: 'x' } } }] },
		});
		const stop = new AbortController();
		const never = client.callTool(
			't',
			{},
			{ signal: stop.signal, ask: () => (stop.abort(), new Promise(() => undefined)) },
		);
		expect(await never).toMatchObject({ kind: 'cancelled' });
	});

	it('answers the roots with none, and declines to be a model', async () => {
		const notes: string[] = [];
		const { client, answer } = gateway(era, async ({ body }, write) => {
			if (era === 'modern') {
				if (!body.params.inputResponses)
					return result(body.id, {
						resultType: 'input_required',
						inputRequests: { r: { method: 'roots/list', params: {} } },
					});
				expect(body.params.inputResponses).toEqual({ r: { roots: [] } });
				return result(body.id, {
					resultType: 'input_required',
					inputRequests: { s: { method: 'sampling/createMessage', params: { maxTokens: 3 } } },
				});
			}
			write({ jsonrpc: '2.0', id: 1, method: 'roots/list' });
			expect(await answer(1)).toMatchObject({ result: { roots: [] } });
			write({ jsonrpc: '2.0', id: 2, method: 'sampling/createMessage', params: { maxTokens: 3 } });
			expect(await answer(2)).toMatchObject({ error: { code: -1 } });
			write({ jsonrpc: '2.0', id: 3, method: 'ping' });
			expect(await answer(3)).toMatchObject({ result: {} });
			return result(body.id, done);
		});
		const outcome = await client.callTool('t', {}, { note: (text) => notes.push(text) });
		expect(notes).toEqual([
			expect.stringContaining('roots/list'),
			expect.stringMatching(/language model.*"maxTokens":3/),
		]);
		expect(outcome.kind).toBe(era === 'modern' ? 'declined' : 'result');
	});
});

it('sends what stands alone with the headers of 2026-07-28', async () => {
	const { client, sent } = gateway('modern', ({ body }) => result(body.id, done));
	await client.callTool(
		'ünï',
		{ city: 'Ulm', n: 3 },
		{},
		{ properties: { city: { type: 'string', 'x-mcp-header': 'City' } } },
	);
	expect(sent).toHaveLength(1);
	expect(sent[0]!.headers).toMatchObject({
		'MCP-Protocol-Version': '2026-07-28',
		'Mcp-Method': 'tools/call',
		'Mcp-Name': '=?base64?w7xuw68=?=',
		'Mcp-Param-City': 'Ulm',
	});
	expect(sent[0]!.body.params._meta['io.modelcontextprotocol/clientCapabilities']).toMatchObject({
		elicitation: { form: {}, url: {} },
	});
	await client.readResource('mem://a');
	expect(sent[1]!.headers).toMatchObject({ 'Mcp-Method': 'resources/read', 'Mcp-Name': 'mem://a' });
});

it('repeats a call with the answers and the state, and not for ever', async () => {
	const states: unknown[] = [];
	const { client } = gateway('modern', ({ body }) => {
		states.push(body.params.requestState);
		const question = { method: 'elicitation/create', params: { message: 'again' } };
		return result(body.id, {
			resultType: 'input_required',
			inputRequests: { q: question },
			requestState: `s${states.length}`,
		});
	});
	const outcome = await client.callTool('t', {}, { ask: async () => ({ action: 'decline' }) });
	expect(outcome).toMatchObject({ kind: 'transport', message: expect.stringContaining('10 times') });
	expect(states.slice(0, 3)).toEqual([undefined, 's1', 's2']);
	expect(states).toHaveLength(11);
});

it('opens pages that must be visited first, and then calls again', async () => {
	let calls = 0;
	const { client } = gateway('legacy', ({ body }) =>
		++calls === 1
			? {
					jsonrpc: '2.0',
					id: body.id,
					error: {
						code: -32042,
						message: 'sign in',
						data: {
							elicitations: [
								{ mode: 'url', url: 'https://example.com/', message: 'Sign in', elicitationId: '1' },
							],
						},
					},
				}
			: result(body.id, done),
	);
	const asked: unknown[] = [];
	const outcome = await client.callTool(
		't',
		{},
		{ ask: async (question) => (asked.push(question), { action: 'accept' }) },
	);
	expect(outcome).toMatchObject({ kind: 'result', rounds: 1 });
	expect(asked).toEqual([{ round: 1, mode: 'url', message: 'Sign in', url: 'https://example.com/' }]);
});

it('has one session for all calls, a new one where it is lost, and ends it', async () => {
	const { client, sent } = gateway('legacy', ({ body }) => result(body.id, done));
	await Promise.all([client.callTool('a', {}), client.callTool('b', {})]);
	const inits = () => sent.filter(({ body }) => body?.method === 'initialize').length;
	expect(inits()).toBe(1);
	expect(sent.at(-1)!.headers['Mcp-Session-Id']).toBe('session-1');
	await client.close();
	expect(sent.at(-1)).toMatchObject({ method: 'DELETE', headers: { 'Mcp-Session-Id': 'session-1' } });

	let lost = true;
	const fetch = vi.fn(async (_: string, init: RequestInit) => {
		const body = JSON.parse(init.body as string) as { id?: number; method: string };
		if (body.method === 'initialize') return json(result(body.id, {}), 200, { 'Mcp-Session-Id': 'x' });
		if (body.id === undefined) return new Response(null, { status: 202 });
		if (lost)
			return (
				(lost = false),
				json({ jsonrpc: '2.0', id: body.id, error: { code: -32001, message: 'Session not found' } }, 404)
			);
		return json(result(body.id, done));
	});
	const again = new Client({ era: 'legacy', version: '1', fetch });
	expect(await again.callTool('t', {})).toMatchObject({ kind: 'result' });
	expect(fetch.mock.calls.filter(([, init]) => (init.body as string).includes('"initialize"'))).toHaveLength(
		2,
	);
});

it('lets go of a question that the server takes back', async () => {
	const { client } = gateway('legacy', async ({ body }, write) => {
		write({ jsonrpc: '2.0', id: 5, method: 'elicitation/create', params: { message: 'm' } });
		write({ jsonrpc: '2.0', id: 6, method: 'elicitation/create', params: { message: 'n' } });
		await new Promise((ready) => setTimeout(ready, 5));
		write({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 5 } });
		return result(body.id, done);
	});
	const withdrawn = vi.fn();
	expect(
		await client.callTool('t', {}, { withdrawn, ask: () => new Promise(() => undefined) }),
	).toMatchObject({ kind: 'result' });
	expect(withdrawn.mock.calls).toEqual([[1]]);
});
