// Answers as they come over HTTP, and headers as they go.
import { isObject, own } from '../schema/json';
import { events, text } from '../sse';

/** What the other side answered instead of a result. */
export class RpcError extends Error {
	constructor(
		readonly code: number,
		message: string,
		readonly data?: unknown,
	) {
		super(message);
	}
}

/** There was no such answer. */
export class TransportError extends Error {
	constructor(
		message: string,
		readonly status?: number,
	) {
		super(message);
	}
}

/** The JSON-RPC messages of a response. */
export async function* messages(response: Response): AsyncGenerator<string, void> {
	const type = response.headers.get('Content-Type') ?? '';
	if (response.body && type.startsWith('text/event-stream')) {
		yield* events(response.body);
		return;
	}
	const all = await bodyText(response);
	if (all !== '') yield all;
}

/** A body that is JSON-RPC, or an error that says what it is instead. */
export async function bodyText(response: Response): Promise<string> {
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

/** Throws the error of an answer that is one. */
export function refuse(message: unknown): void {
	const error = own(message, 'error');
	if (error === undefined) return;
	throw new RpcError(Number(own(error, 'code')), String(own(error, 'message') ?? ''), own(error, 'data'));
}

/** What browsers say of a connection, for a person. */
export function plain(message: string): string {
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
