import { beforeEach, expect, test, vi } from 'vitest';
import { modal } from './modal';

// Without a layout everything is as if it was hidden.
beforeEach(() => {
	document.body.innerHTML = '<button id="opener">open</button>';
	vi.spyOn(Element.prototype, 'getClientRects').mockReturnValue([{}] as unknown as DOMRectList);
});

function over(): { node: HTMLElement; at: (id: string) => HTMLElement } {
	const node = document.createElement('div');
	node.innerHTML =
		'<div></div><div id="box" role="dialog" tabindex="-1"><button id="a">a</button><input id="b"><button disabled>c</button></div>';
	return { node, at: (id) => node.querySelector<HTMLElement>(`#${id}`)! };
}
const press = (key: string, shiftKey = false) =>
	document.activeElement!.dispatchEvent(
		new KeyboardEvent('keydown', { key, shiftKey, bubbles: true, cancelable: true }),
	);

test('the keyboard stays within, and the focus goes back', () => {
	const opener = document.getElementById('opener')!;
	opener.focus();
	const { node, at } = over();
	const end = modal(() => {})(node);
	expect(document.activeElement).toBe(at('box'));
	at('b').focus();
	press('Tab');
	expect(document.activeElement).toBe(at('a'));
	press('Tab', true);
	expect(document.activeElement).toBe(at('b'));
	end();
	expect(document.activeElement).toBe(opener);
	expect(node.isConnected).toBe(false);
});

test('Escape closes the topmost, and only it', () => {
	const below = vi.fn();
	const above = vi.fn();
	const endBelow = modal(below)(over().node);
	const endAbove = modal(above)(over().node);
	press('Escape');
	expect([below.mock.calls.length, above.mock.calls.length]).toEqual([0, 1]);
	endAbove();
	press('Escape');
	expect(below.mock.calls.length).toBe(1);
	expect(document.documentElement.style.overflow).toBe('hidden');
	endBelow();
	expect(document.documentElement.style.overflow).toBe('');
});

test('a key that something within has taken is left alone', () => {
	const close = vi.fn();
	const { node, at } = over();
	const end = modal(close)(node);
	at('b').addEventListener('keydown', (e) => e.preventDefault());
	at('b').focus();
	press('Escape');
	expect(close).not.toHaveBeenCalled();
	end();
});

test('where the list was drawn anew, the focus goes to what has the same id', () => {
	const opener = document.getElementById('opener')!;
	opener.focus();
	const end = modal(() => {})(over().node);
	opener.outerHTML = '<button id="opener">anew</button>';
	end();
	expect(document.activeElement?.textContent).toBe('anew');
});
