import { describe, expect, it } from 'vitest';
import { href, parse } from './router';

describe('routes', () => {
	it('are read from a hash', () => {
		expect(parse('')).toMatchObject({ page: '', item: '' });
		expect(parse('#/tools/a%2Fb%3F?q=x%20y&sort=name')).toMatchObject({ page: 'tools', item: 'a/b?' });
		expect(parse('#/tools/a?q=x%20y').query.get('q')).toBe('x y');
		expect(parse('#/tools/%E0%A4%A').item).toBe('%E0%A4%A');
	});
	it('come back as they were written', () => {
		for (const item of ['memory__search', 'a/b', 'ü?#%', '‮x']) {
			expect(parse(href('tools', item, { q: 'é&=#?' })).item).toBe(item);
			expect(parse(href('tools', item, { q: 'é&=#?' })).query.get('q')).toBe('é&=#?');
		}
	});
	it('have no empty parameters', () => {
		expect(href('traffic', '', { q: '', errors: undefined })).toBe('#/traffic');
	});
});
