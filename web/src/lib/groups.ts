/* Groups of kept flows as the page compares them. */
import type { Answer, Group, GroupKey } from '../api/types';

type Told = Answer<'topFlows'>['groups'][number];

/** An AS is told with its name: the number alone is what it is called in filters and addresses. */
export function plain(g: Told): Group {
	const group: Record<string, GroupKey> = {};
	const names: Record<string, string> = {};
	for (const [by, key] of Object.entries(g.group as Record<string, GroupKey | { number: number; name: string | null }>)) {
		if (key === null || typeof key !== 'object') {
			group[by] = key;
			continue;
		}
		group[by] = key.number;
		if (key.name) names[by] = key.name;
	}
	return { ...g, group, names };
}
