import { describe, expect, it } from 'vitest';
import { codeOf, compared, explain, messageOf, phases, sentence } from './fault';
import { kinds } from './stats';

describe('a fault', () => {
	it('is explained for each kind, with something to do', () => {
		const seen = new Set<string>();
		for (const errorKind of kinds) {
			const fault = explain({ errorKind, method: 'tools/call', backend: 'github' })!;
			for (const text of [fault.title, fault.what, fault.fix]) expect(text).not.toBe('');
			seen.add(fault.title + fault.fix);
		}
		expect(seen.size).toBe(kinds.length);
		expect(explain({ method: 'tools/call' })).toBeUndefined();
	});
	it('knows the codes of JSON-RPC', () => {
		const response = '{"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"no"}}';
		const fault = explain({ errorKind: 'jsonrpc', method: 'tools/call', raw: { response } })!;
		expect(fault.title).toBe('JSON-RPC error -32602: invalid params');
		expect(fault.fix).toContain('schema');
		expect(
			explain({ errorKind: 'jsonrpc', method: '', raw: { response: '{"error":{"code":7}}' } })!.title,
		).toBe('JSON-RPC error 7');
	});
	it('does not stumble over what is no answer', () => {
		for (const text of [undefined, '', 'null', '{"error":null}', '{"error":{"code":"x"}}', '[', '5']) {
			expect(codeOf(text)).toBeUndefined();
		}
	});
});

it('repeats the words of the other side', () => {
	const content = [
		{ type: 'text', text: 'no such repo' },
		{ type: 'image' },
		{ type: 'text', text: 'try another' },
	];
	const call = { method: 'tools/call', error: 'short' };
	expect(messageOf({ ...call, errorKind: 'tool', result: { content } })).toBe('no such repo\ntry another');
	expect(messageOf({ ...call, errorKind: 'tool', result: { content: 'x' } })).toBe('short');
	const response = '{"error":{"code":-1,"message":"a long story"}}';
	expect(messageOf({ ...call, errorKind: 'jsonrpc', raw: { response } })).toBe('a long story');
	expect(messageOf({ ...call, errorKind: 'jsonrpc', raw: { response: '{"error":{"mess' } })).toBe('short');
	expect(messageOf({ method: '', errorKind: 'timeout' })).toBe('');
});

it('tells a call in a sentence, whatever became of it', () => {
	const told = kinds.map((errorKind) => sentence({ state: 'error', backend: 'github', errorKind }, '191 ms'));
	expect(new Set(told).size).toBe(kinds.length);
	expect(told[0]).toBe('github answered with a tool error after 191 ms.');
	expect(sentence({ state: 'ok' }, '1 ms')).toBe('The gateway answered after 1 ms.');
	expect(sentence({ state: 'running', backend: 'x' }, '4 s')).toBe('x has been at it for 4 s.');
});

describe('phases', () => {
	it('add up to the whole', () => {
		const all = phases({ waitMs: 10, firstByteMs: 60, totalMs: 100 });
		expect(all.map((p) => [p.label, p.ms])).toEqual([
			['Waited', 10],
			['First byte', 50],
			['Answer', 40],
		]);
		expect(all.reduce((sum, p) => sum + p.size, 0)).toBeCloseTo(1);
	});
	it('take what is there, and nothing impossible', () => {
		expect(phases({ totalMs: 5 }).map((p) => [p.label, p.ms])).toEqual([['Backend', 5]]);
		expect(phases({ waitMs: 9, firstByteMs: 1, totalMs: 5 }).map((p) => p.ms)).toEqual([5, 0, 0]);
		expect(phases({ totalMs: 0 })[0]!.size).toBe(0);
	});
});

it('compares with what is usual', () => {
	const usual = { p50Ms: 100, p95Ms: 200 };
	expect(compared(310, usual)).toBe('3.1× slower than usual');
	expect(compared(1500, usual)).toBe('15× slower than usual');
	expect(compared(190, usual)).toBe('as usual');
	expect(compared(40, usual)).toBe('2.5× faster than usual');
	expect(compared(40, undefined)).toBe('');
	expect(compared(0, usual)).toBe('faster than usual');
});
