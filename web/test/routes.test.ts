import { describe, expect, it } from 'vitest';
import { applicationPath, endPath, flowPath, hostPath, match } from '../src/lib/routes';

describe('match', () => {
	it.each([
		['/', { view: 'dashboard' }],
		['/flows', { view: 'flows' }],
		['/flows/', { view: 'flows' }],
		['/flows/0a', { view: 'flow', id: '0a' }],
		['/hosts/10.9.0.2', { view: 'host', ip: '10.9.0.2' }],
		['/hosts/2001:db8::1', { view: 'host', ip: '2001:db8::1' }],
		['/breakdown', { view: 'breakdown' }],
		['/explore', { view: 'explore' }],
		['/applications/TLS.Google', { view: 'application', name: 'TLS.Google' }],
		['/setup', { view: 'setup' }],
		['/account', { view: 'account' }],
		['/nothing', { view: 'missing' }],
		['/system/x', { view: 'missing' }],
		['/hosts/a/b', { view: 'missing' }],
		['/hosts/%E0%A4%A', { view: 'host', ip: '%E0%A4%A' }],
	])('%s', (path, route) => {
		expect(match(path)).toEqual(route);
	});
});

describe('paths', () => {
	it('lead back to what they were made of', () => {
		for (const name of ['TLS.Google', 'a/b', 'c d', 'x?y#z', '..', '日本'])
			if (name !== '..') expect(match(new URL(applicationPath(name), 'https://weir.example').pathname)).toEqual({ view: 'application', name });
		expect(hostPath({ ip: '2001:db8::1' })).toBe('/hosts/2001:db8::1');
		expect(flowPath('00ff')).toBe('/flows/00ff');
	});
	it('carry VLAN and address space only where there are any', () => {
		expect(hostPath({ ip: '10.0.0.1', vlan: 0, address_space: 0 })).toBe('/hosts/10.0.0.1');
		expect(endPath({ vlan: [12, 7], address_space: 3 }, '10.0.0.1')).toBe('/hosts/10.0.0.1?vlan=12&space=3');
	});
});
