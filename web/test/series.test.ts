import { describe, expect, it } from 'vitest';
import type { SeriesPoint } from '../src/api/types';
import { even, inAndOut, scaleSteps, scaleTop, SecondRing, summary, thereOf } from '../src/lib/series';

describe('SecondRing', () => {
	it('gives the last seconds, silence as zero and the time before as unknown', () => {
		const r = new SecondRing(10);
		r.put(103, 30, 3);
		r.put(105, 50, 5);
		const w = r.window(106, 6, 'bytes');
		expect(w.t).toEqual([101, 102, 103, 104, 105, 106]);
		expect(w.v).toEqual([null, null, 30, 0, 50, 0]);
		expect(r.window(106, 6, 'packets').v).toEqual([null, null, 3, 0, 5, 0]);
	});
	it('takes seconds in any order, and the later word on one', () => {
		const r = new SecondRing(10);
		r.put(105, 50, 5);
		r.put(103.9, 30, 3);
		r.put(105, 55, 6);
		expect(r.window(105, 3, 'bytes').v).toEqual([30, 0, 55]);
	});
	it('forgets what it has no room for, and is not fooled by what is too old', () => {
		const r = new SecondRing(4);
		for (let s = 100; s < 110; s++) r.put(s, s, 1);
		r.put(101, 999, 9);
		expect(r.window(109, 10, 'bytes').v).toEqual([106, 107, 108, 109]);
	});
	it('does not take a time in which Weir did not run for silence', () => {
		const r = new SecondRing(10);
		r.put(103, 30, 3);
		r.put(107, 50, 5);
		r.there = (s) => s < 105 || s > 105;
		const w = r.window(107, 6, 'bytes');
		expect(w.v).toEqual([null, 30, 0, null, 0, 50]);
		expect(w.gaps).toEqual([[3, 4]]);
	});
	it('keeps a fixed amount of memory over many seconds', () => {
		const r = new SecondRing(300);
		for (let s = 0; s < 100000; s++) r.put(s, 1, 1);
		expect(r.window(99999, 1000, 'bytes').v).toHaveLength(300);
	});
});

describe('even', () => {
	/* three quarters of it came in */
	const point = (time: number, bytes: number, packets: number, bytesMax: number, packetsMax: number): SeriesPoint => [
		time,
		bytes,
		packets,
		bytesMax,
		packetsMax,
		1,
		(3 * bytes) / 4,
		bytes / 4,
		packets,
		0,
	];
	const points = [point(120, 600, 60, 40, 4), point(240, 1200, 120, 50, 5)];
	it('makes rates of sums, fills silence between and keeps the busiest second beside', () => {
		const d = even(points, 70, 300, 60, 'bytes');
		expect(d.t).toEqual([60, 120, 180, 240]);
		expect(d.v).toEqual([null, 10, 0, 20]);
		expect(d.peak).toEqual([null, 40, 0, 50]);
		expect(even(points, 70, 300, 60, 'packets').v).toEqual([null, 1, 0, 2]);
	});
	it('tells silence from times in which Weir did not run', () => {
		const d = even(points, 0, 420, 60, 'bytes', 1, (time) => time !== 180 && time < 360);
		expect(d.v).toEqual([0, 0, 10, null, 20, 0, null]);
		expect(d.gaps).toEqual([[3, 4], [6, 7]]);
		/* what came is known, whatever else is said */
		expect(even(points, 120, 300, 60, 'bytes', 1, () => false).v).toEqual([10, null, 20]);
	});
	it('has no peak where a bucket is a second', () => {
		expect(even([point(5, 8, 1, 8, 1)], 4, 7, 1, 'bytes')).toEqual({ t: [4, 5, 6], v: [null, 8, null], in: [null, 6, null], out: [null, 2, null] });
	});
	it('leaves out points beyond the range', () => {
		expect(even([point(0, 1, 1, 1, 1), ...points], 100, 200, 60, 'bytes').v).toEqual([null, 10, null]);
	});
	it('takes the peak from minutes where nothing finer is kept, and has none where a bucket is one', () => {
		expect(even(points, 70, 300, 60, 'bytes', 60).peak).toBeUndefined();
		const d = even([point(3600, 36000, 360, 1200, 60)], 3600, 7200, 3600, 'bytes', 60);
		expect([d.v, d.peak]).toEqual([[10], [20]]);
	});
	it('adds up which way bytes went', () => {
		expect(inAndOut(points)).toEqual({ in: 1350, out: 450 });
		expect(inAndOut([])).toEqual({ in: 0, out: 0 });
	});
	it('is empty for an empty range', () => {
		expect(even(points, 60, 60, 60, 'bytes').t).toEqual([]);
	});
});

describe('when Weir ran', () => {
	const at = (time: number): SeriesPoint => [time, 0, 1, 0, 0, 0, 0, 0, 1, 0];
	it('is in the buckets that have a point, and in those that are not written yet', () => {
		const there = thereOf([at(600), at(660), at(780)], 60, 900);
		expect([540, 600, 719, 720, 779, 780, 840, 900, 901].map((s) => there?.(s))).toEqual([false, true, true, false, false, true, true, true, false]);
	});
	it('is not taken for granted long after its last point', () => {
		expect(thereOf([at(600)], 60, 5000)?.(1000)).toBe(false);
	});
	it('is not known where nothing is kept of it', () => {
		expect(thereOf([], 60, 900)).toBeUndefined();
	});
});

describe('summary', () => {
	it('takes the peak from the busiest seconds', () => {
		expect(summary({ t: [1, 2, 3], v: [null, 10, 20], peak: [null, 90, 30] })).toEqual({ now: 20, peak: 90, peakAt: 2, mean: 15 });
	});
	it('knows nothing of nothing', () => {
		expect(summary({ t: [1], v: [null] })).toEqual({ now: null, peak: null, peakAt: 0, mean: null });
	});
});

describe('scales', () => {
	it.each([
		[0, 1],
		[0.9, 1],
		[1, 1],
		[1.1, 1.2],
		[130, 150],
		[1.0e9, 1.0e9],
		[1.01e9, 1.2e9],
		[8.1e6, 1.0e7],
	])('top of %d', (max, top) => {
		expect(scaleTop(max)).toBeCloseTo(top, 6);
	});
	it('divides every top into round steps', () => {
		for (let power = 0; power < 12; power++)
			for (const m of [1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8]) {
				const top = m * 10 ** power;
				const step = ((m / scaleSteps(top)) * 100) % 1;
				expect(Math.min(step, 1 - step), `${top}`).toBeLessThan(1e-6);
			}
	});
});
