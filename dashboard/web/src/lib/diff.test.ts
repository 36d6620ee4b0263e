import { describe, expect, it } from 'vitest';
import { around, diff, lines, words } from './diff';

const shown = (before: string, after: string, by = words) =>
	diff(by(before), by(after))
		.map(({ kind, text }) => (kind === 'same' ? text : kind === 'out' ? `[-${text}-]` : `{+${text}+}`))
		.join('');

describe('diff', () => {
	it('says what is otherwise, by words', () => {
		expect(shown('Reads a file.', 'Reads a file.')).toBe('Reads a file.');
		expect(shown('Reads a file.', 'Reads a file, and sends it.')).toBe('Reads a file{+, and sends it+}.');
		expect(shown('Reads one file.', 'Reads two files.')).toBe('Reads [-one file-]{+two files+}.');
		expect(shown('', 'New')).toBe('{+New+}');
		expect(shown('Old', '')).toBe('[-Old-]');
		expect(shown('Zürich 12', 'Zürich 13')).toBe('Zürich [-12-]{+13+}');
	});
	it('and by lines', () => {
		expect(shown('a\nb\nc', 'a\nB\nc', lines)).toBe('a\n[-b\n-]{+B\n+}c');
		expect(shown('a\n', 'a\nb\n', lines)).toBe('a\n{+b\n+}');
	});
	it('puts both texts together again', () => {
		let seed = 7;
		const random = (n: number) => (seed = (seed * 48271) % 2147483647) % n;
		for (let round = 0; round < 300; round++) {
			const text = () => Array.from({ length: random(12) }, () => 'ab \n.'[random(5)]).join('');
			const [before, after] = [text(), text()];
			for (const by of [words, lines]) {
				const parts = diff(by(before), by(after));
				const without = (kind: string) =>
					parts
						.filter((part) => part.kind !== kind)
						.map((part) => part.text)
						.join('');
				expect(without('in')).toBe(before);
				expect(without('out')).toBe(after);
			}
		}
	});
	it('is quick with texts that have nothing in common', () => {
		const [before, after] = [words('old '.repeat(50_000)), words('new\t'.repeat(50_000))];
		const began = performance.now();
		expect(diff(before, after).map((part) => part.kind)).toEqual(['out', 'in']);
		expect(performance.now() - began).toBeLessThan(2000);
	});
	it('leaves out what stayed', () => {
		const long = 'x'.repeat(100);
		expect(around(diff([long, 'a', long], [long, 'b', long]), 5)).toEqual([
			{ kind: 'same', text: ' … xxxxx' },
			{ kind: 'out', text: 'a' },
			{ kind: 'in', text: 'b' },
			{ kind: 'same', text: 'xxxxx … ' },
		]);
	});
});
