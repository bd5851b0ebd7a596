import { describe, expect, it } from 'vitest';
import { dateTime, MONTHS } from '../src/lib/format';
import { ago, when } from '../src/lib/when';

const now = new Date(2026, 10, 27, 15, 30, 0).getTime() / 1000;
const at = (...parts: [number, number, number, number?, number?, number?]) => new Date(...(parts as [number, number, number])).getTime() / 1000;

describe('moments', () => {
	it('are read as they are shown, in every month', () => {
		expect(new Set(MONTHS).size).toBe(12);
		for (let m = 0; m < 12; m++) {
			const t = at(2025, m, 9, 7, 5, 3);
			expect(when(dateTime(t), now)).toBe(t);
		}
	});
	it.each([
		['2026-01-09', at(2026, 0, 9)],
		['2026-01-09 07:05', at(2026, 0, 9, 7, 5)],
		['2026-01-09T07:05:06', at(2026, 0, 9, 7, 5, 6)],
		['9 January 2026, 7:05', at(2026, 0, 9, 7, 5)],
		['9 sep 07:05', at(2026, 8, 9, 7, 5)],
		[' 14:30 ', at(2026, 10, 27, 14, 30)],
		['now', now],
		['2 h ago', now - 7200],
		['-2h', now - 7200],
		['1 h 30 min ago', now - 5400],
		['7d', now - 7 * 86400],
	])('%s', (text, t) => {
		expect(when(text, now)).toBe(t);
	});
	it.each(['', ' ', 'tomorrow', '30 Feb 2026', '2026-13-01', '25:00', '14:60', '9 Foo 2026', '12', '2 ages ago', '9999999999 d'])('no time: %s', (text) => {
		expect(when(text, now)).toBe(null);
	});
	it('tells what moves with now', () => {
		expect(ago('now')).toBe(0);
		expect(ago('5 min ago')).toBe(300);
		expect(ago('14:30')).toBe(null);
	});
});
