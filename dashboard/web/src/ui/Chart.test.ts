import { cleanup, render } from '@testing-library/svelte';
import { tick } from 'svelte';
import { afterEach, expect, test, vi } from 'vitest';

/** What the system says, and who asked to be told when it says otherwise. */
const system = vi.hoisted(() => {
	const asked = Object.assign(new EventTarget(), { matches: false });
	globalThis.matchMedia = () => asked as unknown as MediaQueryList;
	return asked;
});
/** The colours of the lines of each chart that was drawn. */
const drawn = vi.hoisted(() => [] as unknown[]);
vi.mock('uplot', () => ({
	default: class {
		constructor(options: { series: { stroke?: string }[] }) {
			drawn.push(options.series[1]?.stroke);
		}
		setData() {}
		setSize() {}
		destroy() {}
	},
}));
import Chart from './Chart.svelte';
import { theme } from '../lib/theme.svelte';

afterEach(cleanup);

test('a chart has the colours of the system, also when that turns', async () => {
	const style = document.createElement('style');
	style.textContent = ':root{--accent:navy} :root[data-theme=light]{--accent:olive}';
	document.head.append(style);
	expect(theme.chosen).toBe('auto');
	render(Chart, {
		title: 'Calls',
		t: [1, 2],
		series: [{ label: 'ok', color: 'accent', values: [1, 2] }],
		format: String,
		summary: 'Few.',
	});
	await tick();
	expect(drawn).toEqual(['navy']);
	system.matches = true;
	system.dispatchEvent(new Event('change'));
	await tick();
	expect(drawn).toEqual(['navy', 'olive']);
	theme.chosen = 'light'; // as it is
	await tick();
	expect(drawn).toHaveLength(2);
	style.remove();
});
