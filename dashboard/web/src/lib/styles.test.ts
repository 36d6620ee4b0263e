import { afterEach, expect, it } from 'vitest';
import { restyle } from './styles';

/** A stylesheet's link in the page, and how its sheet looks. */
function link(href: string, sheet: () => unknown): HTMLLinkElement {
	const one = document.createElement('link');
	one.rel = 'stylesheet';
	one.href = href;
	Object.defineProperty(one, 'sheet', { get: sheet });
	document.head.append(one);
	return one;
}

afterEach(() => document.head.replaceChildren());

it('asks again for each that did not come, and for no other', async () => {
	const whole = link('whole.css', () => ({ cssRules: [{}] }));
	link('none.css', () => null);
	link('empty.css', () => ({ cssRules: [] }));
	// What a browser makes of one whose answer was cut off.
	link('cut.css', () => ({
		get cssRules(): unknown {
			throw new DOMException('Cannot access rules', 'SecurityError');
		},
	}));
	const done = restyle().catch(() => undefined); // here none is loaded
	const fresh = [...document.querySelectorAll('link')].filter((one) => one !== whole);
	expect(document.head.contains(whole)).toBe(true);
	expect(fresh.map((one) => one.getAttribute('href'))).toEqual(['none.css', 'empty.css', 'cut.css']);
	await done;
});

it('says which one does not come again', async () => {
	link('none.css', () => null);
	const done = restyle();
	document.querySelector('link')?.dispatchEvent(new Event('error'));
	await expect(done).rejects.toThrow('none.css');
});
