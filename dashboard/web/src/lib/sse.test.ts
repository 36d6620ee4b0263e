import { expect, it } from 'vitest';
import { events, maxEvent } from './sse';

function stream(...chunks: (string | Uint8Array)[]): ReadableStream<Uint8Array> {
	return new ReadableStream({
		start(controller) {
			for (const chunk of chunks)
				controller.enqueue(typeof chunk === 'string' ? new TextEncoder().encode(chunk) : chunk);
			controller.close();
		},
	});
}
const all = async (body: ReadableStream<Uint8Array>) => {
	const list: string[] = [];
	for await (const event of events(body)) list.push(event);
	return list;
};

it('reads events however they are cut', async () => {
	const text =
		': hello\r\n\r\nevent: message\r\nid: 1\r\ndata: {"a":\r\ndata: "ü🎈"}\r\n\r\ndata:x\n\ndata\n\ndata: lost';
	const bytes = new TextEncoder().encode(text);
	for (let size = 1; size < 12; size++) {
		const chunks: Uint8Array[] = [];
		for (let at = 0; at < bytes.length; at += size) chunks.push(bytes.slice(at, at + size));
		expect(await all(stream(...chunks))).toEqual(['{"a":\n"ü🎈"}', 'x', '']);
	}
});

it('takes any of the three line ends, wherever they are cut', async () => {
	expect(
		await all(stream('data: a\r', '\ndata: b\r', '', '\n\r\n', 'data: c\r', '\r', 'data: d\n\r')),
	).toEqual(['a\nb', 'c', 'd']);
});

it('reads a large answer in the time that its size takes, not the square of it', async () => {
	const piece = new TextEncoder().encode('x'.repeat(8 * 1024));
	const began = performance.now();
	const [event] = await all(stream('data: ', ...Array<Uint8Array>(2048).fill(piece), '\n\n'));
	expect(event).toHaveLength(16 * 1024 * 1024);
	expect(performance.now() - began).toBeLessThan(10_000);
}, 60_000);

it('gives up on an event that has no end', async () => {
	const chunk = 'x'.repeat(maxEvent / 4);
	await expect(all(stream('data: ', chunk, chunk, chunk, chunk, chunk))).rejects.toThrow('MiB');
});
