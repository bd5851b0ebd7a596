import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';
import { fonts } from './fonts.vite';
import { world } from './world.vite';

const FIRST = /\/(uplot|src\/views\/Dashboard|src\/components\/(Bar|Chart|Choice|Empty|FlowTable|HostName|Interfaces|Loss|Processes|Risks|Save|StateDot|Table|Throughput|TimeRange|TopApplications|TopHosts|Traffic)|src\/lib\/(columns|poll|range|running|series|window))\b/;

// Everything the page needs is a hashed file of its own: the server's Content-Security-Policy allows neither inline
// scripts and styles nor data: addresses.
export default defineConfig({
	plugins: [svelte(), fonts(), world()],
	build: {
		outDir: 'dist',
		target: 'es2022',
		assetsInlineLimit: 0,
		modulePreload: { polyfill: false },
		cssCodeSplit: false,
		sourcemap: false,
		/* what the overview is made of, and what all else stands on, comes at once: a file each would be a journey each */
		rollupOptions: { output: { manualChunks: (id) => (FIRST.test(id) ? 'overview' : undefined) } },
	},
	/* a test compares with docs/ */
	server: { fs: { allow: ['..'] } },
	/* the style is looked at by a test as well */
	test: { include: ['test/**/*.test.ts'], environment: 'node', css: true },
});
