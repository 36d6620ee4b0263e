// What a chart makes of its columns. Pure.
type Column = readonly (number | null)[];

/** Each column on top of those before it; nothing stays nothing. */
export function stack(columns: readonly Column[]): (number | null)[][] {
	const sums: number[] = [];
	return columns.map((values) => values.map((v, i) => (v === null ? null : (sums[i] = (sums[i] ?? 0) + v))));
}

/** Where a value has none on either side: no line leads there. */
export function alone(values: Column): number[] {
	const nothing = (i: number) => values[i] === null || values[i] === undefined;
	return values.flatMap((_, i) => (!nothing(i) && nothing(i - 1) && nothing(i + 1) ? [i] : []));
}

/** The columns as rows, newest first, without those in which nothing was. */
export function rows(
	t: readonly number[],
	columns: readonly Column[],
): { at: number; values: (number | null)[] }[] {
	return t
		.map((at, i) => ({ at, values: columns.map((values) => values[i] ?? null) }))
		.filter((row) => row.values.some((v) => v !== null && v !== 0))
		.reverse();
}
