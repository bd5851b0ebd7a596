import { describe, expect, it } from 'vitest';
import { table } from '../src/lib/csv';
import { only } from '../src/lib/explore';

describe('a group as a filter', () => {
	it.each([
		['client_ip', '10.0.0.1', 'src ip 10.0.0.1'],
		['client_ip', '203.0.113.0/24', 'src net 203.0.113.0/24'],
		['ip', '2001:db8::1', 'ip 2001:db8::1'],
		['application', 'TLS.Google', 'app "TLS.Google"'],
		['risk', 'Known Proto on Non Std Port', 'risk "Known Proto on Non Std Port"'],
		['server_port', 443, 'dst port 443'],
		['protocol', 'UDP-Lite', 'proto UDP-Lite'],
	] as const)('%s %s', (by, key, filter) => expect(only(by, key)).toBe(filter));
	it('has none for what is unknown or cannot be written', () => {
		expect(only('application', null)).toBeNull();
		expect(only('server_name', 'a" or any "')).toBeNull();
		expect(only('protocol', 'a or b')).toBeNull();
	});
});

describe('csv', () => {
	it('quotes, and makes no formula', () => {
		expect(table(['name', 'bytes'], [['a,"b"', 1], ['=cmd()', 2], [null, 3]])).toBe('name,bytes\r\n"a,""b""",1\r\n\'=cmd(),2\r\n,3\r\n');
	});
});
