import { describe, expect, it } from 'vitest';
import { block, blocks, fileName, maxBlocks, table } from './content';

describe('content of every kind', () => {
	it('text, and JSON in it', () => {
		expect(block({ type: 'text', text: '<b>x</b>' })).toMatchObject({ kind: 'text', text: '<b>x</b>' });
		expect(block({ type: 'text', text: ' {"a":[1]} ' })).toMatchObject({ json: { a: [1] } });
		expect(block({ type: 'text', text: '"x"' })).not.toHaveProperty('json');
		expect(block({ type: 'text', text: '{x' })).not.toHaveProperty('json');
	});
	it('image and audio become bytes', () => {
		expect(block({ type: 'image', data: 'AAEC', mimeType: 'image/PNG; x=1' })).toMatchObject({
			kind: 'image',
			mime: 'image/png',
			bytes: new Uint8Array([0, 1, 2]),
		});
		expect(block({ type: 'audio', data: 'UklGRg==', mimeType: 'audio/wav' })).toMatchObject({
			kind: 'audio',
		});
	});
	it('resources, with text or bytes', () => {
		expect(block({ type: 'resource', resource: { uri: 'mem://t', text: '' } })).toMatchObject({
			kind: 'resource',
			uri: 'mem://t',
			text: '',
		});
		expect(block({ type: 'resource', resource: { uri: 'mem://b', blob: 'AAEC' } })).toMatchObject({
			bytes: new Uint8Array([0, 1, 2]),
		});
	});
	it('a link is only told of', () => {
		expect(block({ type: 'resource_link', uri: 'https://example.com/x', name: 'x', size: 3 })).toMatchObject({
			kind: 'link',
			uri: 'https://example.com/x',
			size: 3,
		});
	});
	it.each([
		[{ type: 'image', data: '***', mimeType: 'image/png' }, 'not base64'],
		[{ type: 'image', data: 'AAEC', mimeType: 'text/html' }, 'text/html'],
		[{ type: 'audio', data: 'AAEC', mimeType: 'audio/x"onerror' }, 'audio/x'],
		[{ type: 'hologram' }, 'hologram'],
		[{ type: 'text', text: 7 }, 'without text'],
		[{ type: 'resource' }, 'without contents'],
		[null, 'none'],
		['text', 'none'],
	])('%j is shown raw', (raw, why) =>
		expect(block(raw)).toMatchObject({ kind: 'unknown', raw, why: expect.stringContaining(why) }),
	);
	it('not more than a page bears', () => {
		expect(blocks(Array.from({ length: 9999 }, () => ({ type: 'text', text: '' })))).toHaveLength(maxBlocks);
		expect(blocks('x')).toEqual([]);
	});
});

it('flat objects make a table', () => {
	expect(
		table([
			{ a: 1, b: null },
			{ a: 2, c: 'x' },
		]),
	).toEqual({
		at: '',
		columns: ['a', 'b', 'c'],
		rows: [
			[1, null, undefined],
			[2, undefined, 'x'],
		],
		total: 2,
	});
	expect(table({ total: 1, items: [{ a: 1 }] })).toMatchObject({ at: 'items', total: 1 });
	for (const none of [[], [1], [{ a: {} }], [{}], { x: [{ a: 1 }], y: [{ b: 1 }] }, 'x', null])
		expect(table(none)).toBeNull();
	expect(table(JSON.parse('[{"__proto__":1}]'))).toMatchObject({ columns: ['__proto__'], rows: [[1]] });
	expect(table(Array.from({ length: 2000 }, (_, a) => ({ a })))).toMatchObject({
		total: 2000,
		rows: { length: 500 },
	});
});

it('file names are ours', () => {
	expect(fileName('../../etc/passwd', 'image/png')).toBe('-etc-passwd.png');
	expect(fileName('', 'x/../y')).toBe('result.bin');
	expect(fileName('github__x', 'image/svg+xml')).toBe('github__x.svg');
});
