/* Series as the charts draw them: a ring of seconds for live numbers, and buckets of history made even. */
import type { SeriesPoint } from '../api/types';

export interface Drawn {
	t: number[];
	v: (number | null)[];
	/** busiest second of each bucket; absent where a bucket is a second */
	peak?: (number | null)[];
	/** the parts of v, where they are told apart */
	in?: (number | null)[];
	out?: (number | null)[];
	/** buckets of which nothing is known, as Weir did not run: [first, behind the last] */
	gaps?: [number, number][];
}

/** Whether Weir ran at a time. */
export type There = (time: number) => boolean;

/** The newest minute of it may not be over, or not be written yet. */
const LATE_S = 180;

/**
 * From the series that has a point in each of its buckets in which Weir ran. undefined: it says nothing (nothing is kept of it for this time).
 * now: up to when Weir is known to run, which has just answered.
 */
export function thereOf(points: readonly SeriesPoint[], resolution: number, now: number): There | undefined {
	if (points.length === 0) return undefined;
	const ran = new Set(points.map((p) => Math.floor(p[0] / resolution)));
	const last = (points.at(-1) as SeriesPoint)[0] + resolution;
	return (time) => ran.has(Math.floor(time / resolution)) || (time >= last && time <= now && now - last < LATE_S + resolution);
}

export type Column = 'bytes' | 'packets';

/** The last `size` seconds of one subject. Seconds come in any order; a later word on a second replaces the earlier one. */
export class SecondRing {
	readonly size: number;
	private stamp: Float64Array;
	private byteCount: Float64Array;
	private packetCount: Float64Array;
	private first = Number.POSITIVE_INFINITY;
	/** when Weir ran, where it is known */
	there: There | undefined;

	constructor(size: number) {
		this.size = size;
		this.stamp = new Float64Array(size).fill(-1);
		this.byteCount = new Float64Array(size);
		this.packetCount = new Float64Array(size);
	}

	put(second: number, bytes: number, packets: number): void {
		const s = Math.floor(second);
		const at = s % this.size;
		if (s < 0 || (this.stamp[at] as number) > s) return;
		this.stamp[at] = s;
		this.byteCount[at] = bytes;
		this.packetCount[at] = packets;
		if (s < this.first) this.first = s;
	}

	/**
	 * Seconds [end - length + 1, end]. A silent second between known ones is 0 (the server leaves it out), one before
	 * the first known, or in which Weir did not run, is unknown.
	 */
	window(end: number, length: number, column: Column): Drawn {
		const n = Math.min(length, this.size);
		const last = Math.floor(end);
		const from = column === 'bytes' ? this.byteCount : this.packetCount;
		const d: Drawn = { t: new Array(n), v: new Array(n) };
		for (let i = 0; i < n; i++) {
			const s = last - n + 1 + i;
			const at = ((s % this.size) + this.size) % this.size;
			d.t[i] = s;
			d.v[i] = this.stamp[at] === s ? (from[at] as number) : s >= this.first && this.there?.(s) !== false ? 0 : null;
		}
		if (this.there !== undefined) d.gaps = gapsOf(d, this.there);
		return d;
	}
}

/** Stretches without a value in which Weir did not run. */
export function gapsOf(d: Drawn, there: There): [number, number][] {
	const gaps: [number, number][] = [];
	for (let i = 0; i < d.t.length; i++) {
		if (d.v[i] !== null || there(d.t[i] as number)) continue;
		const last = gaps.at(-1);
		if (last?.[1] === i) last[1] = i + 1;
		else gaps.push([i, i + 1]);
	}
	return gaps;
}

/**
 * History as an even row of buckets over [from, to): rates a second, with the busiest second (finest 60: minute) beside
 * them. A bucket without a point is silence where Weir ran, else a gap; where that is not known, silence between what is known.
 */
export function even(points: SeriesPoint[], from: number, to: number, resolution: number, column: Column, finest: 1 | 60 = 1, there?: There): Drawn {
	const start = Math.floor(from / resolution) * resolution;
	const n = Math.max(0, Math.ceil((to - start) / resolution));
	const d: Drawn = { t: new Array(n), v: new Array(n).fill(null) };
	const peak: (number | null)[] = new Array(n).fill(null);
	const [sum, max, inner, outer] = column === 'bytes' ? [1, 3, 6, 7] : [2, 4, 8, 9];
	const way: { in: (number | null)[]; out: (number | null)[] } = { in: new Array(n).fill(null), out: new Array(n).fill(null) };
	let firstKnown = n;
	let lastKnown = -1;
	for (let i = 0; i < n; i++) d.t[i] = start + i * resolution;
	for (const p of points) {
		const i = Math.floor((p[0] - start) / resolution);
		if (i < 0 || i >= n) continue;
		d.v[i] = (p[sum as 1] ?? 0) / resolution;
		peak[i] = (p[max as 3] ?? 0) / finest;
		way.in[i] = (p[inner as 6] ?? 0) / resolution;
		way.out[i] = (p[outer as 7] ?? 0) / resolution;
		if (i < firstKnown) firstKnown = i;
		if (i > lastKnown) lastKnown = i;
	}
	for (let i = there === undefined ? firstKnown : 0; i < (there === undefined ? lastKnown : n); i++) {
		if (d.v[i] === null && there?.(d.t[i] as number) !== false) {
			d.v[i] = 0;
			peak[i] = 0;
			way.in[i] = 0;
			way.out[i] = 0;
		}
	}
	if (resolution > finest) d.peak = peak;
	d.in = way.in;
	d.out = way.out;
	if (there !== undefined) d.gaps = gapsOf(d, there);
	return d;
}

/** Bytes that came in and went out in all. */
export function inAndOut(points: SeriesPoint[]): { in: number; out: number } {
	const sum = { in: 0, out: 0 };
	for (const p of points) {
		sum.in += p[6];
		sum.out += p[7];
	}
	return sum;
}

export interface Summary {
	now: number | null;
	peak: number | null;
	peakAt: number;
	mean: number | null;
}

export function summary(d: Drawn): Summary {
	const s: Summary = { now: null, peak: null, peakAt: 0, mean: null };
	let sum = 0;
	let n = 0;
	for (let i = 0; i < d.v.length; i++) {
		const v = d.v[i];
		if (v === null || v === undefined) continue;
		const p = d.peak?.[i] ?? v;
		sum += v;
		n++;
		s.now = v;
		if (s.peak === null || p > s.peak) {
			s.peak = p;
			s.peakAt = d.t[i] as number;
		}
	}
	if (n > 0) s.mean = sum / n;
	return s;
}

/** The top of a scale from 0: 1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10 times a power of ten. */
export function scaleTop(max: number): number {
	if (!(max > 0)) return 1;
	const power = 10 ** Math.floor(Math.log10(max));
	for (const m of [1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10]) if (max <= m * power * 1.0000001) return m * power;
	return 10 * power;
}

/** How many even steps a scale with such a top has: each is a number that people read at a glance. */
export function scaleSteps(top: number): number {
	const mantissa = Math.round((top / 10 ** Math.floor(Math.log10(top) + 1e-9)) * 10);
	return { 10: 4, 12: 4, 15: 3, 20: 4, 25: 5, 30: 3, 40: 4, 50: 5, 60: 3, 80: 4 }[mantissa] ?? 4;
}
