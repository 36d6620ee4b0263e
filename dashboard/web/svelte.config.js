import { vitePreprocess } from '@sveltejs/vite-plugin-svelte';

/** @type {import('@sveltejs/vite-plugin-svelte').SvelteConfig} */
export default {
	preprocess: vitePreprocess(),
	// Runes only: what Svelte 4 allowed is an error.
	compilerOptions: { runes: true },
};
