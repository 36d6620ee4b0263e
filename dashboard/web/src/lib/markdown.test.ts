import { expect, it } from 'vitest';
import { markdown } from './markdown';

it('reads lists, code and headings, and leaves the rest text', () => {
	const parts = markdown(
		'# Head\nOne `code` and **strong** <img src=x onerror=alert(1)> ![i](https://example.com/i.png)\ntwo\n\n- a\n  - b\n1. c\n```js\n<script>\n```\nend',
	);
	expect(parts.map((part) => part.kind)).toEqual([
		'heading',
		'paragraph',
		'list',
		'list',
		'code',
		'paragraph',
	]);
	expect(parts[1]).toEqual({
		kind: 'paragraph',
		inline: [
			{ text: 'One ', code: false, strong: false },
			{ text: 'code', code: true, strong: false },
			{ text: ' and ', code: false, strong: false },
			{ text: 'strong', code: false, strong: true },
			{
				text: ' <img src=x onerror=alert(1)> ![i](https://example.com/i.png)\ntwo',
				code: false,
				strong: false,
			},
		],
	});
	expect(parts[2]).toMatchObject({ ordered: false, items: [{ depth: 0 }, { depth: 1 }] });
	expect(parts[3]).toMatchObject({ ordered: true });
	expect(parts[4]).toEqual({ kind: 'code', text: '<script>' });
	expect(markdown('')).toEqual([]);
	expect(markdown('```\nnever closed')).toEqual([{ kind: 'code', text: 'never closed' }]);
});

it('ends quickly on text that is meant to be slow', () => {
	const start = performance.now();
	for (const text of [
		'`'.repeat(50_000),
		'*'.repeat(50_000),
		' '.repeat(50_000) + '-',
		'# '.repeat(50_000),
		'**a'.repeat(20_000),
	])
		markdown(text);
	expect(performance.now() - start).toBeLessThan(2000);
});
