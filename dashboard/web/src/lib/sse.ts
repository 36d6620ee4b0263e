// The events of a text/event-stream body, as they come.

/** An answer larger than this is not shown in a page, so it is not read either. */
export const maxEvent = 32 * 1024 * 1024;

export class TooLarge extends Error {
	constructor() {
		super(`The answer is larger than ${maxEvent / 1024 / 1024} MiB, which a page does not show.`);
	}
}

/** Yields the data of each event. Ends with the body, or throws what it throws. */
export async function* events(body: ReadableStream<Uint8Array>): AsyncGenerator<string, void> {
	const reader = body.getReader();
	const decoder = new TextDecoder();
	let unended: string[] = []; // the line under way, in the pieces in which it came
	let length = 0;
	let cr = false; // an LF after it is the second half of its CRLF
	let data: string[] = [];
	let size = 0;
	try {
		for (;;) {
			const { done, value } = await reader.read();
			let piece = done ? decoder.decode() : decoder.decode(value, { stream: true });
			if (piece !== '') {
				if (cr && piece.startsWith('\n')) piece = piece.slice(1);
				cr = piece.endsWith('\r');
			}
			// Only what is new is looked through: a large answer is one line in many pieces.
			const ends = piece.split(/\r\n|\n|\r/);
			const rest = ends.pop() ?? '';
			for (const end of ends) {
				unended.push(end);
				const line = unended.join('');
				unended = [];
				length = 0;
				if (line === '') {
					if (data.length > 0) yield data.join('\n');
					data = [];
					size = 0;
				} else if (line === 'data' || line.startsWith('data:')) {
					data.push(line.slice(line[5] === ' ' ? 6 : 5));
					size += line.length;
				}
			}
			unended.push(rest);
			length += rest.length;
			if (size + length > maxEvent) throw new TooLarge();
			if (done) return; // an event without its empty line is not one
		}
	} finally {
		reader.cancel().catch(() => undefined);
	}
}

/** The whole body as text. */
export async function text(body: ReadableStream<Uint8Array> | null): Promise<string> {
	if (!body) return '';
	const reader = body.getReader();
	const decoder = new TextDecoder();
	let all = '';
	for (;;) {
		const { done, value } = await reader.read();
		all += done ? decoder.decode() : decoder.decode(value, { stream: true });
		if (all.length > maxEvent) {
			reader.cancel().catch(() => undefined);
			throw new TooLarge();
		}
		if (done) return all;
	}
}
