import { expect, test } from 'vitest';
import { keys } from './keys.svelte';

function press(at: Element, init: KeyboardEventInit = {}): boolean {
	let free: boolean | undefined;
	const hear = (e: Event) => (free = keys.free(e as KeyboardEvent));
	document.addEventListener('keydown', hear, { once: true });
	at.dispatchEvent(
		new KeyboardEvent('keydown', {
			key: 'j',
			bubbles: true,
			cancelable: true,
			...init,
		}),
	);
	return free ?? false;
}

test('a key of one letter is for the page, but not in fields and dialogs', () => {
	document.body.innerHTML =
		'<button id="b"></button><input id="i"><div role="dialog"><button id="d"></button></div><p contenteditable="true"><b id="e"></b></p>';
	const at = (id: string) => document.getElementById(id)!;
	expect(press(at('b'))).toBe(true);
	expect(press(document.body)).toBe(true);
	for (const id of ['i', 'd', 'e']) expect(press(at(id))).toBe(false);
	expect(press(at('b'), { ctrlKey: true })).toBe(false);
	keys.on = false;
	expect(press(at('b'))).toBe(false);
	keys.on = true;
});
