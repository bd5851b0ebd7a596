import { describe, expect, it } from 'vitest';
import type { GroupList } from '../src/api/types';
import { pairs, relative } from '../src/lib/compare';

const list = (of: Record<string, number>, more = 0): GroupList => ({
	now: 0,
	from: 0,
	to: 1,
	by: ['application'],
	measure: 'bytes',
	bucket: null,
	all: { groups: 0, buckets: [] },
	groups: Object.entries(of).map(([k, bytes]) => ({ group: { application: k }, names: {}, bytes, buckets: [] })),
	rest: { groups: more, buckets: [] },
});

describe('pairs', () => {
	it('begins with what changed most, in either direction', () => {
		expect(pairs(list({ TLS: 100, DNS: 50, SSH: 10 }), list({ TLS: 90, DNS: 1, NTP: 20 }), 'application', 'bytes').map((p) => [p.key, p.before, p.after, p.change])).toEqual([
			['DNS', 50, 1, -49],
			['NTP', 0, 20, 20],
			['TLS', 100, 90, -10],
			['SSH', 10, 0, -10],
		]);
	});
	it('does not call nothing what is not known', () => {
		expect(pairs(list({ TLS: 100 }, 3), list({ DNS: 5 }), 'application', 'bytes')).toEqual([
			{ key: 'TLS', before: 100, after: 0, change: -100 },
			{ key: 'DNS', before: null, after: 5, change: 5 },
		]);
	});
	it('says shares where there is something to share', () => {
		expect(relative({ before: 50, after: 75 })).toBe(0.5);
		expect(relative({ before: 0, after: 75 })).toBeNull();
		expect(relative({ before: null, after: 75 })).toBeNull();
	});
});
