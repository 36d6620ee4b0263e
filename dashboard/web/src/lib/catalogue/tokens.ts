// What a model is given of a tool, and what it costs.
import { own } from '../schema/json';
import type { Tool } from './entry';

/** A number of tokens, in three digits at most. */
export function tokens(count: number): string {
	if (count < 1000) return String(Math.round(count));
	if (count < 99_950) return `${(count / 1000).toFixed(1)}k`;
	return count < 999_500 ? `${Math.round(count / 1000)}k` : `${(count / 1_000_000).toFixed(1)}M`;
}

/** What a model is given of a tool, by the clients that load all of them. */
export function modelView(tool: Tool): { name: string; description?: string; input_schema: unknown } {
	const description = own(tool.tool, 'description');
	return {
		name: tool.name,
		...(typeof description === 'string' ? { description } : {}),
		input_schema: own(tool.tool, 'inputSchema') ?? {},
	};
}

/** What text costs, about: four bytes a token. */
export function estimate(text: string): number {
	return Math.ceil(new TextEncoder().encode(text).length / 4);
}
