// What is otherwise in a text, by words or by lines. Pure, and bounded: texts that
// differ in too much are shown one after the other.
export interface Part {
	kind: 'same' | 'out' | 'in';
	text: string;
}

/** Comparisons beyond which nobody would read the result anyway. */
const most = 1_000_000;

/** Words and the space between them, each on its own. */
export const words = (text: string): string[] => text.match(/\s+|[\p{L}\p{N}_]+|[^\s\p{L}\p{N}_]/gu) ?? [];
export const lines = (text: string): string[] => text.match(/[^\n]*\n|[^\n]+$/g) ?? [];

/** How after came of before, by the pieces that both are made of. */
export function diff(before: string[], after: string[]): Part[] {
	let start = 0;
	while (start < before.length && start < after.length && before[start] === after[start]) start++;
	let end = 0;
	while (
		end < before.length - start &&
		end < after.length - start &&
		before[before.length - 1 - end] === after[after.length - 1 - end]
	)
		end++;
	const parts: Part[] = [];
	const put = (kind: Part['kind'], pieces: string[]) => {
		const text = pieces.join('');
		if (text === '') return;
		const last = parts.at(-1);
		if (last?.kind === kind) last.text += text;
		else parts.push({ kind, text });
	};
	put('same', before.slice(0, start));
	const a = before.slice(start, before.length - end);
	const b = after.slice(start, after.length - end);
	if (a.length * b.length > most) {
		put('out', a);
		put('in', b);
	} else {
		for (const [kind, piece] of longest(a, b)) put(kind, [piece]);
	}
	put('same', before.slice(before.length - end));
	return tidy(parts);
}

/** By the longest common subsequence. */
function longest(a: string[], b: string[]): [Part['kind'], string][] {
	const width = b.length + 1;
	const length = new Uint32Array((a.length + 1) * width);
	for (let i = a.length - 1; i >= 0; i--) {
		for (let k = b.length - 1; k >= 0; k--) {
			length[i * width + k] =
				a[i] === b[k]
					? length[(i + 1) * width + k + 1]! + 1
					: Math.max(length[(i + 1) * width + k]!, length[i * width + k + 1]!);
		}
	}
	const steps: [Part['kind'], string][] = [];
	let i = 0;
	let k = 0;
	while (i < a.length || k < b.length) {
		if (i < a.length && k < b.length && a[i] === b[k]) {
			steps.push(['same', a[i++]!]);
			k++;
		} else if (
			k >= b.length ||
			(i < a.length && length[(i + 1) * width + k]! >= length[i * width + k + 1]!)
		) {
			steps.push(['out', a[i++]!]);
		} else steps.push(['in', b[k++]!]);
	}
	return steps;
}

/** What went out before what came in, and no lone blank that stayed between the two. */
function tidy(parts: Part[]): Part[] {
	const all: Part[] = [];
	let out = '';
	let into = '';
	const flush = () => {
		if (out !== '') all.push({ kind: 'out', text: out });
		if (into !== '') all.push({ kind: 'in', text: into });
		out = into = '';
	};
	parts.forEach((part, i) => {
		if (part.kind === 'out') out += part.text;
		else if (part.kind === 'in') into += part.text;
		else if (/^[^\S\n]+$/.test(part.text) && out + into !== '' && i < parts.length - 1) {
			out += part.text;
			into += part.text;
		} else {
			flush();
			all.push(part);
		}
	});
	flush();
	return all;
}

/** Leaves out what stayed, except around what did not. */
export function around(parts: Part[], kept: number): Part[] {
	return parts.map((part, i) => {
		if (part.kind !== 'same' || part.text.length <= 2 * kept + 20) return part;
		const head = i === 0 ? '' : part.text.slice(0, kept);
		const tail = i === parts.length - 1 ? '' : part.text.slice(-kept);
		return { kind: 'same', text: `${head} … ${tail}` };
	});
}
