/** Asks once more for the stylesheets that did not come. The loader of pages asks for each
 * only once, and would show a page without its own. */
export async function restyle(): Promise<void> {
	const missing = [...document.querySelectorAll<HTMLLinkElement>('link[rel=stylesheet]')].filter(
		(link) => !link.sheet?.cssRules.length, // one that did not come is an empty one
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
