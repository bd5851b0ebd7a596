import { expect, test } from 'vitest';
import { plain } from '../src/lib/groups';

test('an AS is its number, and its name stands beside it', () => {
	const g = plain({ group: { as: { number: 15169, name: 'Google' }, application: 'TLS', vlan: 7, country: null }, bytes: 5, buckets: [] });
	expect(g.group).toEqual({ as: 15169, application: 'TLS', vlan: 7, country: null });
	expect(g.names).toEqual({ as: 'Google' });
	expect(g.bytes).toBe(5);
	expect(plain({ group: { as: { number: 0, name: null } }, buckets: [] })).toMatchObject({ group: { as: 0 }, names: {} });
});
