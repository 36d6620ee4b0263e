import { describe, expect, it } from 'vitest';
import { has, maxText, parse, quote, valueOf, withTerm, withValue, type Subject } from './filter';
import { matches } from './glob';

const start = Date.parse('2026-11-27T12:00:00.000Z');
const call = (more: Partial<Subject> = {}): Subject => ({
	state: 'ok',
	method: 'tools/call',
	name: 'github_search_issues',
	original: 'search_issues',
	backend: 'github',
	client: { name: 'Claude Code', version: '2.1.4' },
	era: 'legacy',
	at: '2026-11-27T12:00:00.000Z',
	durationMs: 191,
	requestBytes: 300,
	responseBytes: 8100,
	...more,
});
const test = (text: string, more?: Partial<Subject>, now = start): boolean =>
	parse(text).test(call(more), now);
const complaint = (text: string): string =>
	parse(text)
		.problems.map((p) => p.message)
		.join(' | ');

describe('words', () => {
	it('are looked for in tool, backend, client and error', () => {
		expect(test('')).toBe(true);
		expect(test('ISSUES')).toBe(true);
		expect(test('github')).toBe(true);
		expect(test('claude')).toBe(true);
		expect(test('refused')).toBe(false);
		expect(test('refused', { error: 'connection Refused' })).toBe(true);
		expect(test('claude issues')).toBe(true);
		expect(test('claude nothing')).toBe(false);
	});
	it('can be negated, quoted and globbed', () => {
		expect(test('-claude')).toBe(false);
		expect(test('"claude code"')).toBe(true);
		expect(test('"code claude"')).toBe(false);
		expect(test('search*ues')).toBe(true);
		expect(test('"tool:search"')).toBe(false);
		expect(complaint('"tool:search"')).toBe('');
		expect(test('"say \\"hi\\""', { error: 'they say "hi"' })).toBe(true);
		expect(test('-', { error: 'a - b' })).toBe(true);
	});
});

describe('keys', () => {
	it('match whole names, with globs', () => {
		expect(test('tool:search_*')).toBe(true); // the backend's name for it
		expect(test('tool:github_search_issues')).toBe(true);
		expect(test('tool:search')).toBe(false);
		expect(test('TOOL:Search_Issues')).toBe(true);
		expect(test('backend:git*')).toBe(true);
		expect(test('backend:git')).toBe(false);
		expect(test('method:tools/call')).toBe(true);
		expect(test('method:tools/*', { method: 'prompts/get' })).toBe(false);
	});
	it('match a part of client and error', () => {
		expect(test('client:claude')).toBe(true);
		expect(test('client:"code 2.1"')).toBe(true);
		expect(test('client:cursor')).toBe(false);
		expect(test('error:refu*ed', { error: 'it refused' })).toBe(true);
	});
	it('know states, kinds and eras', () => {
		expect(test('status:ok')).toBe(true);
		expect(test('status:error')).toBe(false);
		expect(test('kind:timeout', { state: 'error', errorKind: 'timeout' })).toBe(true);
		expect(test('-kind:*')).toBe(true);
		expect(test('era:session')).toBe(true);
		expect(test('era:legacy')).toBe(true);
		expect(test('era:stateless')).toBe(false);
	});
	it('are alternatives when repeated, and all must fail when negated', () => {
		expect(test('backend:gitlab backend:github')).toBe(true);
		expect(test('-backend:gitlab -backend:github')).toBe(false);
		expect(test('backend:github -tool:ping')).toBe(true);
	});
	it('do not fail on what a call lacks', () => {
		const bare: Subject = { state: 'running', method: 'ping', name: '', at: '' };
		for (const text of [
			'a',
			'tool:a',
			'backend:b',
			'client:c',
			'kind:tool',
			'error:e',
			'era:session',
			'>1s',
			'<1kb',
		]) {
			expect(parse(text).test(bare, start)).toBe(false);
		}
	});
});

describe('comparisons', () => {
	it('compare durations and sizes', () => {
		expect(test('>100ms')).toBe(true);
		expect(test('>0.5s')).toBe(false);
		expect(test('<1min')).toBe(true);
		expect(test('>=191ms <=191ms')).toBe(true);
		expect(test('<10kb')).toBe(true);
		expect(test('>10KB')).toBe(false);
		expect(test('->10kb')).toBe(true);
		expect(test('<1mb >8b')).toBe(true);
	});
	it('take a running call as long as it runs', () => {
		const running = { state: 'running', durationMs: undefined, responseBytes: undefined };
		expect(test('>1s', running, start + 900)).toBe(false);
		expect(test('>1s', running, start + 1100)).toBe(true);
		expect(test('<10kb', running)).toBe(false);
		expect(parse('>1s').timed).toBe(true);
		expect(parse('<1kb').timed).toBe(false);
	});
});

describe('problems', () => {
	it('are told with their place, and leave the rest in force', () => {
		const f = parse('github bakend:x status:error');
		expect(f.problems).toEqual([
			{
				from: 7,
				to: 15,
				message:
					'Nothing is called bakend. Did you mean backend? To search for the words, put them in quotes.',
			},
		]);
		expect(f.test(call({ state: 'error' }), start)).toBe(true);
		expect(f.test(call(), start)).toBe(false);
	});
	it('say what would be right', () => {
		expect(complaint('colour:red')).toContain('Known are tool, backend, client,');
		expect(complaint('status:eror')).toBe('status is ok, error or running, not eror. Did you mean error?');
		expect(complaint('kind:html')).toBe(
			'kind is tool, jsonrpc, transport, timeout, cancelled or gateway, not html.',
		);
		expect(complaint('tool:')).toContain('tool: needs a value');
		expect(complaint('>500')).toBe('>500 of what? Write >500ms for time or >500kb for size.');
		expect(complaint('>5days')).toContain('days is no unit');
		expect(complaint('>')).toContain('is not a comparison');
		expect(complaint('>-5ms')).toContain('is not a comparison');
		expect(complaint('<1e999ms')).toContain('is not a comparison');
		expect(complaint('a "b c')).toBe('A quote is opened here and not closed.');
		expect(complaint(':x')).toContain('the empty key');
		expect(complaint('http://x')).toContain('put them in quotes');
	});
	it('bound what is read', () => {
		const f = parse('x'.repeat(5000));
		expect(f.text).toHaveLength(maxText);
		expect(f.problems[0]!.message).toContain('first 1000');
	});
	it('never throw, whatever is typed', () => {
		const pieces = [
			'"',
			'\\',
			':',
			'-',
			'>',
			'<',
			'*',
			' ',
			'tool',
			'status',
			'1',
			'ms',
			'é',
			'💥',
			'\u202e',
			'\t',
		];
		let seed = 7;
		for (let n = 0; n < 3000; n++) {
			let text = '';
			for (let i = 0; i < 12; i++) {
				seed = (seed * 1103515245 + 12345) % 2147483648;
				text += pieces[seed % pieces.length];
			}
			const f = parse(text);
			f.test(call(), start);
			for (const p of [...f.problems, ...f.terms]) expect(p.to).toBeGreaterThan(p.from);
		}
	});
});

describe('what selects and buttons type', () => {
	it('sets, replaces and removes a value', () => {
		expect(withValue(parse('slow'), 'backend', 'github')).toBe('slow backend:github');
		expect(withValue(parse('backend:a x backend:b -backend:c'), 'backend', 'd')).toBe(
			'x -backend:c backend:d',
		);
		expect(withValue(parse('backend:a x'), 'backend', '')).toBe('x');
		expect(withValue(parse(''), 'client', 'Claude Code')).toBe('client:"Claude Code"');
	});
	it('is read back', () => {
		for (const name of ['github', 'a b', 'x:y', 'say "hi"', 'back\\slash', '-dash', '>x', '日本語']) {
			const f = parse(withValue(parse('x'), 'tool', name));
			expect(f.problems).toEqual([]);
			expect(valueOf(f, 'tool')).toBe(name.toLowerCase());
			expect(f.test(call({ name, original: 'x' }), start)).toBe(true);
			expect(parse(quote(name)).test(call({ name }), start)).toBe(true);
		}
		expect(valueOf(parse('tool:a tool:b'), 'tool')).toBe('');
	});
	it('turns a term on and off', () => {
		const on = withTerm(parse('github'), '>1s', true);
		expect(on).toBe('github >1s');
		expect(has(parse(on), '>1s')).toBe(true);
		expect(withTerm(parse(on), '>1s', true)).toBe('github >1s');
		expect(withTerm(parse(on), '>1s', false)).toBe('github');
	});
});

describe('globs', () => {
	it('match like a shell', () => {
		expect(matches('a*c', 'abc')).toBe(true);
		expect(matches('a*c', 'ac')).toBe(true);
		expect(matches('a*c', 'abcd')).toBe(false);
		expect(matches('*', '')).toBe(true);
		expect(matches('', '')).toBe(true);
		expect(matches('**a**', 'bab')).toBe(true);
		expect(matches('a*b*c', 'axbxbxc')).toBe(true);
		expect(matches('(a+)+', '(a+)+')).toBe(true);
	});
	it('take no time for patterns made to take it', () => {
		const began = performance.now();
		expect(matches('*a'.repeat(200) + 'b', 'a'.repeat(5000))).toBe(false);
		expect(performance.now() - began).toBeLessThan(4000);
	});
});
