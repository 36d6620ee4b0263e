// What lies over the page holds the keyboard until it is closed, and gives the focus
// back to where it was.

const open: HTMLElement[] = [];

const stops =
	'a[href], button:not(:disabled), input:not(:disabled), select:not(:disabled), textarea:not(:disabled), summary, [tabindex]:not([tabindex="-1"])';

function focusable(box: HTMLElement): HTMLElement[] {
	return [...box.querySelectorAll<HTMLElement>(stops)].filter(
		(el) => el.tabIndex >= 0 && el.getClientRects().length > 0,
	);
}

/**
 * Attach it to what lies over the page, with the box that has the focus as its last
 * child. Escape calls onclose, unless something within has taken the key.
 */
export function modal(onclose: () => void) {
	return (node: HTMLElement) => {
		const box = node.lastElementChild instanceof HTMLElement ? node.lastElementChild : node;
		const before = document.activeElement;
		// No ancestor's clipping or layer holds here.
		document.body.append(node);
		open.push(node);
		document.documentElement.style.overflow = 'hidden';
		(box.querySelector<HTMLElement>('[data-first]') ?? box).focus({ preventScroll: true });

		const pressed = (e: KeyboardEvent) => {
			if (open.at(-1) !== node || e.defaultPrevented) return;
			if (e.key === 'Escape') {
				e.preventDefault();
				onclose();
			}
			if (e.key !== 'Tab') return;
			const at = document.activeElement;
			const all = focusable(box);
			const first = all[0];
			const last = all.at(-1);
			if (!first || !last) {
				e.preventDefault();
				return;
			}
			const out = !box.contains(at) || at === box;
			if (e.shiftKey ? out || at === first : at === last || (out && at !== box)) {
				e.preventDefault();
				(e.shiftKey ? last : first).focus();
			}
		};
		document.addEventListener('keydown', pressed);
		return () => {
			document.removeEventListener('keydown', pressed);
			open.splice(open.indexOf(node), 1);
			if (open.length === 0) document.documentElement.style.overflow = '';
			node.remove();
			if (!(before instanceof HTMLElement)) return;
			// A list may have been drawn anew meanwhile.
			const back = before.isConnected ? before : before.id ? document.getElementById(before.id) : null;
			back?.focus({ preventScroll: true });
		};
	};
}
