// Tools for tests, as the API tells of them.
import { entry, type Tool } from './entry';

/** A tool that is called backend__name. */
export function tool(name: string, more: Partial<Tool> & { raw?: object } = {}): Tool {
	const { raw, ...rest } = more;
	const [backend, originalName] = name.split('__') as [string, string];
	return {
		name,
		backend,
		originalName,
		tool: {
			name: originalName,
			description: `Does ${originalName}.`,
			inputSchema: { type: 'object' },
			...raw,
		},
		tokens: 100,
		stats: { calls: 0, errors: 0 },
		...rest,
	};
}
export const entries = (...tools: Tool[]) => tools.map(entry);
export const names = (list: { tool: Tool }[]) => list.map((one) => one.tool.name);
