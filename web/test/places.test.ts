import { describe, expect, it } from 'vitest';
import page from '../../docs/PAGE.md?raw';
import { mayDo } from '../src/lib/may';
import { placesOf } from '../src/lib/places';
import { match } from '../src/lib/routes';
import { t } from '../src/strings.admin';
import { SECTIONS } from '../src/views/admin/sections';

/* every path of menus that the guide names */
const PATHS = ['Settings > Preferences', 'Settings > Traffic Policies', 'Settings > Alerts', 'Settings > Notifications > Webhook', 'Devices > SNMP', 'Settings > SNMP', 'Settings > Users', 'Settings > Users > [Your User] > API Token'];
const rows = page.split('\n').filter((l) => /^\| (?!in the guide|-)/.test(l)).map((l) => l.split('|').slice(1, -1).map((c) => c.trim()));
const admin = (q: string) => placesOf(q, (a) => mayDo(a, 'platform-administrator', '*'));

/** Whether a view is at an address. */
function leads(address: string): boolean {
	const { view, id } = match(new URL(address, 'https://weir').pathname);
	return view !== 'missing' && (view !== 'admin' || SECTIONS.some((s) => s.name === id || s.add === id));
}

describe('where ntopng’s guide tells to click', () => {
	it('there is a view here, or it is said that there is not yet', () => {
		expect(rows.length).toBeGreaterThan(20);
		for (const [what, here, address] of rows) {
			if (address === '') expect(here, what).toMatch(/^not yet/);
			else expect(leads((address ?? '').replaceAll('`', '')), what).toBe(true);
		}
	});
	it.each(PATHS)('%s is in the table', (p) => {
		expect(page).toContain(p);
	});
});

describe('the search for views', () => {
	it('has addresses that lead somewhere', () => {
		for (const [path, title] of t.places) {
			expect(leads(path), path).toBe(true);
			expect(title).not.toBe('');
		}
	});
	it.each([
		['preferences', '/admin/settings'],
		['Settings > Users', '/admin/users'],
		['api token', '/admin/tokens'],
		['data retention', '/admin/settings'],
		['traffic policies', '/breakdown?by=category'],
		['ldap', '/admin/directory'],
		['local networks', '/welcome?step=networks'],
		['host', '/hosts'],
	])('finds %s', (q, path) => {
		expect(admin(q).map((p) => p.path)).toContain(path);
	});
	it('offers nothing that the role may not open', () => {
		const viewer = placesOf('settings', (a) => mayDo(a, 'viewer', 'acme'));
		expect(viewer.map((p) => p.path)).toEqual([]);
		expect(placesOf('', () => true)).toEqual([]);
	});
	it('begins with what begins so', () => {
		expect(admin('users')[0]?.path).toBe('/admin/users');
	});
});
