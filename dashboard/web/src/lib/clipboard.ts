/**
 * Copies a text, and says whether that was allowed. near is where it was asked for: without
 * HTTPS there is no clipboard but the old one, which copies what is selected, and a dialog
 * lets nothing outside of it keep the focus.
 */
export async function copy(text: string, near: Element): Promise<boolean> {
	try {
		await navigator.clipboard.writeText(text);
		return true;
	} catch {
		const focused = document.activeElement;
		const area = document.createElement('textarea');
		area.value = text;
		area.style.position = 'fixed';
		area.style.opacity = '0';
		(near.closest('[role=dialog]') ?? document.body).append(area);
		area.focus({ preventScroll: true });
		area.select();
		// It answers true even where nothing is selected.
		const copied = document.activeElement === area && document.execCommand('copy');
		area.remove();
		if (focused instanceof HTMLElement) focused.focus({ preventScroll: true });
		return copied;
	}
}
