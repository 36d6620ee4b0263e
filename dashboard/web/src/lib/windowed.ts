// Which rows of a long list the window shows. Pure.

export interface Span {
	from: number;
	to: number;
}

/** Rows drawn above and below what is in sight. */
const spare = 10;

/** top is where the list begins, in px from the top of the window. */
export function inSight(count: number, height: number, top: number, view: number): Span {
	const from = Math.min(count, Math.max(0, Math.floor(-top / height) - spare));
	const to = Math.max(from, Math.min(count, Math.ceil((view - top) / height) + spare));
	return { from, to };
}
