import { describe, expect, it } from 'vitest';
import admin from '../src/strings.admin.ts?raw';
import strings from '../src/strings.ts?raw';
import css from '../src/styles/app.css?raw';
import { FIRST } from '../src/styles/characters';

const ranges = [...css.matchAll(/src: url\('([^']+)'\)[^}]*unicode-range: ([^;]+);/g)].map(([, url = '', list = '']) => ({
	first: url.includes('/fonts/'),
	list: list.split(', ').map((r) => r.slice(2).split('-').map((x) => Number.parseInt(x, 16))) as number[][],
}));
const inside = (list: readonly (readonly number[])[], c: number) => list.some(([a = 0, b = a]) => c >= a && c <= b);

describe('fonts', () => {
	it('the style names the characters that the first files have', () => {
		expect(ranges.filter((r) => r.first).map((r) => r.list.map(([a, b = a]) => [a, b]))).toEqual([FIRST, FIRST]);
	});
	it('no character is in both files of a weight', () => {
		for (const r of ranges.filter((x) => !x.first)) for (const [a, b] of FIRST) for (let c = a; c <= b; c++) expect(inside(r.list, c)).toBe(false);
	});
	it("the page's own words need no second file", () => {
		const rest = ranges.find((r) => !r.first)?.list ?? [];
		const needed = [...new Set(strings + admin)].filter((c) => inside(rest, c.codePointAt(0) as number));
		expect(needed).toEqual([]);
	});
});
