// What backends offer beside tools, resources and prompts, in one shape. Pure.
import type { components } from '../../lib/api.gen';

type Schemas = components['schemas'];

export interface Other {
	/** The exposed name or URI. */
	id: string;
	backend: string;
	/** What its backend calls it. */
	original: string;
	raw: unknown;
	/** template, for those that are one. */
	mark?: string;
}

export const resourcesOf = (answer: Schemas['Resources']): Other[] => [
	...answer.resources.map((one) => ({
		id: one.uri,
		backend: one.backend,
		original: one.originalUri,
		raw: one.resource,
	})),
	...answer.templates.map((one) => ({
		id: one.uriTemplate,
		backend: one.backend,
		original: one.originalUriTemplate,
		raw: one.template,
		mark: 'template',
	})),
];

export const promptsOf = (answer: Schemas['Prompts']): Other[] =>
	answer.prompts.map((one) => ({
		id: one.name,
		backend: one.backend,
		original: one.originalName,
		raw: one.prompt,
	}));
