// A regular expression of a stranger can keep the page busy for ever on a short text,
// and nothing can stop it once it runs. So it is looked at before it is tried.

/** One part of a pattern that matches a character: a class, an escape, a literal. */
const atom = /\[\^?\]?(?:\\.|[^\]\\])*\]|\\[pP]\{[^}]*\}|\\u\{[^}]*\}|\\.|[^()|*+?{}[\]\\]/gsu;

/**
 * Whether pattern may be tried: valid, short, without back references, and with a
 * repetition in a repetition only where each round begins with a mark of its own,
 * as in (-[a-z]+)*.
 */
export function safePattern(pattern: string): boolean {
	if (pattern.length > 500) return false;
	try {
		new RegExp(pattern, 'u');
	} catch {
		return false;
	}
	if (/\\[1-9k]/.test(pattern.replaceAll('\\\\', ''))) return false;
	interface Group {
		start: number;
		repeats: boolean;
		endless: boolean;
	}
	const groups: Group[] = [{ start: 0, repeats: false, endless: false }];
	let closed: Group | null = null;
	let closedAt = 0;
	for (let i = 0; i < pattern.length; i++) {
		const group: Group | null = closed;
		const around = groups.at(-1)!;
		closed = null;
		switch (pattern[i]) {
			case '\\':
				i++;
				break;
			case '[':
				while (i < pattern.length && pattern[i] !== ']') i += pattern[i] === '\\' ? 2 : 1;
				break;
			case '(':
				groups.push({ start: i + 1, repeats: false, endless: false });
				break;
			case ')': {
				closed = groups.pop()!;
				closedAt = i;
				const outside = groups.at(-1)!;
				outside.repeats ||= closed.repeats;
				outside.endless ||= closed.endless;
				break;
			}
			case '|':
				around.repeats = true;
				break;
			case '*':
			case '+':
			case '{': {
				const bounds = /^\{(\d+)(,?)(\d*)\}/.exec(pattern.slice(i));
				const most = bounds ? Number(bounds[3] || (bounds[2] ? Infinity : bounds[1])) : Infinity;
				const endless = most > 10;
				if (
					group &&
					(endless ? group.repeats : group.endless) &&
					!marked(pattern.slice(group.start, closedAt))
				) {
					return false;
				}
				around.repeats = true;
				around.endless ||= endless;
			}
		}
	}
	return true;
}

/** Whether a group begins with one character that nothing else in it matches. */
function marked(group: string): boolean {
	const text = group.replace(/^\?:/, '');
	const [mark, ...rest] = text.match(atom) ?? [];
	if (mark === undefined || !text.startsWith(mark) || text.includes('|')) return false;
	if (/^[*+?{]/.test(text.slice(mark.length))) return false;
	if (!/^(\\[^a-zA-Z0-9]|[^.\\^$[])$/u.test(mark)) return false;
	const char = mark.slice(-1);
	return !rest.some((part) => new RegExp(`^(?:${part})$`, 'u').test(char));
}
