// What the page asks the gateway for. Paths are relative to the page, so that any path
// of a reverse proxy will do.

import { keyHeaders } from './key';

/** An answer that is an error, or none. message is a sentence for a person. */
export class ApiError extends Error {
	constructor(
		message: string,
		/** The HTTP status; 0 when there was no answer. */
		readonly status: number,
		readonly requestId = '',
	) {
		super(message);
	}
}

export interface Options {
	method?: 'GET' | 'POST' | 'PATCH' | 'DELETE';
	body?: unknown;
	signal?: AbortSignal;
	/** How long an answer may take, in ms. */
	limit?: number;
}

/** The door: while it is shut, nothing but what opens it is asked. */
export const door = {
	shut: false,
	/** Called when the gateway says that it does not know this browser. */
	onshut: () => {},
};

export function shut() {
	door.shut = true;
	door.onshut();
}

/** Whether the gateway asks for its token, and not somebody between. */
export function refused(answer: Response): boolean {
	return answer.status === 401 && (answer.headers.get('WWW-Authenticate') ?? '').includes('realm="mcp-gw"');
}

/** Where a token is shown. */
const session = 'session';

/** Asks for a path below api/ and answers the JSON. It throws an ApiError. */
export async function api<T>(path: string, options: Options = {}): Promise<T> {
	const { method = 'GET', body, signal, limit = 30_000 } = options;
	if (door.shut && path !== session) throw new ApiError('The gateway asks for its token.', 401);
	const headers: Record<string, string> = { Accept: 'application/json', ...keyHeaders() };
	if (method !== 'GET') headers['X-MCP-GW'] = '1'; // deliberate, not another page's form
	if (body !== undefined) headers['Content-Type'] = 'application/json';
	const late = AbortSignal.timeout(limit);
	const ended = signal ? AbortSignal.any([signal, late]) : late;
	const ask = () =>
		fetch(`api/${path}`, {
			method,
			headers,
			body: body === undefined ? null : JSON.stringify(body),
			cache: 'no-store',
			signal: ended,
		});
	let answer: Response;
	try {
		// What only reads is asked for once more: a browser gives up what is open when a
		// network of its machine changes, as it does with each container that starts.
		answer = await ask().catch(async (cause: unknown) => {
			if (method !== 'GET' || ended.aborted) throw cause;
			await new Promise((done) => setTimeout(done, 200));
			return ask();
		});
	} catch (cause) {
		if (signal?.aborted) throw cause;
		const why = late.aborted ? `It did not answer within ${limit / 1000} s.` : 'It does not answer.';
		throw new ApiError(`The gateway cannot be reached. ${why}`, 0);
	}
	const requestId = answer.headers.get('X-Request-Id') ?? '';
	const text = await answer.text();
	let value: unknown;
	try {
		value = text === '' ? undefined : JSON.parse(text);
	} catch {
		throw new ApiError(
			`It answered ${answer.status} with something else than JSON.`,
			answer.status,
			requestId,
		);
	}
	if (path !== session && refused(answer)) shut();
	if (!answer.ok)
		throw new ApiError(sentence(value) ?? `It answered ${answer.status}.`, answer.status, requestId);
	return value as T;
}

function sentence(value: unknown): string | undefined {
	if (typeof value !== 'object' || value === null || !('error' in value)) return undefined;
	return typeof value.error === 'string' ? value.error : undefined;
}
