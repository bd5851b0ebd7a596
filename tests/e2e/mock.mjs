/*
 * The page alone, against the mock of the API: everything of run.mjs, and what a page has to live through. The parts run beside each other, each
 * with a mock of its own.
 */
import { fileURLToPath } from 'node:url';
import { start } from '../../web/mock/server.mjs';
import * as admin from './admin.mjs';
import { check, openBrowser, Run } from './lib.mjs';
import * as steps from './steps.mjs';

const who = { name: 'admin', password: 'correct horse battery' };
const browser = await openBrowser();
const screenshots = process.argv[2] ?? fileURLToPath(new URL('screenshots', import.meta.url));

function control(m, what, body = {}) {
	return fetch(`${m.base}/mock/${what}`, { method: 'POST', body: JSON.stringify(body) });
}

/** The first start, through its link. */
async function firstStart(run, live) {
	const link = `${live.base}/setup#mock-secret`;
	await run.test('set-up that is open says where the link is', () => steps.unlinked(run));
	await run.test('a link with a wrong secret is refused in words', async () => {
		const page = await run.fresh();
		await page.goto(`${live.base}/setup#something`);
		await page.fill('#name', 'admin');
		await page.fill('#password', who.password);
		await page.fill('#again', who.password);
		await page.keyboard.press('Enter');
		await run.until('the refusal', () => /link is not valid/.test(document.querySelector('[data-test=message]')?.textContent ?? ''));
	});
	await run.test('set-up through the link', () => steps.setup(run, { ...who, link }));
	await run.test('the link is used up', () => steps.linkIsUsedUp(run, { link }));
	await run.test('set-up: no complaints', () => steps.noComplaints(run));
}

/** Traffic as it is looked at, and what happens while one looks. */
async function traffic(run, live) {
	await run.test('a wrong password is called wrong', () => steps.wrongPassword(run, who));
	await run.test('too many attempts: the page counts down and lets in again', async () => {
		const page = await run.fresh();
		await page.goto(live.base);
		for (let i = 0; i < 9 && !/Too many/.test((await page.textContent('[data-test=message]').catch(() => '')) ?? ''); i++) {
			await page.fill('#name', 'admin');
			await page.fill('#password', 'wrong');
			await page.click('button[type=submit]');
			await run.until('an answer', () => document.querySelector('[data-test=message]').textContent !== '');
		}
		check(await page.isDisabled('button[type=submit]'), 'the button is not held back');
		await run.until('the button again', () => !document.querySelector('button[type=submit]').disabled);
	});
	await run.test('login leads to where the address points', () => steps.login(run, who, '/hosts'));
	await run.test('throughput moves', () => steps.throughputMoves(run));
	await run.test('expected names', () => steps.names(run, { applications: ['TLS', 'DNS'], hosts: ['10.9.0.2'], serverNames: ['www.example.com'] }));
	await run.test('the dashboard is filled', () => steps.dashboard(run, { applications: ['TLS'] }));
	await run.test('every view opens', () => steps.views(run));
	await run.test('hosts, applications and flows are links that last', () => steps.entities(run, { host: '10.9.0.21' }));
	await run.test('flows: filter, pause, sort', () => steps.filters(run));
	await run.test('tables: keys and columns', () => steps.tables(run));
	await run.test('charts: zoom, both directions, standing still', () => steps.charts(run));
	await run.test('interfaces, countries, two periods', () => steps.places(run));
	await run.test('search and keys', () => steps.search(run, { text: 'nas', path: '/hosts/10.9.0.2' }));
	await run.test('search finds views by what ntopng calls them', () => steps.search(run, { text: 'preferences', path: '/admin/settings' }));
	await run.test('search finds a MAC address', () => steps.finds(run, '02:00:5e:00:53:10', '/hosts/10.9.0.2'));
	await run.test('search finds an AS', () => steps.finds(run, 'AS 64500', '/breakdown?by=as&key=64500'));
	await run.test('what ntopng\'s guide tells to click is there', () => steps.guidePaths(run));
	await run.test('search from every view', () => steps.searchEverywhere(run));
	await run.test('labels', () => steps.labels(run, { host: '10.9.0.40' }));
	await run.test('labels of interfaces and networks', () => steps.otherLabels(run, { point: 'lan0', network: '192.168.1.0/24' }));
	await run.test('an answer that is slower than events is waited for', () => steps.slowAnswers(run, { application: 'TLS' }));
	await run.test('charts: a cursor for all', () => steps.sharedCursor(run, { host: '10.9.0.21' }));
	await run.test('copy buttons', () => steps.copies(run, { host: '10.9.0.21' }));
	await run.test('a time is typed as it is shown, or as so long ago', () => steps.moments(run));
	await run.test('watched', () => steps.watched(run, { host: '10.9.0.40' }));
	await run.test('one interface: chart, hosts and flows are of it', async () => {
		const { page } = run;
		await page.goto(`${live.base}/`);
		await page.click('[data-interface=wan0]');
		await run.until('the title names it', () => /wan0/.test(document.querySelector('.title h2').textContent));
		await page.waitForSelector('[data-test=flows] [data-row]');
		check(new URL(page.url()).search === '?interface=wan0', page.url());
	});
	await run.test('a dead process: told when it died, told when it is back', async () => {
		const text = await steps.restartIsTold(run, 'engine@0', { ready: () => control(live, 'kill', { component: 'engine@0' }) });
		check(/killed by SIGKILL/.test(text), text);
		await run.page.click('[data-notice=restarted] button');
		await run.until('dismissed', () => document.querySelector('[data-notice=restarted]') === null);
	});
	await run.test('the store away: told, and numbers go on', async () => {
		const { page } = run;
		await page.goto(`${live.base}/`);
		await steps.onDashboard(run);
		await control(live, 'unavailable', { ms: 2500 });
		await page.waitForSelector('[data-notice=unavailable]');
		await page.waitForSelector('[data-notice=unavailable]', { state: 'detached' });
		await page.waitForSelector('[data-notice=restarted][data-component="store@0"]');
	});
	await run.test('the server away: told, and the page comes back by itself', async () => {
		const { page } = run;
		await page.goto(`${live.base}/`);
		await steps.onDashboard(run);
		await control(live, 'down', { ms: 2500 });
		await page.waitForSelector('[data-notice=lost]');
		await run.axe('connection lost');
		await run.shot('lost');
		await page.waitForSelector('[data-notice=lost]', { state: 'detached' });
		await run.until('live again', () => document.querySelector('header .status.live') !== null);
	});
	await run.test('the server away when the page is opened', async () => {
		const { page } = run;
		await page.goto(`${live.base}/`);
		await steps.onDashboard(run);
		await page.route('**/api/v1/**', (r) => r.abort());
		await page.reload();
		await page.waitForSelector('text=Connection lost');
		await page.unroute('**/api/v1/**');
		await steps.onDashboard(run);
	});
	await run.test('an ended session: login, then where one was', async () => {
		const { page } = run;
		await page.goto(`${live.base}/hosts/10.9.0.2?x=1`);
		await run.until('the host', () => document.querySelector('main dl') !== null);
		await control(live, 'expire');
		await page.waitForSelector('#password');
		check(/session has ended/.test(await page.textContent('main')), 'it is not said why');
		check(!(await page.isVisible('main dl')), 'what was being looked at can still be seen');
		await page.fill('#name', who.name);
		await page.fill('#password', who.password);
		await page.keyboard.press('Enter');
		await run.until('the host again', () => document.querySelector('main dl') !== null);
		check(page.url().endsWith('/hosts/10.9.0.2?x=1'), page.url());
	});
	await run.test('loss and degraded history stand out', async () => {
		const { page } = run;
		await page.goto(`${live.base}/`);
		await steps.onDashboard(run);
		await control(live, 'loss', { count: 1234 });
		await control(live, 'history', { status: 'degraded', why: 'the disk is full' });
		await run.until('the loss', () => /1,234 lost/.test(document.querySelector('[data-test=loss]').innerText));
		await page.waitForSelector('[data-notice=history]');
		await run.axe('loss');
		await run.shot('loss');
		await page.goto(`${live.base}/system`);
		await page.waitForSelector('[data-test=sys-drops] .lost');
		await control(live, 'history', { status: 'ok', why: null });
	});
	await run.test('a long name takes two lines at most, and is in its title', async () => {
		const { page } = run;
		const long = 'a-very-long-name-that-somebody-gave-to-a-printer-in-the-basement.example.com';
		for (const h of live.world.hosts.values()) h.names = [long];
		await page.goto(`${live.base}/`);
		await page.waitForSelector(`[data-test=top-hosts] a[title="${long}"]`);
		const lines = await page.$$eval('[data-test=top-hosts] a', (l) => l.map((a) => Math.round(a.getBoundingClientRect().height / Number.parseFloat(getComputedStyle(a).lineHeight))));
		check(lines.every((n) => n <= 2) && lines.includes(2), `a name takes ${Math.max(...lines)} lines`);
	});
	await run.test('hostile names stay text', async () => {
		const { page } = run;
		const evil = '<img src=x onerror="document.title=1">\u202e</script>"\'';
		for (const f of live.world.flows) Object.assign(f, { server_name: evil, info: evil, application: 'DNS' });
		for (const h of live.world.hosts.values()) h.names = [evil];
		for (const path of ['/', '/flows', '/hosts']) {
			await page.goto(live.base + path);
			await run.until('the name as text', () => document.querySelector('main').textContent.includes('<img src=x'));
			check((await page.locator('main img').count()) === 0, `markup in ${path}`);
		}
	});
	await run.test('no error in the console, no broken policy, nothing from elsewhere', () => steps.noComplaints(run));
}

/** What it looks like to everybody: dark, light, narrow, without a mouse. */
async function looks(run, live) {
	await run.test('login', () => steps.login(run, who));
	await run.test('by keyboard alone', () => steps.keyboard(run));
	await run.test('axe finds nothing, dark and light', () => steps.themes(run));
	await run.test('a narrow screen does not scroll sideways', () => steps.narrow(run));
	await run.test('no error in the console, no broken policy, nothing from elsewhere', () => steps.noComplaints(run));
}

/** History, accounts and administration. */
async function administration(run, live) {
	await run.test('login', () => steps.login(run, who));
	await run.test('history in groups: what a group is made of, and a filter that is wrong', () => steps.explore(run, { wrong: 'bad' }));
	await run.test('one tenant of several', () => steps.tenants(run));
	await run.test('one tenant of very many', async () => {
		await control(live, 'tenants', { count: 120 });
		await steps.manyTenants(run, { part: 'mer-77', name: 'customer-77' });
	});
	await run.test('tables as files', () => steps.files(run));
	await run.test('times in which Weir did not run are gaps, and no zeros', async () => {
		const { page } = run;
		const now = Math.floor(Date.now() / 1000);
		await control(live, 'gap', { from: now - 40000, to: now - 20000 });
		await page.goto(`${live.base}/?last=86400`);
		await page.waitForSelector('[data-test=gaps]');
		await run.axe('a gap');
		await run.shot('gap');
		await page.goto(`${live.base}/?from=${now - 35000}&to=${now - 25000}`);
		await run.until('nothing is known', () => /did not run/.test(document.querySelector('figcaption')?.textContent ?? ''));
		check((await page.locator('[data-test=figures] dd').first().innerText()) !== '0 bit/s', 'an unknown rate is a zero');
		await control(live, 'gap', { from: 0, to: 0 });
	});
	await run.test('identity providers: there is none', async () => {
		await admin.directory(run);
		await run.page.goto(`${live.base}/admin/add-user`);
		await run.page.waitForSelector('main form .choice input[value=typed]');
		check((await run.page.locator('main form .choice input[value=provider]').count()) === 0, 'a provider is offered where there is none');
	});
	await run.test('identity providers: their groups, whether they answer, who comes in', async () => {
		const { page } = run;
		await control(live, 'directory', { on: true });
		await admin.providersUser(run);
		await admin.directory(run, {
			groups: [['cn=night,ou=groups', 'night-shift', 'viewer'], ['noc', 'operators', 'no such group'], ['night', 'night-shift', 'viewer']],
			servers: ['ldap', 'corp'],
			there: [['erin', 'right', 'comes in'], ['frank', 'right', 'does not come in'], ['zoe', 'unknown', 'nobody'], ['alice', 'unknown', 'own password'], ['nora', 'waits', 'Corporate login', 0]],
		});
		await page.click('[data-test=mappings] [data-row=operators] a');
		await run.until('the missing group is being made', () => location.pathname === '/admin/add-group' && document.querySelector('[name=name]')?.value === 'operators');
		await page.goto(`${live.base}/admin/groups/night-shift`);
		await run.until('the group says what fills it', () => /Corporate login/.test(document.querySelector('[data-test=fed]')?.innerText ?? ''));
		await run.axe('a group that a provider fills');
		await page.goto(`${live.base}/welcome?step=directory`);
		await page.locator('[data-step=directory] form button[type=submit]').first().click();
		await page.waitForSelector('[data-test=directory-servers][data-verdict=right]');
		/* who does not see the settings types the name of one */
		await control(live, 'role', { role: 'tenant-administrator' });
		await page.goto(`${live.base}/admin/add-user`);
		await page.locator('main form .choice input[value=provider]').check({ force: true });
		await page.fill('[name=name]', 'olga');
		await page.fill('[name=provider]', 'corpse');
		await page.click('main form button[type=submit]');
		await run.until('that is none', () => /no provider of this name/.test(document.querySelector('[data-field=provider]').innerText));
		await control(live, 'role', { role: 'platform-administrator' });
		await control(live, 'directory', { on: false });
	});
	await run.test('a token of one\'s own', () => steps.token(run));
	await run.test('another password', async () => {
		const { page } = run;
		await page.goto(`${live.base}/account`);
		for (const [old, fresh, again, says] of [
			['wrong', 'nine grey herons', 'nine grey herons', /present password/],
			[who.password, 'nine grey herons', 'nine grey heron', /not the same/],
			[who.password, 'short', 'short', /fewer than/],
			[who.password, 'nine grey herons', 'nine grey herons', /is changed/],
			['nine grey herons', who.password, who.password, /is changed/],
		]) {
			await page.fill('[data-test=acc-password] [name=old]', old);
			await page.fill('[data-test=acc-password] [name=new]', fresh);
			await page.fill('[data-test=acc-password] [name=again]', again);
			await page.click('[data-test=acc-password] button[type=submit]');
			await run.until(String(says), (r) => new RegExp(r).test(document.querySelector('[data-test=acc-password]').innerText), says.source);
		}
	});
	await run.test('a second factor', () => steps.secondFactor(run, who, { code: () => '123456' }));
	await run.test('a second factor that has to be: the traffic comes with it', async () => {
		await control(live, 'want-factor', { wanted: true });
		const page = await run.fresh();
		await page.goto(live.base);
		await page.fill('#name', who.name);
		await page.fill('#password', who.password);
		await page.keyboard.press('Enter');
		await page.waitForSelector('[data-test=must-enrol]');
		await run.until('nothing is shown', () => document.querySelector('header .status.closed') !== null);
		await page.click('[data-test=acc-factor] button');
		await page.waitForSelector('[data-test=factor-secret]');
		await page.fill('[data-test=factor-code]', '123456');
		await page.keyboard.press('Enter');
		await page.waitForSelector('[data-test=recovery] li');
		await run.until('the stream is there', () => document.querySelector('header .status.live') !== null);
		await control(live, 'want-factor', { wanted: false, off: true });
	});
	await run.test('a tenant: made, changed, removed by its name', () => admin.tenant(run));
	await run.test('a user: made with a password shown once, narrowed', () => admin.user(run, { networks: ['10.2.0.0/16'] }));
	await run.test('a user: disabled, another password, a token', () => admin.userLife(run));
	await run.test('a group with members', () => admin.group(run));
	await run.test('a user is removed by its name', () => admin.remove(run, 'users', 'erika'));
	await run.test('unsaved input is asked for', () => admin.guard(run));
	await run.test('titles of tenants are as long and as odd as people make them', async () => {
		const { page } = run;
		const titles = ['W'.repeat(60), '\u202eשלום לכולם ' + 'א'.repeat(40), '👩‍👩‍👧‍👦🏴‍☠️'.repeat(6), '<b onclick="x">'.repeat(4)];
		const names = titles.map((_, i) => `titled-${i}`);
		for (const [i, title] of titles.entries()) {
			await page.goto(`${live.base}/admin/add-tenant`);
			await page.fill('[name=name]', names[i]);
			await page.fill('[name=title]', title);
			await page.fill('[name="selectors[0].network"]', '198.51.100.0/24');
			await page.click('main form button[type=submit]');
			await run.until(`${names[i]} is there`, (n) => location.pathname === `/admin/tenants/${n}`, names[i]);
		}
		for (const [form, width] of [['wide', 1440], ['narrow', 390]]) {
			await page.setViewportSize({ width, height: 900 });
			for (const path of ['/admin/tenants', '/system', ...names.map((n) => `/admin/tenants/${n}`)]) {
				await page.goto(live.base + path);
				await run.until(`${path} is filled`, () => document.querySelector('main h1') !== null && !/Loading…/.test(document.querySelector('main').innerText));
				const [wide, has] = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
				check(wide <= has, `${path}, ${form}: ${wide} px wide on a screen of ${has}`);
				check((await page.locator('main b[onclick]').count()) === 0, `markup in ${path}`);
			}
			await page.goto(`${live.base}/admin/tenants`);
			for (const n of names) {
				await page.waitForSelector(`[data-row="${n}"]`);
				/* what is written from the right turns nothing round but itself */
				check((await page.textContent(`[data-row="${n}"] a`)) === n && (await page.isVisible(`[data-row="${n}"] a`)), `${n} cannot be read`);
			}
			await run.axe(`odd titles, ${form}`);
			await run.shot(`titles-${form}`);
		}
		await page.setViewportSize({ width: 1440, height: 900 });
	});
	await run.test('the audit log', async () => {
		await admin.audit(run);
		await run.page.goto(`${live.base}/admin/audit?last=0`);
		await run.until('the newest', () => document.querySelectorAll('[data-test=audit] li').length === 100);
		await run.page.locator('button', { hasText: 'Show older' }).click();
		await run.until('older ones', () => document.querySelectorAll('[data-test=audit] li').length === 200);
	});
	await run.test('a session that ends over a form: nothing is lost', () => admin.expiry(run, who, { expire: () => control(live, 'expire') }));
	await run.test('a server that is away while a form is sent: told, kept, saved later', async () => {
		const { page } = run;
		await page.goto(`${live.base}/admin/tenants/acme`);
		await page.fill('[name=title]', 'Acme Limited');
		await page.route('**/api/v1/tenants/**', (r) => (r.request().method() === 'PATCH' ? r.abort() : r.continue()));
		await page.click('main form button[type=submit]');
		await run.until('it is told', () => /does not answer/.test(document.querySelector('[data-test=form-message]').textContent));
		await page.unroute('**/api/v1/tenants/**');
		check((await page.inputValue('[name=title]')) === 'Acme Limited', 'what was typed is lost');
		await page.click('main form button[type=submit]');
		await run.until('it is saved', () => /Saved/.test(document.querySelector('main form').innerText));
	});
	await run.test('a list goes on by itself when the server is back', async () => {
		const { page } = run;
		await page.goto(`${live.base}/admin/users`);
		await page.waitForSelector('[data-row=alice]');
		await control(live, 'down', { ms: 2500 });
		await page.waitForSelector('[data-notice=lost]');
		await page.waitForSelector('[data-row=alice]');
		await page.waitForSelector('[data-notice=lost]', { state: 'detached' });
	});
	await run.test('what the store did not confirm is said', async () => {
		const { page } = run;
		await control(live, 'unconfirmed', { on: true });
		await page.goto(`${live.base}/admin/tenants/acme`);
		await page.fill('[name=title]', 'Acme');
		await page.click('main form button[type=submit]');
		await page.waitForSelector('[data-test=toast-warn]');
		await run.axe('a notice of what is not confirmed');
		await run.shot('admin-unconfirmed');
		await page.click('[data-test=toast-warn] button');
		await run.until('taken note of', () => document.querySelector('[data-test=toast-warn]') === null);
		await control(live, 'unconfirmed', { on: false });
	});
	await run.test('one thing of each kind: axe, dark, light and narrow', async () => {
		const { page } = run;
		for (const [n, path] of [['tenant', '/admin/tenants/acme'], ['user', '/admin/users/bob'], ['group', '/admin/groups/night-shift'], ['add-tenant', '/admin/add-tenant'], ['add-user', '/admin/add-user']])
			for (const theme of ['light', 'dark', 'narrow']) {
				await page.setViewportSize(theme === 'narrow' ? { width: 390, height: 844 } : { width: 1440, height: 900 });
				await page.goto(live.base + path);
				await page.waitForSelector('main form');
				if (theme !== 'narrow' && (await page.evaluate(() => document.documentElement.dataset.theme)) !== theme) await page.click(`button[aria-label*="${theme}"]`);
				await run.axe(`${n}, ${theme}`);
				await run.shot(`admin-${n}-${theme}`, true);
				const [wide, has] = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
				check(wide <= has, `${n}: ${wide} px wide on a screen of ${has}`);
			}
		await page.setViewportSize({ width: 1440, height: 900 });
		await page.click('button[aria-label*="light"]');
	});
	await run.test('what a role may not do is not offered', async () => {
		for (const role of ['viewer', 'operator', 'limited-viewer']) {
			await control(live, 'role', { role });
			await admin.notOffered(run);
		}
		await control(live, 'role', { role: 'auditor' });
		await run.page.goto(`${live.base}/admin/tenants/acme`);
		await run.until('an auditor reads', () => /lan0/.test(document.querySelector('main').innerText));
		check((await run.page.locator('main form').count()) === 0, 'an auditor is offered a form');
		await admin.notOffered(run, ['/admin/add-user', '/welcome']).catch((e) => {
			if (!/in the bar/.test(e.message)) throw e;
		});
		await control(live, 'role', { role: 'platform-administrator' });
	});
	await run.test('logging out', () => steps.logout(run));
	await run.test('no error in the console, no broken policy, nothing from elsewhere', () => steps.noComplaints(run));
}

/** Capture files, which end. */
async function files(run, live) {
	await run.test('a file: login', () => steps.login(run, who));
	await run.test('a file: the page says so, and shows its whole time', async () => {
		await steps.throughputMoves(run, { ended: true });
		await steps.dashboard(run, { ended: true });
		await run.shot('file');
		check(/File ended/.test(await run.page.textContent('header .status')), 'the status is not that of a file');
	});
	await run.test('a file: flows and hosts are links', () => steps.entities(run, { ended: true }));
	await run.test('a file: the last hour is that of the file', async () => {
		const { page } = run;
		for (const [path, filled] of [
			['/flows?view=kept', '[data-test=flow-table] [data-row]'],
			['/explore', '[data-test=groups] .body [role=row]'],
			['/compare', '[data-test=compare] [data-row]'],
		]) {
			await page.goto(live.base + path);
			await page.waitForSelector(filled);
		}
	});
	await run.test('a file: no complaints', () => steps.noComplaints(run));
}

/** What the page may cost its reader's machine: measured in its own thread's time and in bytes of heap, so whatever else runs. */
async function budget(run, live) {
	await run.test('login', () => steps.login(run, who));
	await run.test('the first view is there soon', () => steps.startCost(run));
	await run.test('the live view takes no more memory the longer it is open', () => steps.heap(run, steps.hurry(run), 700));
}

async function part(body, options = {}) {
	const live = await start(options);
	const run = new Run({ browser, base: live.base, screenshots });
	await body(run, live);
	await run.context?.close();
	live.stop();
	return run;
}

const runs = await Promise.all([
	part(traffic),
	part(administration).then(async (run) => [run, await part(budget)]),
	part(looks).then(async (run) => [run, await part(firstStart, { setup: true }), await part(files, { file: true })]),
]);
await browser.close();
const total = new Run({ browser: null, base: 'http://127.0.0.1' });
for (const r of runs.flat()) {
	total.passed += r.passed;
	total.failed += r.failed;
	total.failures.push(...r.failures);
}
process.exit(total.summary());
