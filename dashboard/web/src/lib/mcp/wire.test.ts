import { expect, it } from 'vitest';
import { headerValue, paramHeaders } from './wire';

it('headers carry every text', () => {
	for (const text of ['plain', 'a b', '']) expect(headerValue(text)).toBe(text);
	for (const text of [' edge', 'ü', '=?base64?eA==?=', 'a\nb'])
		expect(headerValue(text)).toMatch(/^=\?base64\?[\w+/=]+\?=$/);
	expect(
		paramHeaders(
			{ properties: { a: { 'x-mcp-header': 'A' }, b: { properties: { c: { 'x-mcp-header': 'C' } } } } },
			{ a: { no: 1 }, b: { c: true } },
		),
	).toEqual({
		'Mcp-Param-C': 'true',
	});
});
