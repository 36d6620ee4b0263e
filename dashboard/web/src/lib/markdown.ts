// The little of Markdown that helps to read a description: paragraphs, headings,
// lists and code. What comes out is data, never HTML; links and images stay text.

export type Inline = { code: boolean; strong: boolean; text: string };
export type Part =
	| { kind: 'paragraph' | 'heading'; inline: Inline[] }
	| { kind: 'list'; ordered: boolean; items: { depth: number; inline: Inline[] }[] }
	| { kind: 'code'; text: string };

export function markdown(text: string): Part[] {
	const parts: Part[] = [];
	let paragraph: string[] = [];
	const flush = () => {
		if (paragraph.length > 0) parts.push({ kind: 'paragraph', inline: inline(paragraph.join('\n')) });
		paragraph = [];
	};
	const lines = text.split(/\r\n|\n|\r/);
	for (let i = 0; i < lines.length; i++) {
		const line = lines[i]!;
		const fence = /^\s{0,3}(```+|~~~+)/.exec(line);
		const heading = /^#{1,6}\s+(\S.*)$/.exec(line);
		const item = /^(\s*)([-*+•]|\d{1,4}[.)])\s+(\S.*)$/.exec(line);
		if (fence) {
			flush();
			const code: string[] = [];
			while (++i < lines.length && !lines[i]!.trimStart().startsWith(fence[1]!)) code.push(lines[i]!);
			parts.push({ kind: 'code', text: code.join('\n') });
		} else if (heading) {
			flush();
			parts.push({ kind: 'heading', inline: inline(heading[1]!) });
		} else if (item) {
			flush();
			const ordered = /\d/.test(item[2]!);
			const last = parts.at(-1);
			const one = { depth: Math.min(4, Math.floor(item[1]!.length / 2)), inline: inline(item[3]!) };
			if (last?.kind === 'list' && (last.ordered === ordered || one.depth > 0)) last.items.push(one);
			else parts.push({ kind: 'list', ordered, items: [one] });
		} else if (line.trim() === '') flush();
		else paragraph.push(line);
	}
	flush();
	return parts;
}

/** Code between backticks, and what stands between two pairs of stars. */
export function inline(text: string): Inline[] {
	const list: Inline[] = [];
	const push = (text: string, code: boolean, strong: boolean) => {
		if (text !== '') list.push({ text, code, strong });
	};
	let at = 0;
	for (const found of text.matchAll(/`([^`\n]+)`|\*\*([^*\n]+)\*\*/g)) {
		push(text.slice(at, found.index), false, false);
		if (found[1] !== undefined) push(found[1], true, false);
		else push(found[2]!, false, true);
		at = found.index + found[0].length;
	}
	push(text.slice(at), false, false);
	return list;
}
