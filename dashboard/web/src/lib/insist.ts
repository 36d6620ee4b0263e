// What is asked for at the machine on which containers start: a browser there gives up
// what is open whenever a network comes or goes.

const pauses = [200, 1000, 3000];

/** Tries again by itself, for some seconds; ask is told how often it was tried before. */
export async function insist<T>(ask: (before: number) => Promise<T>): Promise<T> {
	for (let n = 0; ; n++) {
		try {
			return await ask(n);
		} catch (cause) {
			if (n === pauses.length) throw cause;
			await new Promise((done) => setTimeout(done, pauses[n]));
		}
	}
}
