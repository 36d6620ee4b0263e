import { cleanup, render } from '@testing-library/svelte';
import { afterEach, expect, test } from 'vitest';
import Parameters from './Parameters.svelte';

afterEach(cleanup);

test('names that look like paths are names', () => {
	const text = { type: 'string' };
	const schema = {
		type: 'object',
		properties: {
			a: { type: 'object', properties: { b: text } },
			'a/b': text,
			list: { type: 'array', items: { type: 'object', properties: { id: text } } },
			'list[]': { type: 'object', properties: { id: text } },
		},
	};
	const { container } = render(Parameters, { schema });
	const names = [...container.querySelectorAll('code')].map((code) => code.textContent);
	expect(names).toEqual(['a', 'b', 'a/b', 'list', 'id', 'list[]', 'id']);
});
