/* Logs in and out at an identity provider, through the page:
 *   node oidc.mjs --base URL --issuer URL --label TEXT --name NAME --login-name NAME@DOMAIN [--refused | --made-by NAME --password TEXT] [--interactive]
 * made-by: this administrator makes the account first, with rights beside those of its owner's groups.
 * interactive: the provider asks for a name, and whether a logout is meant, as npm's oidc-provider does. */
import { parseArgs } from 'node:util';
import * as admin from './admin.mjs';
import { check, openBrowser, Run } from './lib.mjs';
import * as steps from './steps.mjs';

const { values: o } = parseArgs({
	options: {
		base: { type: 'string' },
		issuer: { type: 'string' },
		label: { type: 'string' },
		name: { type: 'string' },
		'login-name': { type: 'string' },
		refused: { type: 'boolean', default: false },
		'made-by': { type: 'string' },
		password: { type: 'string' },
		interactive: { type: 'boolean', default: false },
		screenshots: { type: 'string' },
	},
});

const browser = await openBrowser();
const run = new Run({ browser, base: o.base, link: o.issuer, screenshots: o.screenshots ?? null });

async function answerProvider(page) {
	if (!o.interactive) return;
	await page.fill('input[name=login]', o.name);
	await page.fill('input[name=password]', 'anything');
	await page.click('button[type=submit]');
}

async function isIn(page) {
	await page.waitForSelector('header nav');
	check((await page.textContent('header .user')).trim() === o.name, 'somebody else is in');
	const cookies = await run.context.cookies(o.base);
	const session = cookies.find((c) => c.name === '__Host-weir');
	check(session?.sameSite === 'Strict' && session.httpOnly && session.secure, `the session's cookie is ${JSON.stringify({ ...session, value: '' })}`);
	check(!cookies.some((c) => c.name === '__Host-weir-login'), 'the cookie of the login is still there');
	check(!/login=|code=|state=/.test(page.url()), `something is left in the address: ${page.url()}`);
}

if (o['made-by']) {
	await run.test('an account is made before its owner comes', async () => {
		await steps.login(run, { name: o['made-by'], password: o.password });
		await admin.providersUser(run, { name: o.name, provider: 'corp', label: o.label, tenant: 'guests' });
		await admin.directory(run, { groups: [['noc', 'operators', 'operator'], ['readers', 'viewers', 'viewer'], ['noc', 'guests', 'viewer']], servers: ['corp', 'other'], there: [[o.name, 'waits', 'first login', 0]] });
	});
	await run.test('and he comes in with what he was given, beside what his groups give', async () => {
		const page = await run.fresh();
		await page.goto(`${run.base}/account`);
		await page.click(`[data-provider] >> text=${o.label}`);
		await isIn(page);
		await run.until('it is a viewer of guests', () => /viewer/.test(document.querySelector('main').innerText) && /guests/.test(document.querySelector('main').innerText));
	});
	await run.test('since then it is told what the provider said of him', async () => {
		await steps.login(run, { name: o['made-by'], password: o.password });
		await run.page.goto(`${run.base}/admin/directory`);
		await run.page.fill('[data-test=directory-name]', o.name);
		await run.page.keyboard.press('Enter');
		await run.until('his identifier', (n) => document.querySelector('[data-test=directory-person][data-verdict=right]')?.innerText.includes(`sub-${n}`), o.name);
	});
} else if (o.refused) {
	await run.test('login that is refused is said, and no more', async () => {
		const page = await run.fresh();
		await page.goto(o.base);
		await page.click(`[data-provider] >> text=${o.label}`);
		await answerProvider(page);
		await run.until('the refusal', () => /not accepted/.test(document.querySelector('[data-test=message]')?.textContent ?? ''));
		check(!page.url().includes('login='), `something is left in the address: ${page.url()}`);
		check((await page.locator('#password').count()) === 1, 'others cannot log in any more');
	});
} else {
	await run.test('login by the button, and back to where one was', async () => {
		const page = await run.fresh();
		await page.goto(`${run.base}/hosts`);
		await page.waitForSelector('[data-provider]');
		await run.axe('log-in with a provider');
		await run.shot('login-provider');
		await page.click(`[data-provider] >> text=${o.label}`);
		await answerProvider(page);
		await isIn(page);
		check(new URL(page.url()).pathname === '/hosts', `login leads to ${page.url()}`);
		await page.reload(); /* from here on the strict cookie comes along */
		await isIn(page);
	});
	await run.test('logging out goes on at the provider, and comes home', async () => {
		const { page } = run;
		const told = page.waitForRequest((r) => r.url().startsWith(o.issuer) && r.url().includes('post_logout_redirect_uri='));
		await page.click('text=Log out');
		await told;
		if (o.interactive) await page.click('text=Yes, sign me out');
		await page.waitForSelector('#password');
		check(page.url().startsWith(run.base), `it ends at ${page.url()}`);
		check(!(await run.context.cookies(o.base)).some((c) => c.name === '__Host-weir'), 'the session is still there');
	});
	await run.test('login by a name of its domain, without a password', async () => {
		const page = await run.fresh();
		await page.goto(run.base);
		await page.fill('#name', o['login-name']);
		await page.press('#name', 'Tab');
		await page.waitForSelector('[data-test=chosen]');
		check((await page.locator('#password').count()) === 0, 'a password is asked for');
		await page.click('button[type=submit]');
		await answerProvider(page);
		await isIn(page);
	});
}
/* what the provider's own pages load, or lack, is its own */
run.complaints = run.complaints.filter((c) => !c.includes(o.issuer) && !(o.interactive && c.includes('fonts.googleapis.com')));
await run.test('no error in the console, no broken policy, nothing from elsewhere', () => steps.noComplaints(run));
await browser.close();
process.exit(run.summary());
