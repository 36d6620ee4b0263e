import { describe, expect, it } from 'vitest';
import { baseOf, usualVariant, variantNamed, type Known } from './address';

const local: Known = {
	page: 'http://localhost:3000/',
	endpoint: 'http://localhost:3000/mcp',
	container: 'gw-1',
};
const proxied: Known = {
	page: 'http://10.0.0.5:3000/',
	endpoint: 'https://tools.example.org/gw/mcp',
	container: '',
};

describe('the address for', () => {
	it.each([
		['here', local, 'http://localhost:3000'],
		['container', local, 'http://gw-1:3000'],
		['container', proxied, 'http://mcp-gw:3000'],
		['public', local, ''],
		['public', proxied, 'https://tools.example.org/gw'],
		[
			'public',
			{ ...local, page: 'https://gw.example.org/', endpoint: 'https://gw.example.org/mcp' },
			'https://gw.example.org',
		],
	] as const)('%s', (variant, known, want) => expect(baseOf(variant, known)).toBe(want));
	it('is the configured one, where there is one', () =>
		expect([usualVariant(local), usualVariant(proxied)]).toEqual(['here', 'public']));
	it('knows no others', () => expect(variantNamed('moon')).toBeUndefined());
});
