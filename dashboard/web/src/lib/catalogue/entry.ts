// A tool as it is read once, and not with every keystroke.
import { isObject, own, textOf } from '../schema/json';
import { fold } from './search';

/** A tool as GET api/tools tells of it. */
export interface Tool {
	name: string;
	backend: string;
	originalName: string;
	tool: unknown;
	tokens: number;
	tokenParts?: { name: number; description: number; schema: number };
	enabled?: boolean;
	locked?: string;
	hidden?: string;
	savedIn?: string;
	/** How it was before its backend described it otherwise. */
	altered?: Altered;
	stats: { calls: number; errors: number; p50Ms?: number | null; p95Ms?: number | null; lastAt?: string };
}

export interface Altered {
	/** When the description of now was first seen. */
	at: string;
	/** The tool as it was. */
	before?: unknown;
}

/** What the page reads of a tool once, and not with every keystroke. */
export interface Entry {
	tool: Tool;
	title: string;
	description: string;
	parameters: string[];
	annotations: Annotation[];
	enabled: boolean;
	lastAt: number;
	/** Everything that is searched, folded. */
	text: string;
}

export interface Annotation {
	word: string;
	meaning: string;
	warns: boolean;
}

const maxParameters = 300;

export function entry(tool: Tool): Entry {
	const raw = tool.tool;
	const annotations = own(raw, 'annotations');
	const title = textOf(own(raw, 'title')) || textOf(own(annotations, 'title'));
	const description = textOf(own(raw, 'description'));
	const parameters = parameterNames(own(raw, 'inputSchema'));
	return {
		tool,
		title,
		description,
		parameters,
		annotations: words(annotations),
		enabled: tool.enabled !== false,
		lastAt: tool.stats.lastAt ? Date.parse(tool.stats.lastAt) : 0,
		text: fold([tool.name, tool.originalName, title, description.slice(0, 20_000), ...parameters].join('\n')),
	};
}

function parameterNames(schema: unknown, into = new Set<string>(), depth = 0): string[] {
	if (!isObject(schema) || depth > 4 || into.size >= maxParameters) return [...into];
	const properties = own(schema, 'properties');
	if (isObject(properties)) {
		for (const key of Object.keys(properties)) {
			if (into.size >= maxParameters) break;
			into.add(key);
			parameterNames(properties[key], into, depth + 1);
		}
	}
	parameterNames(own(schema, 'items'), into, depth + 1);
	for (const union of ['anyOf', 'oneOf', 'allOf']) {
		const parts = own(schema, union);
		if (Array.isArray(parts)) for (const part of parts.slice(0, 40)) parameterNames(part, into, depth + 1);
	}
	return [...into];
}

function words(annotations: unknown): Annotation[] {
	const list: Annotation[] = [];
	const readOnly = own(annotations, 'readOnlyHint');
	if (readOnly === true)
		list.push({ word: 'read-only', meaning: 'Its server says that it changes nothing.', warns: false });
	if (readOnly !== true && own(annotations, 'destructiveHint') === true) {
		list.push({
			word: 'destructive',
			meaning: 'Its server says that it may delete or overwrite.',
			warns: true,
		});
	}
	if (readOnly !== true && own(annotations, 'idempotentHint') === true) {
		list.push({
			word: 'idempotent',
			meaning: 'Its server says that calling it twice does no more than once.',
			warns: false,
		});
	}
	if (own(annotations, 'openWorldHint') === true) {
		list.push({
			word: 'open world',
			meaning: 'Its server says that it reaches things outside, such as the web.',
			warns: false,
		});
	}
	return list;
}

/** Whether one should think before running it: destructive, or unknown. */
export function careful(raw: unknown): 'destructive' | 'unknown' | null {
	const annotations = own(raw, 'annotations');
	if (own(annotations, 'readOnlyHint') === true) return null;
	const destructive = own(annotations, 'destructiveHint');
	if (destructive === true) return 'destructive';
	return destructive === false ? null : 'unknown';
}
