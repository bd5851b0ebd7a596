/* Groups of two periods beside each other. */
import type { GroupKey, GroupList } from '../api/types';

export interface Pair {
	key: GroupKey;
	/** null: not known, as that period had more groups than were asked for */
	before: number | null;
	after: number | null;
	/** after less before; what is not known counts as nothing */
	change: number;
}

function values(list: GroupList, by: string, measure: string): Map<GroupKey, number> {
	return new Map(list.groups.map((g) => [g.group[by] ?? null, (g as unknown as Record<string, number>)[measure] ?? 0]));
}

/** Those that changed most first. */
export function pairs(before: GroupList, after: GroupList, by: string, measure: string): Pair[] {
	const a = values(before, by, measure);
	const b = values(after, by, measure);
	const unknownA = before.rest.groups > 0 ? null : 0;
	const unknownB = after.rest.groups > 0 ? null : 0;
	const list: Pair[] = [];
	for (const key of new Set([...a.keys(), ...b.keys()])) {
		const was = a.get(key) ?? unknownA;
		const is = b.get(key) ?? unknownB;
		list.push({ key, before: was, after: is, change: (is ?? 0) - (was ?? 0) });
	}
	return list.sort((x, y) => Math.abs(y.change) - Math.abs(x.change));
}

/** Share of what it was; null: it was nothing, or is not known. */
export function relative(p: { before: number | null; after: number | null }): number | null {
	if (p.before === null || p.after === null || p.before === 0) return null;
	return (p.after - p.before) / p.before;
}
