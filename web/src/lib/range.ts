/* The time that a view shows, as its address has it: last=SECONDS up to now, or from= and to= in Unix seconds. */

export interface Range {
	/** seconds up to now that move with it; null: from and to stand still */
	last: number | null;
	from: number;
	to: number;
}

/** Seconds that a live chart shows. */
export const LIVE = 300;
export const PRESETS = [LIVE, 3600, 86400, 7 * 86400, 30 * 86400] as const;
/** Of what is kept, which has no seconds to show live. */
export const HISTORY = [900, 3600, 86400, 7 * 86400, 30 * 86400] as const;
/** No chart shows less. */
export const SHORTEST = 10;
const LONGEST = 3 * 365 * 86400;

/**
 * now: the newest time that there is; usual: seconds, where the address says nothing; whole: what capture files hold, which is
 * shown then (null: live).
 */
export function rangeOf(params: URLSearchParams, now: number, usual: number, whole: [number, number] | null = null): Range {
	const from = Number(params.get('from') ?? 0);
	const to = Number(params.get('to') ?? 0);
	if (from > 0 && to > from && to - from <= LONGEST) return { last: null, from, to };
	const last = Number(params.get('last') ?? 0);
	if (last >= SHORTEST && last <= LONGEST) return { last, from: now - last, to: now };
	if (whole !== null) return { last: null, from: Math.floor(whole[0]), to: Math.ceil(whole[1]) + 1 };
	return { last: usual, from: now - usual, to: now };
}

/** What the address gets for a time that stands still. */
export function fixed(from: number, to: number): { last: null; from: string; to: string } {
	const a = Math.floor(from);
	return { last: null, from: String(a), to: String(Math.max(a + SHORTEST, Math.ceil(to))) };
}

/** Twice the time around the same middle, not beyond now. */
export function wider(from: number, to: number, now: number): [number, number] {
	const more = (to - from) / 2;
	const end = Math.min(to + more, Math.max(now, to));
	return [Math.max(1, end - 2 * (to - from)), end];
}
