// Keys of one letter: whether they are on, and whether now is a time for them.

const key = 'mcp-gw.keys';

function saved(): boolean {
	try {
		return localStorage.getItem(key) !== 'off';
	} catch {
		return true; // storage is forbidden
	}
}

let on = $state(saved());

export const keys = {
	/** Whether keys of one letter do something. */
	get on() {
		return on;
	},
	set on(value: boolean) {
		on = value;
		try {
			localStorage.setItem(key, value ? 'on' : 'off');
		} catch {
			// It holds for this visit.
		}
	},
	/** Whether a key of one letter is meant for the page, and for no field, menu or dialog in it. */
	free(e: KeyboardEvent): boolean {
		if (!on || e.defaultPrevented || e.ctrlKey || e.metaKey || e.altKey || e.isComposing) return false;
		const at = e.target;
		if (!(at instanceof Element)) return true;
		return !at.closest(
			'input, textarea, select, [contenteditable=""], [contenteditable="true"], [role="dialog"], [role="menu"], [role="listbox"]',
		);
	},
};

/** How the key for commands is written on this machine. */
export const commandKey =
	typeof navigator !== 'undefined' && /Mac|iP(hone|ad|od)/.test(navigator.platform) ? '⌘' : 'Ctrl+';
