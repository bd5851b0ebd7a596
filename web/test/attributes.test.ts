import { expect, test } from 'vitest';
import type { Flow } from '../src/api/types';
import { attributesOf } from '../src/lib/attributes';

const flow = (part: object) => part as Flow;

test('groups without anything known are left out', () => {
	expect(attributesOf(flow({ tls: null, http: { method: null, status: null }, dns: undefined }))).toEqual([]);
});

test('known values are shown as they are, in order', () => {
	const got = attributesOf(flow({ http: { method: 'GET', status: 200, url: '<script>alert(1)</script>' }, tls: { version: 'TLSv1.3', alpn: null } }));
	expect(got).toEqual([
		{ group: 'tls', lines: [{ key: 'version', value: 'TLSv1.3' }] },
		{
			group: 'http',
			lines: [
				{ key: 'method', value: 'GET' },
				{ key: 'status', value: '200' },
				{ key: 'url', value: '<script>alert(1)</script>' },
			],
		},
	]);
});

test('validity of a certificate is a date', () => {
	const [tls] = attributesOf(flow({ tls: { not_after: 1700000000 } }));
	expect(tls?.lines[0]?.value).toMatch(/2023/);
});
