import { expect, it } from 'vitest';
import { careful, entry } from './entry';
import { tool } from './fixture';

it('reads annotations as words, and knows what to be careful with', () => {
	const words = (annotations: object | undefined) =>
		entry(tool('a__x', { raw: { annotations } })).annotations.map((one) => one.word);
	expect(words({ readOnlyHint: true, destructiveHint: true, openWorldHint: true })).toEqual([
		'read-only',
		'open world',
	]);
	expect(words({ destructiveHint: true, idempotentHint: true })).toEqual(['destructive', 'idempotent']);
	expect(words(undefined)).toEqual([]);
	expect(careful({ annotations: { readOnlyHint: true } })).toBeNull();
	expect(careful({ annotations: { destructiveHint: false } })).toBeNull();
	expect(careful({ annotations: { destructiveHint: true } })).toBe('destructive');
	expect(careful({})).toBe('unknown');
	expect(careful(null)).toBe('unknown');
});

it('stands what is no tool', () => {
	for (const raw of [null, 7, [], { description: 7, inputSchema: 'x', annotations: [] }]) {
		const one = entry({ ...tool('a__x'), tool: raw });
		expect(one).toMatchObject({ description: '', title: '', parameters: [] });
	}
});
