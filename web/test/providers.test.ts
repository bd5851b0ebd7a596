import { describe, expect, it } from 'vitest';
import type { Setting } from '../src/api/admin';
import { feeds, providersOf, providerText } from '../src/views/admin/providers';

const set = (key: string, value: Setting['value']): Setting => ({ key, value, default: value, unit: null, min: null, max: null, help: '' });
const DN = 'cn=night,ou=groups,dc=example,dc=com';
const SETTINGS = [
	set('ldap.servers', ['ldaps://ldap.example.com']),
	set('ldap.groups', [`${DN} => night-shift`, 'noc => operators']),
	set('oidc.1.name', 'corp'),
	set('oidc.1.label', 'Corporate login'),
	set('oidc.1.issuer', 'https://login.example.com/realms/noc'),
	set('oidc.1.groups', ['night=>night-shift']),
	set('oidc.1.tenants', ['acme']),
	set('oidc.2.name', 'acme-id'),
	set('oidc.2.label', ''),
];

describe('who judges logins beside Weir', () => {
	it('is what the settings name, in their order', () => {
		const p = providersOf(SETTINGS);
		expect(p.map((x) => x.name)).toEqual(['ldap', 'corp', 'acme-id']);
		expect(p.map((x) => x.label)).toEqual(['LDAP directory', 'Corporate login', 'acme-id']);
		expect(p[0]?.groups).toEqual([{ theirs: DN, ours: 'night-shift' }, { theirs: 'noc', ours: 'operators' }]);
		expect(p[1]).toMatchObject({ where: ['https://login.example.com/realms/noc'], groups: [{ theirs: 'night', ours: 'night-shift' }], tenants: ['acme'] });
	});
	it('is nobody where nothing is configured', () => {
		expect(providersOf([set('ldap.servers', []), set('ldap.groups', ['a => b']), set('oidc.1.name', '')])).toEqual([]);
	});
	it('is called as people call it, also when it is not configured any more', () => {
		expect(providerText('corp', providersOf(SETTINGS))).toBe('Corporate login');
		expect(providerText('gone')).toBe('gone');
		expect(providerText('ldap')).toBe('LDAP directory');
	});
	it('fills the groups that its lines name', () => {
		expect(feeds('night-shift', providersOf(SETTINGS)).map(([p, g]) => [p.name, g])).toEqual([['ldap', DN], ['corp', 'night']]);
		expect(feeds('nobody', providersOf(SETTINGS))).toEqual([]);
	});
});
