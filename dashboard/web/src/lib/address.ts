// Which address of the gateway is for whom. Pure.

export const variants = ['here', 'container', 'public'] as const;
export type Variant = (typeof variants)[number];

export interface Known {
	/** The page's own address, without its file and hash. */
	page: string;
	/** The address of /mcp as the gateway knows it; '' until it is known. */
	endpoint: string;
	/** The name of the gateway's container, '' outside one. */
	container: string;
}

/** The port in the image, whatever it is published as. */
const port = 3000;

export function variantNamed(word: string | null): Variant | undefined {
	return variants.find((v) => v === word);
}

/** Whoever runs the gateway said under which address it is known: MCP_GW_BASE_URL. */
function configured(known: Known): string {
	const base = known.endpoint.replace(/\/mcp$/, '');
	return base && trim(base) !== trim(known.page) ? base : '';
}

export function usualVariant(known: Known): Variant {
	return configured(known) ? 'public' : 'here';
}

/** Where to begin: what somebody may then change. */
export function baseOf(variant: Variant, known: Known): string {
	switch (variant) {
		case 'here':
			return trim(known.page);
		case 'container':
			return `http://${known.container || 'mcp-gw'}:${port}`;
		case 'public':
			return configured(known) || (known.page.startsWith('https:') ? trim(known.page) : '');
	}
}

const trim = (url: string) => url.replace(/\/+$/, '');
