let shown = $state<'palette' | 'keys' | undefined>();

/** What lies over the whole page. */
export const overlay = {
	get shown() {
		return shown;
	},
	set shown(value: 'palette' | 'keys' | undefined) {
		shown = value;
	},
};
