/*
 * The characters that every view has, of both weights of the page's typeface (Barlow Semi Condensed, SIL Open Font License 1.1), as files of
 * their own in fonts/: half the size of those with all of Latin-1, which the browser fetches once a name or a label needs them.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import subset from 'subset-font';
import type { Plugin } from 'vite';
import { FIRST } from './src/styles/characters';

const WEIGHTS = [500, 600];
/* figures of one width stand below each other in tables */
const FEATURES = ['kern', 'tnum'];

export function fonts(): Plugin {
	return {
		name: 'weir-fonts',
		async buildStart() {
			const text = FIRST.map(([a, b]) => Array.from({ length: b - a + 1 }, (_, i) => String.fromCodePoint(a + i)).join('')).join('');
			const folder = new URL('fonts/', import.meta.url);
			mkdirSync(folder, { recursive: true });
			for (const w of WEIGHTS) {
				const whole = readFileSync(createRequire(import.meta.url).resolve(`@fontsource/barlow-semi-condensed/files/barlow-semi-condensed-latin-${w}-normal.woff2`));
				writeFileSync(new URL(`barlow-${w}.woff2`, folder), await subset(whole, text, { targetFormat: 'woff2', keepFeatures: FEATURES }));
			}
		},
	};
}
