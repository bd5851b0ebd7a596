import { describe, expect, it } from 'vitest';
import { applicationPath, endPath, flowPath, groupPath, hostPath, match } from '../src/lib/routes';

describe('match', () => {
	it.each([
		['/', { view: 'dashboard', id: '' }],
		['/flows', { view: 'flows', id: '' }],
		['/flows/', { view: 'flows', id: '' }],
		['/flows/0a', { view: 'flow', id: '0a' }],
		['/hosts/10.9.0.2', { view: 'host', id: '10.9.0.2' }],
		['/hosts/2001:db8::1', { view: 'host', id: '2001:db8::1' }],
		['/breakdown', { view: 'breakdown', id: '' }],
		['/explore', { view: 'explore', id: '' }],
		['/applications/TLS.Google', { view: 'application', id: 'TLS.Google' }],
		['/interfaces/eth0.100', { view: 'interface', id: 'eth0.100' }],
		['/interfaces', { view: 'interfaces', id: '' }],
		['/compare', { view: 'compare', id: '' }],
		['/constructor/x', { view: 'missing', id: '' }],
		['/setup', { view: 'setup', id: '' }],
		['/account', { view: 'account', id: '' }],
		['/admin', { view: 'admin', id: '' }],
		['/admin/users', { view: 'admin', id: 'users' }],
		['/admin/users/a%2Fb', { view: 'admin', id: 'users/a%2Fb' }],
		['/admin/users/a/b', { view: 'missing', id: '' }],
		['/welcome', { view: 'welcome', id: '' }],
		['/nothing', { view: 'missing', id: '' }],
		['/system/x', { view: 'missing', id: '' }],
		['/hosts/a/b', { view: 'missing', id: '' }],
		['/hosts/%E0%A4%A', { view: 'host', id: '%E0%A4%A' }],
	])('%s', (path, route) => {
		expect(match(path)).toEqual(route);
	});
});

describe('paths', () => {
	it('lead back to what they were made of', () => {
		for (const name of ['TLS.Google', 'a/b', 'c d', 'x?y#z', '..', '日本'])
			if (name !== '..') expect(match(new URL(applicationPath(name), 'https://weir.example').pathname)).toEqual({ view: 'application', id: name });
		expect(hostPath({ ip: '2001:db8::1' })).toBe('/hosts/2001:db8::1');
		expect(flowPath('00ff')).toBe('/flows/00ff');
	});
	it('lead to what a group is of, where it has a view', () => {
		expect(groupPath('client_ip', '10.0.0.1')).toBe('/hosts/10.0.0.1');
		expect(groupPath('client_ip', '10.0.0.0/8')).toBeNull();
		expect(groupPath('as', 64500)).toBe('/breakdown?by=as&key=64500');
		expect(groupPath('application', null)).toBeNull();
		expect(groupPath('dscp', 0)).toBeNull();
	});
	it('carry VLAN and address space only where there are any', () => {
		expect(hostPath({ ip: '10.0.0.1', vlan: 0, address_space: 0 })).toBe('/hosts/10.0.0.1');
		expect(endPath({ vlan: [12, 7], address_space: 3 }, '10.0.0.1')).toBe('/hosts/10.0.0.1?vlan=12&space=3');
	});
});
