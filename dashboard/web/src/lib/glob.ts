// Globs with `*` alone, for names that people type. Matching takes a time of the
// two lengths multiplied at worst, which a regular expression would not promise.

/** Whether text is what pattern says; case counts, so both are lowered before. */
export function matches(pattern: string, text: string): boolean {
	let p = 0;
	let t = 0;
	let star = -1;
	let resume = 0;
	while (t < text.length) {
		if (pattern[p] === '*') {
			star = p++;
			resume = t;
		} else if (p < pattern.length && pattern[p] === text[t]) {
			p++;
			t++;
		} else if (star >= 0) {
			p = star + 1;
			t = ++resume;
		} else {
			return false;
		}
	}
	while (pattern[p] === '*') p++;
	return p === pattern.length;
}
