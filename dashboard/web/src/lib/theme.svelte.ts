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

function apply() {
	const light = chosen === 'light' || (chosen === 'auto' && system.matches);
	document.documentElement.dataset.theme = light ? 'light' : 'dark';
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
};
