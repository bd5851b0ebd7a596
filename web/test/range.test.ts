import { describe, expect, it } from 'vitest';
import { fixed, rangeOf, wider } from '../src/lib/range';

const of = (s: string, whole: [number, number] | null = null) => rangeOf(new URLSearchParams(s), 100000, 300, whole);

describe('rangeOf', () => {
	it('reads what the address says', () => {
		expect(of('last=3600')).toEqual({ last: 3600, from: 96400, to: 100000 });
		expect(of('from=100&to=200')).toEqual({ last: null, from: 100, to: 200 });
		expect(of('from=100&to=200&last=60')).toEqual({ last: null, from: 100, to: 200 });
	});
	it('takes the usual for what is none', () => {
		for (const s of ['', 'last=0', 'last=-1', 'last=x', 'last=1e99', 'from=200&to=100', 'from=5', 'from=1&to=1e15']) expect(of(s)).toEqual({ last: 300, from: 99700, to: 100000 });
	});
	it('shows the whole of files', () => {
		expect(of('', [10.5, 20.2])).toEqual({ last: null, from: 10, to: 22 });
		expect(of('last=60', [10.5, 20.2]).last).toBe(60);
	});
});

describe('fixed and wider', () => {
	it('are of whole seconds, and of some', () => {
		expect(fixed(10.9, 11)).toEqual({ last: null, from: '10', to: '20' });
		expect(fixed(10, 100.5)).toEqual({ last: null, from: '10', to: '101' });
	});
	it('do not lead beyond now', () => {
		expect(wider(1000, 2000, 9000)).toEqual([500, 2500]);
		expect(wider(8000, 9000, 9000)).toEqual([7000, 9000]);
	});
});
