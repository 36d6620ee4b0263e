import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';

const gateway = process.env.GATEWAY ?? 'http://localhost:3000';

export default defineConfig({
	// Relative: the page works under any path of a reverse proxy.
	base: './',
	plugins: [svelte()],
	build: {
		target: 'es2022',
		// The policy forbids data: in scripts and fonts.
		assetsInlineLimit: 0,
		modulePreload: { polyfill: false },
		manifest: true, // for sizes.mjs
	},
	server: { proxy: { '/api': gateway, '/mcp': gateway, '/metrics': gateway } },
	resolve: process.env.VITEST ? { conditions: ['browser'] } : undefined,
	test: { environment: 'happy-dom', include: ['src/**/*.test.ts'] },
});
