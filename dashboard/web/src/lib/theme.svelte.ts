export type Theme = 'auto' | 'dark' | 'light';

const key = 'mcp-gw.theme';
const system = matchMedia('(prefers-color-scheme: light)');

function saved(): Theme {
	try {
		const value = localStorage.getItem(key);
		return value === 'dark' || value === 'light' ? value : 'auto';
	} catch {
		return 'auto'; // storage is forbidden
	}
}

let chosen = $state<Theme>(saved());
let shown = $state<'dark' | 'light'>('dark');

function apply() {
	shown = chosen === 'light' || (chosen === 'auto' && system.matches) ? 'light' : 'dark';
	document.documentElement.dataset.theme = shown;
}
system.addEventListener('change', apply);
apply();

export const theme = {
	get chosen() {
		return chosen;
	},
	set chosen(value: Theme) {
		chosen = value;
		try {
			localStorage.setItem(key, value);
		} catch {
			// It holds for this visit.
		}
		apply();
	},
	/** What is to be seen: auto is what the system says. */
	get shown() {
		return shown;
	},
};
