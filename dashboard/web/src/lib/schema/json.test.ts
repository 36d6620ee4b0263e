import { describe, expect, it } from 'vitest';
import { equal, loses, maxDepth, own, parse, put, readNumber } from './json';

describe('parse', () => {
	it.each([
		'null',
		'{"a":[1,-2.5,1e-7,true,false,null,"x\\u00e9\\n"],"":{}}',
		' [ ] ',
		'"\\"\\\\/"',
		'9007199254740991',
		'-0.1',
	])('reads %s like JSON.parse', (text) => {
		expect(parse(text)).toEqual({ ok: true, value: JSON.parse(text) });
	});

	it.each([
		['', 1, 1, 'no JSON here yet'],
		['{"a": 1,}', 1, 9, 'name of a member'],
		['{\n  "a" 1\n}', 2, 7, '":" is expected'],
		["{'a':1}", 1, 2, 'double quotes'],
		['[1 2]', 1, 4, '"," or "]"'],
		['[1]]', 1, 4, 'after the end'],
		['"abc', 1, 1, 'no closing quote'],
		['[nul]', 1, 2, 'does not begin a value'],
		['{"a":1,"a":2}', 1, 8, 'there twice'],
		['[01]', 1, 2, 'not a number'],
		['[1', 1, 3, '"," or "]"'],
		['"\\x"', 1, 1, 'escape'],
	])('says where %j is wrong', (text, line, column, message) => {
		const parsed = parse(text);
		expect(parsed).toMatchObject({ ok: false, mistake: { line, column } });
		expect(!parsed.ok && parsed.mistake.message).toContain(message);
	});

	it('refuses a number that would be rounded, and accepts the last one that is not', () => {
		expect(parse('9007199254740993').ok).toBe(false);
		expect(parse('[-9007199254740992]').ok).toBe(false);
		expect(parse('1e400').ok).toBe(false);
		expect(parse('[-9007199254740991]').ok).toBe(true);
	});

	it('keeps a member called __proto__ a member', () => {
		const parsed = parse('{"__proto__":{"polluted":1},"constructor":2}');
		expect(parsed.ok && Object.keys(parsed.value as object)).toEqual(['__proto__', 'constructor']);
		expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
	});

	it('ends on text nested without an end', () => {
		expect(parse('['.repeat(100_000)).ok).toBe(false);
		expect(parse('['.repeat(maxDepth) + ']'.repeat(maxDepth)).ok).toBe(true);
	});
});

it('reads no number out of what is none', () => {
	for (const text of ['', '1.', '.5', '+1', '0x10', 'NaN', '1 2', '1,5'])
		expect(readNumber(text)).toHaveProperty('error');
	for (const [text, value] of [
		['0.1', 0.1],
		[' -7 ', -7],
		['1e21', 1e21],
		['1.50', 1.5],
	] as const) {
		expect(readNumber(text)).toEqual({ value });
	}
});

it('own and put know nothing of prototypes', () => {
	const object = {};
	expect(own(object, 'toString')).toBeUndefined();
	put(object, '__proto__', 1);
	expect(own(object, '__proto__')).toBe(1);
	expect(Object.getPrototypeOf(object)).toBe(Object.prototype);
	expect(equal({ a: [1, { b: null }] }, { a: [1, { b: null }] })).toBe(true);
	expect(equal({ a: 1 }, { b: 1 })).toBe(false);
	expect(equal([], {})).toBe(false);
});

it('tells text whose numbers JavaScript rounds', () => {
	expect(loses('{"a":12345678901234567890}')).toBe(true);
	expect(loses('{"a":"12345678901234567890","b":0.1}')).toBe(false);
});
