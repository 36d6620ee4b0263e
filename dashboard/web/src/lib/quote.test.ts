import { describe, expect, it } from 'vitest';
import { compose, shell, toml, yamlKey } from './quote';

describe('quoting', () => {
	it.each([
		['a-b/c:1', 'a-b/c:1'],
		['', "''"],
		['two words', "'two words'"],
		["it's $HOME", `'it'\\''s $HOME'`],
		['--x;rm', "'--x;rm'"],
	])('%j for a shell', (text, want) => expect(shell(text)).toBe(want));
	it('for TOML', () => expect(toml('a"\\\n\u007f')).toBe('"a\\"\\\\\\n\\u007f"'));
	it('for compose, which reads dollars', () => expect(compose('a$b: "c"')).toBe('"a$$b: \\"c\\""'));
	it.each([
		['mcp-gw.port', 'mcp-gw.port'],
		['yes', '"yes"'],
		['a b', '"a b"'],
		['<old>', '"<old>"'],
	])('%j as a key', (text, want) => expect(yamlKey(text)).toBe(want));
});
