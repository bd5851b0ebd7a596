import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';
import { world } from './world.vite';

// Everything the page needs is a hashed file of its own: the server's Content-Security-Policy allows neither inline
// scripts and styles nor data: addresses.
export default defineConfig({
	plugins: [svelte(), world()],
	build: {
		outDir: 'dist',
		target: 'es2022',
		assetsInlineLimit: 0,
		modulePreload: { polyfill: false },
		cssCodeSplit: false,
		sourcemap: false,
	},
	/* a test compares with docs/ */
	server: { fs: { allow: ['..'] } },
	test: { include: ['test/**/*.test.ts'], environment: 'node' },
});
