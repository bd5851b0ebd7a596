import { describe, expect, it } from 'vitest';
import { nearest } from '../src/views/admin/parts/nearest';
import { networkWrong, settingText, yamlList } from '../src/views/admin/settings';

describe('lines of weir.yaml', () => {
	it('hold names as they are, and quote what YAML would read as something else', () => {
		expect(yamlList('interfaces', ['eth1', 'br-lan', 'eth0.12'])).toBe('interfaces: [eth1, br-lan, eth0.12]');
		expect(yamlList('interfaces', ['no', '12', 'a: b', 'x"y\\z'])).toBe('interfaces: ["no", "12", "a: b", "x\\"y\\\\z"]');
		expect(yamlList('local_networks', ['10.0.0.0/8', '2001:db8::/32'])).toBe('local_networks: [10.0.0.0/8, "2001:db8::/32"]');
	});
	it('know a network from what is none', () => {
		for (const good of ['10.0.0.0/8', '192.0.2.7', '0.0.0.0/0', '2001:db8::/32', '::1', 'fe80::/10']) expect(networkWrong(good)).toBe('');
		for (const bad of ['', 'lan', '10.0.0.0/33', '10.0.0.256/8', '10.0.0.0/', '10.0.0.0/8/8', '2001:db8::/129', '1::2::3/64']) expect(networkWrong(bad)).not.toBe('');
		expect(networkWrong('10.1.2.3/8')).toContain('10.0.0.0/8');
	});
	it('say values in units of people', () => {
		expect(settingText(2592000000, 'milliseconds')).toBe('30 d');
		expect(settingText([], null)).toBe('none');
		expect(settingText(true, null)).toBe('yes');
		expect(settingText(200000, 'count')).toBe('200,000');
	});
});

describe('what is wrong is shown at the field', () => {
	it('that is named, or the nearest that holds it', () => {
		const fields = ['name', 'access', 'access[1].networks', 'quotas.series'];
		expect(nearest('name', fields)).toBe('name');
		expect(nearest('access[1].networks[3]', fields)).toBe('access[1].networks');
		expect(nearest('access[0].role', fields)).toBe('access');
		expect(nearest('names', fields)).toBeNull();
		expect(nearest('quotas', fields)).toBeNull();
	});
});
