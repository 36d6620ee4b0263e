import { expect, it } from 'vitest';
import type { Call } from './calls';
import { csv, ndjson } from './download';

const call: Call = {
	id: 7,
	at: '2026-11-27T12:00:00.000Z',
	state: 'error',
	method: 'tools/call',
	name: 'search',
	backend: 'github',
	client: { id: 'c1', name: 'Claude Code', version: '2.1' },
	era: 'legacy',
	durationMs: 1.5,
	requestBytes: 10,
	errorKind: 'tool',
	error: 'no',
};
const row = (more: Partial<Call>): string => csv([{ ...call, ...more }]).split('\r\n')[1]!;

it('writes a line of JSON for each call', () => {
	const lines = ndjson([call, { ...call, id: 8, error: 'a\nb' }]).split('\n');
	expect(lines).toHaveLength(3);
	expect(JSON.parse(lines[1]!)).toEqual({ ...call, id: 8, error: 'a\nb' });
});

it('writes CSV, with nothing where there is nothing', () => {
	expect(csv([]).split('\r\n')).toHaveLength(2);
	expect(row({})).toBe(
		'2026-11-27T12:00:00.000Z,7,error,tools/call,search,,github,Claude Code,2.1,legacy,1.5,10,,,tool,no',
	);
});

it('quotes what would break the table', () => {
	expect(row({ error: 'a "b", c\nd' })).toContain(',"a ""b"", c\nd"');
});

it('lets no text become a formula', () => {
	for (const text of ['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', '\r=1', ' =1', '\n=1', '|calc', '＝1']) {
		const line = row({ name: text });
		expect(line).toContain(`"'${text}"`);
	}
	expect(row({ name: 'a=b' })).toContain(',a=b,');
});
