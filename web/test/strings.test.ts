import { type AST, parse } from 'svelte/compiler';
import { describe, expect, it } from 'vitest';

/* What is the same in every language: commands, names of files and formats, examples of what is typed. */
const SAME = new Set(['CSV', 'NDJSON', 'eth1', 'sudo weir check-config', 'weir-']);
/* Attributes that people read or hear. */
const READ = new Set(['title', 'aria-label', 'aria-description', 'placeholder', 'alt', 'label', 'note']);
/* ms: reading all templates takes half a second, and many times that on a busy machine */
const SLOWEST = 60_000;
const templates = import.meta.glob<string>('../src/**/*.svelte', { query: '?raw', import: 'default', eager: true });

/** The words that a template has by itself, out of expressions. */
function words(source: string): string[] {
	const found: string[] = [];
	const look = (node: unknown): void => {
		if (Array.isArray(node)) return node.forEach(look);
		if (typeof node !== 'object' || node === null) return;
		const n = node as AST.SvelteNode;
		if (n.type === 'Attribute' && !READ.has(n.name)) return;
		if (n.type === 'StyleDirective') return;
		if (n.type === 'Text' && /\p{L}{2}/u.test(n.data)) found.push(n.data.trim());
		for (const child of Object.values(n)) look(child);
	};
	look(parse(source, { modern: true }).fragment);
	return found.filter((w) => !SAME.has(w));
}

describe('strings', () => {
	it('words are seen where a template has them', () => {
		expect(words('<p title="One">{a} two {#if b}three{:else}<b class="c">four</b>{/if}</p>')).toEqual(['One', 'two', 'three', 'four']);
	});
	it('the words of the page stand in its files of strings alone', () => {
		const outside = Object.entries(templates).flatMap(([path, source]) => words(source).map((w) => `${path}: ${w}`));
		expect(Object.keys(templates).length).toBeGreaterThan(60);
		expect(outside).toEqual([]);
	}, SLOWEST);
});
