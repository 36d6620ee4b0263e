// What the frame around all pages knows of the page in it.

let title = $state('');
let first = true;

export const frame = {
	get title() {
		return title;
	},
	set title(value: string) {
		title = value;
	},
	/** Whether a page was gone to, rather than opened with: then its heading has the focus. */
	arrived(): boolean {
		const before = first;
		first = false;
		return !before;
	},
};
