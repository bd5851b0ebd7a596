import { describe, expect, it } from 'vitest';
import * as f from '../src/lib/format';

const plain = (s: string) => s.replaceAll('\u00a0', ' ');

describe('si', () => {
	it.each([
		[0, '0', ''],
		[7, '7', ''],
		[0.5, '0.50', ''],
		[999, '999', ''],
		[999.4, '999', ''],
		[999.5, '1.00', 'k'],
		[1000, '1.00', 'k'],
		[1234, '1.23', 'k'],
		[9994, '9.99', 'k'],
		[9996, '10.0', 'k'],
		[99949, '99.9', 'k'],
		[99951, '100', 'k'],
		[999499, '999', 'k'],
		[999500, '1.00', 'M'],
		[1.5e18, '1.50', 'E'],
		[-2500, '-2.50', 'k'],
	])('%d', (n, value, prefix) => {
		expect(f.si(n)).toMatchObject({ value, prefix });
	});
});

describe('rates and amounts', () => {
	it('counts bits where bytes come in', () => {
		expect(plain(f.rate(125))).toBe('1.00 kbit/s');
		expect(plain(f.rate(0))).toBe('0 bit/s');
		expect(plain(f.rate(125e6))).toBe('1.00 Gbit/s');
	});
	it('names packets', () => {
		expect(plain(f.rate(12, 'packets'))).toBe('12 packets/s');
		expect(plain(f.rate(98200, 'packets'))).toBe('98.2 kpps');
	});
	it('never takes unknown for zero', () => {
		for (const g of [f.rate, f.bytes, f.count, f.shortCount, f.duration, f.time, f.dateTime, f.milliseconds]) {
			expect(g(null)).toBe(f.UNKNOWN);
			expect(g(undefined)).toBe(f.UNKNOWN);
			expect(g(Number.NaN)).toBe(f.UNKNOWN);
		}
		expect(f.rateParts(null, 'bits').unit).toBe('');
	});
	it('shortens large counts only', () => {
		expect(f.count(1234567)).toBe('1,234,567');
		expect(f.shortCount(99999)).toBe('99,999');
		expect(plain(f.shortCount(100000))).toBe('100 k');
		expect(plain(f.bytes(1500))).toBe('1.50 kB');
	});
	it('percents', () => {
		expect(f.percent(1, 0)).toBe(f.UNKNOWN);
		expect(f.percent(0, 10)).toBe('0 %');
		expect(f.percent(1, 10000)).toBe('< 0.1 %');
		expect(f.percent(1, 30)).toBe('3.3 %');
		expect(f.percent(1, 2)).toBe('50 %');
	});
});

describe('durations', () => {
	it.each([
		[0, '0 s'],
		[0.0123, '12 ms'],
		[0.0006, '1 ms'],
		[4.9, '4 s'],
		[60, '1 min'],
		[192, '3 min 12 s'],
		[7500, '2 h 5 min'],
		[3 * 86400 + 4 * 3600 + 5, '3 d 4 h'],
		[-1, f.UNKNOWN],
	])('%d', (s, text) => {
		expect(f.duration(s)).toBe(text);
	});
});

describe('times', () => {
	it('says the date where it is not today', () => {
		const noon = new Date(2026, 4, 3, 12, 3, 5).getTime() / 1000;
		expect(f.time(noon)).toBe('12:03:05');
		expect(f.moment(noon, noon + 60)).toBe('12:03:05');
		expect(f.moment(noon, noon + 86400)).toBe('3 May 2026, 12:03:05');
		expect(f.moment(0)).toBe(f.UNKNOWN);
	});
});

describe('addresses', () => {
	it('writes ends', () => {
		expect(f.endpoint('192.0.2.1', 443)).toBe('192.0.2.1:443');
		expect(f.endpoint('2001:db8::1', 443)).toBe('[2001:db8::1]:443');
		expect(f.endpoint('192.0.2.1', null)).toBe('192.0.2.1');
	});
	it('knows one when it sees one', () => {
		for (const a of ['10.9.0.2', '2001:db8::1', '::1', '::ffff:192.0.2.1', '2001:db8:1:2:3:4:5:6', '0:0:0:0:0:ffff:192.0.2.1']) expect(f.isAddress(a)).toBe(true);
		for (const a of ['10.9.0', '10.9.0.256', 'nas', '', 'nas:443', 'a b', '02:00:5e:00:53:10']) expect(f.isAddress(a)).toBe(false);
	});
});
