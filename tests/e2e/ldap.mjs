/* People of a directory log in and out through the page, and an administrator has one explained:
 *   node ldap.mjs --base URL --name NAME --password TEXT --role ROLE --outsider NAME --admin NAME --admin-password TEXT
 * outsider: somebody of the directory with the same password, who is in no group that the settings name. */
import { parseArgs } from 'node:util';
import * as admin from './admin.mjs';
import { check, openBrowser, Run } from './lib.mjs';
import * as steps from './steps.mjs';

const { values: o } = parseArgs({
	options: {
		base: { type: 'string' },
		name: { type: 'string' },
		password: { type: 'string' },
		role: { type: 'string' },
		outsider: { type: 'string' },
		admin: { type: 'string' },
		'admin-password': { type: 'string' },
		screenshots: { type: 'string' },
	},
});

const browser = await openBrowser();
const run = new Run({ browser, base: o.base, screenshots: o.screenshots ?? null });

await run.test('a wrong password is called wrong', () => steps.wrongPassword(run, { name: o.name, password: o.password }));
await run.test('and so is the right one of somebody who is in no group', async () => {
	const page = await run.fresh();
	await page.goto(run.base);
	await page.fill('#name', o.outsider);
	await page.fill('#password', o.password);
	await page.click('button[type=submit]');
	await run.until('the refusal', () => (document.querySelector('[data-test=message]')?.textContent ?? '').trim() === 'Name or password is wrong.');
});
await run.test('login with the password of the directory, as what its groups give', async () => {
	await steps.login(run, { name: o.name, password: o.password }, '/account');
	check((await run.page.textContent('header .user')).trim() === o.name, 'somebody else is in');
	await run.until('the role', (r) => document.querySelector('main').innerText.includes(r), o.role);
});
await run.test('logout', () => steps.logout(run));
await run.test('an administrator has both explained', async () => {
	await steps.login(run, { name: o.admin, password: o['admin-password'] });
	await admin.directory(run, { there: [[o.name, 'right', 'comes in, if the password is right', 2], [o.outsider, 'right', 'does not come in', 2]] });
});
await run.test('no error in the console, no broken policy, nothing from elsewhere', () => steps.noComplaints(run));
await browser.close();
process.exit(run.summary());
