/* Which rows of a long table are drawn. */

/** Rows that are drawn beyond what is seen, on each side; the window moves in steps of as many. */
const SPARE = 3;

/** Rows [first, last) of `count` for a scroller at `top` px, `seen` px high, with rows of `height` px. */
export function drawn(count: number, top: number, seen: number, height: number): [number, number] {
	const step = (n: number) => Math.floor(n / height / SPARE) * SPARE;
	const first = Math.max(0, Math.min(step(Math.max(0, top)) - SPARE, count));
	const last = Math.min(count, step(Math.max(0, top) + seen) + 2 * SPARE);
	return [first, Math.max(first, last)];
}

/** Where to scroll so that row `index` is seen whole below a head of `head` px; null: it is already. */
export function reveal(index: number, top: number, seen: number, height: number, head: number): number | null {
	const y = index * height;
	if (y < top) return y;
	const room = seen - head;
	return y + height > top + room ? y + height - room : null;
}
