/** Asks once more for the stylesheets that did not come. The loader of pages asks for each
 * only once, and would show a page without its own. */
export async function restyle(): Promise<void> {
	const missing = [...document.querySelectorAll<HTMLLinkElement>('link[rel=stylesheet]')].filter(
		(link) => !came(link),
	);
	await Promise.all(
		missing.map(
			(link) =>
				new Promise<void>((done, fail) => {
					const fresh = link.cloneNode() as HTMLLinkElement;
					fresh.onload = () => done();
					fresh.onerror = () => fail(new Error(`Its stylesheet did not come: ${link.href}`));
					link.replaceWith(fresh);
				}),
		),
	);
}

/** One that did not come is an empty one, or one that nobody may look into. */
function came(link: HTMLLinkElement): boolean {
	try {
		return Boolean(link.sheet?.cssRules.length);
	} catch {
		return false; // all are the gateway's own: a whole one may always be read
	}
}
