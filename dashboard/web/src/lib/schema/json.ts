// JSON as a person writes it and as a stranger sends it: read strictly, with the
// place of the first mistake, and without ever rounding a number.

export type Json = null | boolean | number | string | Json[] | JsonObject;
export interface JsonObject {
	[key: string]: Json;
}

export interface JsonMistake {
	message: string;
	line: number;
	column: number;
}

export type Parsed = { ok: true; value: Json } | { ok: false; mistake: JsonMistake };

/** Deeper nesting than this is refused: nobody means it, and it costs stack. */
export const maxDepth = 400;

export function isObject(value: unknown): value is JsonObject {
	return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A member of its own, never one of Object.prototype. */
export function own(object: unknown, key: string): unknown {
	return typeof object === 'object' && object !== null && Object.hasOwn(object, key)
		? (object as Record<string, unknown>)[key]
		: undefined;
}

/** A text, '' for everything else. */
export function textOf(value: unknown): string {
	return typeof value === 'string' ? value : '';
}

/** Sets a member, also one that is called `__proto__`. */
export function put(object: object, key: string, value: unknown): void {
	if (key === '__proto__') {
		Object.defineProperty(object, key, {
			value,
			enumerable: true,
			configurable: true,
			writable: true,
		});
	} else {
		(object as Record<string, unknown>)[key] = value;
	}
}

export function equal(a: unknown, b: unknown): boolean {
	if (a === b) return true;
	if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
	if (Array.isArray(a) !== Array.isArray(b)) return false;
	const keys = Object.keys(a);
	return (
		keys.length === Object.keys(b).length &&
		keys.every((key) => Object.hasOwn(b, key) && equal(own(a, key), own(b, key)))
	);
}

/** The number that text spells, or why there is none. Nothing is rounded. */
export function readNumber(text: string): { value: number } | { error: string } {
	const trimmed = text.trim();
	if (!/^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/.test(trimmed)) {
		return { error: 'This is not a number. Digits, a point and an exponent are understood.' };
	}
	const value = Number(trimmed);
	if (!Number.isFinite(value)) return { error: 'This number is too large for JSON in a browser.' };
	if (!/[eE]/.test(trimmed) && Math.abs(value) > Number.MAX_SAFE_INTEGER) {
		return {
			error: `Beyond ±${Number.MAX_SAFE_INTEGER} a browser would round this number, so it is refused.`,
		};
	}
	return { value };
}

class Mistake extends Error {
	constructor(
		message: string,
		readonly at: number,
	) {
		super(message);
	}
}

/** Reads JSON text, or says what is wrong with it and where. */
export function parse(text: string): Parsed {
	try {
		return { ok: true, value: new Reader(text).document() };
	} catch (error) {
		if (!(error instanceof Mistake)) throw error;
		const before = text.slice(0, error.at).split('\n');
		return {
			ok: false,
			mistake: {
				message: error.message,
				line: before.length,
				column: (before.at(-1) ?? '').length + 1,
			},
		};
	}
}

class Reader {
	private at = 0;

	constructor(private readonly text: string) {}

	document(): Json {
		this.space();
		if (this.at === this.text.length) this.fail('There is no JSON here yet.');
		const value = this.value(0);
		this.space();
		if (this.at < this.text.length) this.fail(`${this.here()} stands after the end of the JSON.`);
		return value;
	}

	private fail(message: string, at = this.at): never {
		throw new Mistake(message, at);
	}

	private here(): string {
		const char = this.text.codePointAt(this.at);
		return char === undefined ? 'The end' : `"${String.fromCodePoint(char)}"`;
	}

	private space(): void {
		while (' \t\n\r'.includes(this.text[this.at] ?? 'x')) this.at++;
	}

	private value(depth: number): Json {
		if (depth > maxDepth) this.fail(`This is nested more than ${maxDepth} levels deep.`);
		const char = this.text[this.at];
		if (char === '{') return this.object(depth);
		if (char === '[') return this.array(depth);
		if (char === '"') return this.string();
		for (const [word, value] of words) {
			if (this.text.startsWith(word, this.at)) {
				this.at += word.length;
				return value;
			}
		}
		if (char === '-' || (char !== undefined && char >= '0' && char <= '9')) return this.number();
		if (char === undefined) this.fail('The JSON ends too early: a value is missing.');
		this.fail(`${this.here()} does not begin a value. Text needs double quotes.`);
	}

	private number(): number {
		const start = this.at;
		const literal = /[-+.0-9a-zA-Z]+/y;
		literal.lastIndex = start;
		const text = literal.exec(this.text)?.[0] ?? '';
		const read = readNumber(text);
		if ('error' in read) this.fail(read.error, start);
		this.at += text.length;
		return read.value;
	}

	private string(): string {
		const start = this.at++;
		for (;;) {
			const char = this.text[this.at];
			if (char === undefined || char === '\n') this.fail('This text has no closing quote.', start);
			if (char === '"') break;
			if (char < ' ') this.fail('Control characters in a text are written as \\u00XX.');
			this.at += char === '\\' ? 2 : 1;
		}
		this.at++;
		try {
			return JSON.parse(this.text.slice(start, this.at)) as string;
		} catch {
			return this.fail('This text has an escape that JSON does not know.', start);
		}
	}

	private array(depth: number): Json[] {
		const list: Json[] = [];
		this.at++;
		this.space();
		if (this.take(']')) return list;
		for (;;) {
			this.space();
			list.push(this.value(depth + 1));
			this.space();
			if (this.take(']')) return list;
			if (!this.take(',')) this.fail(`${this.here()} where "," or "]" is expected.`);
		}
	}

	private object(depth: number): JsonObject {
		const object: JsonObject = {};
		this.at++;
		this.space();
		if (this.take('}')) return object;
		for (;;) {
			this.space();
			if (this.text[this.at] !== '"') {
				this.fail(`${this.here()} where the name of a member is expected, in double quotes.`);
			}
			const start = this.at;
			const key = this.string();
			if (Object.hasOwn(object, key)) {
				this.fail(`The member ${JSON.stringify(key)} is there twice.`, start);
			}
			this.space();
			if (!this.take(':')) this.fail(`${this.here()} where ":" is expected.`);
			this.space();
			put(object, key, this.value(depth + 1));
			this.space();
			if (this.take('}')) return object;
			if (!this.take(',')) this.fail(`${this.here()} where "," or "}" is expected.`);
		}
	}

	private take(char: string): boolean {
		if (this.text[this.at] !== char) return false;
		this.at++;
		return true;
	}
}

const words: [string, Json][] = [
	['true', true],
	['false', false],
	['null', null],
];

/** Text for a person to read and edit. */
export function pretty(value: unknown): string {
	return JSON.stringify(value, null, 2) ?? '';
}

/** Whether JSON text has a number that JavaScript would round. */
export function loses(text: string): boolean {
	// Numbers in strings are found as well; the answer is then a needless note only
	// if they are long, so strings are stepped over.
	const token = /"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*/gs;
	for (let found = token.exec(text); found; found = token.exec(text)) {
		const word = found[0];
		if (word[0] === '"' || word.length < 16) continue;
		if ('error' in readNumber(word)) return true;
	}
	return false;
}
