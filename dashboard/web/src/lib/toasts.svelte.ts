// What was just done, said in a corner and undone from there.

export interface Toast {
	id: number;
	text: string;
	tone: 'done' | 'error';
	undo?: (() => unknown) | undefined;
}

let toasts = $state.raw<Toast[]>([]);
let last = 0;
const most = 4;
/** How long something can be undone, in ms. */
const stay = 10_000;

export const said = {
	get all() {
		return toasts;
	},
};

/** Says what was done. Errors stay until they are closed. */
export function say(toast: { text: string; tone?: Toast['tone']; undo?: () => unknown }) {
	const id = ++last;
	toasts = [...toasts, { tone: 'done' as const, ...toast, id }].slice(-most);
	if (toast.tone !== 'error') setTimeout(() => unsay(id), stay);
}

export function unsay(id: number) {
	toasts = toasts.filter((toast) => toast.id !== id);
}
