import { describe, expect, it } from 'vitest';
import kinds from '../../audit/kind.def?raw';
import { t } from '../src/strings.admin';

describe('kinds of audit entries', () => {
	it('all have words', () => {
		const names = [...kinds.matchAll(/^AUDIT_KIND\(\w+,\s*\d+,\s*"(\w+)"\)/gm)].map((m) => m[1] as string);
		expect(names.length).toBeGreaterThan(30);
		expect(Object.keys(t.audit.kinds).sort()).toEqual([...names].sort());
	});
});
