import { describe, expect, it } from 'vitest';
import page from '../../docs/ROLES.md?raw';
import { ACTIONS, givable, mayDo, reach, ROLES } from '../src/lib/may';

function table(begin: string): Map<string, string[]> {
	const lines = page.split('\n');
	const at = lines.findIndex((l) => l.startsWith(begin));
	const out = new Map<string, string[]>();
	for (const l of lines.slice(at + 1)) {
		const [action, ...cells] = l.trim().split(/\s+/);
		if (action === undefined || !action.includes(':')) break;
		out.set(action, cells.map((c) => c.replaceAll('.', '')));
	}
	return out;
}

describe('what a role may do', () => {
	for (const [begin, all] of [
		['for a tenant', false],
		['for all', true],
	] as const)
		it(`is what docs/ROLES.md says, ${begin}`, () => {
			const t = table(begin);
			expect([...t.keys()].sort()).toEqual([...ACTIONS].sort());
			for (const a of ACTIONS) expect(ROLES.map((r) => reach(a, r, all))).toEqual(t.get(a));
		});
	it('is nothing for a role that is not known', () => {
		expect(mayDo('audit:read', 'owner', '*')).toBe(false);
	});
	it('gives only what it reaches', () => {
		expect(givable('tenant-administrator', 'acme')).not.toContain('platform-administrator');
		expect(givable('platform-administrator', 'acme')).not.toContain('platform-administrator');
		expect(givable('platform-administrator', '*')).toContain('platform-administrator');
		expect(givable('auditor', '*')).toEqual([]);
	});
});
