// Calls as files. Pure but for save().
import type { Call } from './calls';

/** One JSON object a line. */
export function ndjson(calls: readonly Call[]): string {
	return calls.map((c) => JSON.stringify(c) + '\n').join('');
}

type Value = string | number | undefined;

const columns: [string, (c: Call) => Value][] = [
	['at', (c) => c.at],
	['id', (c) => c.id],
	['state', (c) => c.state],
	['method', (c) => c.method],
	['name', (c) => c.name],
	['original', (c) => c.original],
	['backend', (c) => c.backend],
	['client', (c) => c.client?.name],
	['client_version', (c) => c.client?.version],
	['era', (c) => c.era],
	['duration_ms', (c) => c.durationMs],
	['request_bytes', (c) => c.requestBytes],
	['response_bytes', (c) => c.responseBytes],
	['tokens', (c) => c.tokens],
	['error_kind', (c) => c.errorKind],
	['error', (c) => c.error],
];

/** RFC 4180, with a row of names. */
export function csv(calls: readonly Call[]): string {
	const lines = [columns.map(([name]) => name), ...calls.map((c) => columns.map(([, of]) => cell(of(c))))];
	return lines.map((l) => l.join(',') + '\r\n').join('');
}

function cell(value: Value): string {
	if (value === undefined) return '';
	if (typeof value === 'number') return String(value);
	// A spreadsheet would run it as a formula. Strangers wrote these texts.
	const safe = /^[\s\0]*[=+\-@＝＋－＠|%]/.test(value) || /^[\t\r\n]/.test(value) ? `'${value}` : value;
	return /[",\r\n;\t']|^\s|\s$/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** Has the browser save a text as a file. */
export function save(text: string, name: string, type: string): void {
	const url = URL.createObjectURL(new Blob([text], { type: `${type};charset=utf-8` }));
	const link = document.createElement('a');
	link.href = url;
	link.download = name;
	link.click();
	setTimeout(() => URL.revokeObjectURL(url), 1000);
}
