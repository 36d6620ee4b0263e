// How numbers, times and names are written, in one place. Pure.

/** 191 ms, 2.4 s, 3 min, 2 h; a dash for none. */
export function duration(ms: number | null | undefined): string {
	if (ms === null || ms === undefined || !Number.isFinite(ms)) return '–';
	if (ms < 0.995) return `${round(ms)} ms`;
	if (ms < 999.5) return `${round(ms)} ms`;
	const s = ms / 1000;
	if (s < 59.5) return `${round(s)} s`;
	const min = s / 60;
	if (min < 59.5) return `${Math.round(min)} min`;
	const h = min / 60;
	if (h < 47.5) return `${Math.round(h)} h`;
	return `${Math.round(h / 24)} d`;
}

/** Three digits of precision at most. */
export function round(n: number): string {
	if (n === 0) return '0';
	const size = Math.abs(n);
	if (size >= 100) return String(Math.round(n));
	if (size >= 10) return trim(n.toFixed(1));
	return trim(n.toFixed(size < 0.1 ? 2 : 1));
}

function trim(text: string): string {
	return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}

const grouped = new Intl.NumberFormat('en');

/** 1,204; a dash for none. */
export function count(n: number | null | undefined): string {
	return n === null || n === undefined ? '–' : grouped.format(n);
}

/** ~24.1k, ~212: an estimate, and said to be one. */
export function tokens(n: number | null | undefined): string {
	if (n === null || n === undefined) return '–';
	return n < 1000 ? `~${n}` : `~${round(n / 1000)}k`;
}

/** 0.3 KB, 8.1 MB; powers of 1,000. */
export function bytes(n: number | null | undefined): string {
	if (n === null || n === undefined) return '–';
	if (n < 1000) return `${n} B`;
	return n < 999_500 ? `${round(n / 1000)} KB` : `${round(n / 1e6)} MB`;
}

/** 1.6 %; a dash for none. */
export function percent(share: number | null | undefined): string {
	return share === null || share === undefined || !Number.isFinite(share) ? '–' : `${round(share * 100)} %`;
}

/** 4 s ago, in 12 s, now. */
export function relative(at: number, now: number): string {
	const d = now - at;
	if (Math.abs(d) < 1000) return 'now';
	return d > 0 ? `${whole(d)} ago` : `in ${whole(-d)}`;
}

function whole(ms: number): string {
	return ms < 59_500 ? `${Math.round(ms / 1000)} s` : duration(ms);
}

const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });
const full = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'medium' });

/** 12:03:41 */
export function time(at: number): string {
	return clock.format(at);
}

/** 12:03:41.204 */
export function timeMs(at: number): string {
	return `${clock.format(at)}.${String(Math.floor(at % 1000)).padStart(3, '0')}`;
}

/** 27 Nov 2026, 12:03:41 */
export function dateTime(at: number): string {
	return full.format(at);
}

/** Cuts a long text in its middle, where URLs and ids differ least. */
export function middle(text: string, most: number): string {
	const letters = [...text];
	if (letters.length <= most) return text;
	const head = Math.ceil((most - 1) / 2);
	return `${letters.slice(0, head).join('')}…${letters.slice(letters.length - (most - 1 - head)).join('')}`;
}

/** 1 tool, 2 tools. */
export function plural(n: number, one: string, many = `${one}s`): string {
	return `${count(n)} ${n === 1 ? one : many}`;
}
