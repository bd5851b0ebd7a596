import { describe, expect, it } from 'vitest';
import { chosen, toggled } from '../src/lib/columns';
import { drawn, reveal } from '../src/lib/window';

describe('drawn', () => {
	it('holds all that is seen, and little more', () => {
		for (const count of [0, 1, 7, 100, 100000])
			for (const top of [-20, 0, 1, 47, 48, 4000, 4799952, 9e9])
				for (const seen of [0, 300, 640]) {
					const [first, last] = drawn(count, top, seen, 48);
					expect(first).toBeGreaterThanOrEqual(0);
					expect(last).toBeLessThanOrEqual(count);
					expect(last - first).toBeLessThanOrEqual(Math.ceil(seen / 48) + 20);
					const from = Math.floor(Math.max(0, top) / 48);
					for (let i = from; i < Math.min(count, Math.ceil((Math.max(0, top) + seen) / 48)); i++) expect(first <= i && i < last).toBe(true);
				}
	});
	it('moves in steps, so that most movements change nothing', () => {
		const seen = new Set<string>();
		for (let top = 10000; top < 10000 + 48 * 10; top++) seen.add(drawn(1000, top, 600, 48).join());
		expect(seen.size).toBeLessThanOrEqual(9);
	});
});

describe('reveal', () => {
	it('says where to scroll, or that there is no need', () => {
		expect(reveal(0, 0, 500, 48, 33)).toBeNull();
		expect(reveal(9, 0, 500, 48, 33)).toBe(480 - 467);
		expect(reveal(3, 1000, 500, 48, 33)).toBe(144);
	});
});

describe('columns', () => {
	const all = [{ key: 'a' }, { key: 'b', extra: true }, { key: 'c' }];
	it('are those of the table until somebody chooses', () => {
		expect(chosen(all, null)).toEqual(['a', 'c']);
		expect(chosen(all, '')).toEqual(['a', 'c']);
		expect(chosen(all, 'gone,other')).toEqual(['a', 'c']);
		expect(chosen(all, 'c,b,gone')).toEqual(['b', 'c']);
	});
	it('are switched one by one, and one stays', () => {
		expect(toggled(all, ['a', 'c'], 'b')).toEqual(['a', 'b', 'c']);
		expect(toggled(all, ['a', 'c'], 'a')).toEqual(['c']);
		expect(toggled(all, ['c'], 'c')).toEqual(['c']);
	});
});
