/* Administration, one function a step, for the mock and for the real server alike. */
import { request } from 'playwright-core';
import { check } from './lib.mjs';
import { login, VIEWS } from './steps.mjs';

const ready = (run) => run.until('the view is filled', () => document.querySelector('main h1') !== null && !/Loading…/.test(document.querySelector('main').innerText));

async function open(run, path) {
	await run.page.goto(run.base + path);
	await ready(run);
}
/** Types into a field by its name within the nearest form. */
async function tags(run, name, ...values) {
	for (const v of values) {
		await run.page.locator(`[name="${name}"]`).fill(v);
		await run.page.keyboard.press('Enter');
	}
}
const wrong = (run, field, text) =>
	run.until(`${field} is called wrong`, ([f, x]) => [...document.querySelectorAll(`[data-field="${f}"]`)].some((e) => e.innerText.includes(x) && e.querySelector('[aria-invalid=true]') !== null), [field, text]);

/** A tenant: a mistake is told at its field, what is saved is there after a reload, and it goes when its name is typed. */
export async function tenant(run, { name = 'guest-lab', keep = false, selectors = [{ interface: 'lan0', vlan: '12' }] } = {}) {
	const { page } = run;
	await open(run, '/admin/tenants');
	await page.click('[data-test=add]');
	await page.fill('[name=name]', name);
	await page.fill('[name=title]', 'Guests of the lab');
	await page.fill('[name="selectors[0].vlan"]', '5000');
	await page.click('main form button[type=submit]');
	await wrong(run, 'selectors[0].vlan', '4094');
	check((await page.evaluate(() => document.activeElement?.getAttribute('name'))) === 'selectors[0].vlan', 'the keyboard is not where the mistake is');
	await run.axe('a field that is wrong');
	await run.shot('admin-wrong');
	await page.fill('[name="selectors[0].vlan"]', '');
	for (const [i, s] of selectors.entries()) {
		if (i > 0) await page.locator('main form button', { hasText: 'Add a selector' }).click();
		for (const [part, v] of Object.entries(s)) await page.fill(`[name="selectors[${i}].${part}"]`, v);
	}
	await page.click('main form button[type=submit]');
	await run.until('the tenant has a view', (n) => location.pathname === `/admin/tenants/${n}` && document.querySelector('main h1')?.textContent === n, name);
	await page.reload();
	await ready(run);
	check((await page.inputValue('[name=title]')) === 'Guests of the lab', 'the description is not kept');
	for (const [i, s] of selectors.entries()) for (const [part, v] of Object.entries(s)) check((await page.inputValue(`[name="selectors[${i}].${part}"]`)) === v, `selector ${i}: ${part} is not kept`);
	await page.fill('[name="quotas.retention"]', '14');
	await page.click('main form button[type=submit]');
	await run.until('it is saved', () => /Saved/.test(document.querySelector('main form').innerText));
	await page.reload();
	await ready(run);
	check((await page.inputValue('[name="quotas.retention"]')) === '14', 'the retention is not kept');
	await open(run, '/admin/tenants');
	await page.waitForSelector(`[data-row="${name}"]`);
	if (!keep) await remove(run, 'tenants', name);
}

/** Away with a thing: not before its name is typed. */
export async function remove(run, kind, name) {
	const { page } = run;
	await open(run, `/admin/${kind}/${encodeURIComponent(name)}`);
	await page.click('[data-test=remove]');
	await page.fill('[data-test=confirm-name]', `${name}x`);
	await page.keyboard.press('Enter');
	await wrong(run, 'typed', name);
	await run.axe('a confirmation');
	await run.shot('admin-confirm');
	await page.fill('[data-test=confirm-name]', name);
	await page.keyboard.press('Enter');
	await run.until('back in the list', (k) => location.pathname === `/admin/${k}`, kind);
	await run.until('it is gone', (n) => !/Loading…/.test(document.querySelector('main').innerText) && document.querySelector(`[data-row="${n}"]`) === null, name);
}

/** A user with rights in one tenant, narrowed; gives the password that was made up. */
export async function user(run, { name = 'erika', tenant = 'acme', role = 'viewer', networks = [], password = null } = {}) {
	const { page } = run;
	await open(run, '/admin/users');
	await page.click('[data-test=add]');
	await page.fill('[name=name]', name);
	await page.click('[data-test=add-access]');
	await page.selectOption('[name="access[0].tenant"]', tenant);
	await page.selectOption('[name="access[0].role"]', role);
	if (networks.length > 0) {
		await page.locator('main form details summary').first().click();
		await tags(run, 'access[0].networks', 'nonsense');
		await page.click('main form button[type=submit]');
		await wrong(run, 'access[0].networks', 'nonsense');
		await page.focus('[name="access[0].networks"]');
		await page.keyboard.press('Backspace');
		await tags(run, 'access[0].networks', ...networks);
	}
	await run.shot('admin-user-add', true);
	if (password !== null) {
		await page.locator('main form .choice input[value=typed]').check({ force: true });
		await page.fill('[name=password]', password);
		await run.until('its worth is told', () => /Good|Strong/.test(document.querySelector('[data-field=password]').innerText));
		await page.click('main form button[type=submit]');
	} else {
		await page.click('main form button[type=submit]');
		password = await page.textContent('[data-test=made-password]');
		await run.axe('a password that is shown once');
		await run.shot('admin-made');
		await page.locator('main button', { hasText: 'I have kept it' }).click();
	}
	await run.until('the user has a view', (n) => location.pathname === `/admin/users/${n}` && document.querySelector('main h1')?.textContent === n, name);
	await ready(run);
	check((await page.inputValue('[name="access[0].role"]')) === role, 'the role is not kept');
	return password;
}

/** What one does with a user: description, disabled, another password, sessions and tokens of it. */
export async function userLife(run, { name = 'erika' } = {}) {
	const { page } = run;
	await open(run, `/admin/users/${name}`);
	await page.fill('[name=title]', 'Erika Elster');
	await page.locator('label', { hasText: 'Disabled' }).click();
	await page.click('main form button[type=submit]');
	await run.until('it is saved', () => /Saved/.test(document.querySelector('main form').innerText));
	await open(run, '/admin/users');
	await run.until('disabled in the list', (n) => /Disabled/.test(document.querySelector(`[data-row="${n}"]`)?.innerText ?? ''), name);
	await open(run, `/admin/users/${name}`);
	await page.locator('label', { hasText: 'Disabled' }).click();
	await page.click('main form button[type=submit]');
	await run.until('it is saved', () => /Saved/.test(document.querySelector('main form').innerText));
	await page.click('[data-test=set-password]');
	await page.click('dialog button[type=submit]');
	const made = await page.textContent('[data-test=made-password]');
	check(made.length >= 12, `the password is ${made}`);
	await page.click('[data-test=add-token]');
	await page.fill('[data-test=token-label]', 'of a user');
	await page.click('dialog button[type=submit]');
	await page.waitForSelector('[data-test=fresh-token]');
	await page.waitForSelector('[data-row="of a user"]');
	return made;
}

/** A group gives its members rights. */
export async function group(run, { name = 'day-shift', member = 'erika', tenant = 'acme' } = {}) {
	const { page } = run;
	await open(run, '/admin/groups');
	await page.click('[data-test=add]');
	await page.fill('[name=name]', name);
	await tags(run, 'members', 'nobody-at-all');
	await page.click('main form button[type=submit]');
	await wrong(run, 'members', 'nobody-at-all');
	await page.focus('[name=members]');
	await page.keyboard.press('Backspace');
	await tags(run, 'members', member);
	await page.click('[data-test=add-access]');
	await page.selectOption('[name="access[0].tenant"]', tenant);
	await page.click('main form button[type=submit]');
	await run.until('the group has a view', (n) => location.pathname === `/admin/groups/${n}`, name);
	await remove(run, 'groups', name);
}

/** Input that is not saved is not lost unasked: by a link, by the back button, by logging out. */
export async function guard(run) {
	const { page } = run;
	await open(run, '/admin/tenants');
	await page.locator('[data-test=list] a').first().click();
	await ready(run);
	const at = new URL(page.url()).pathname;
	await page.fill('[name=title]', 'unsaved words');
	await page.click('header nav a[href="/hosts"]');
	await page.waitForSelector('dialog[open]');
	check(new URL(page.url()).pathname === at, 'the page went without asking');
	await run.axe('leaving a form');
	await run.shot('admin-leave');
	await page.locator('dialog button', { hasText: 'Stay' }).click();
	check((await page.inputValue('[name=title]')) === 'unsaved words', 'what was typed is gone');
	await page.goBack();
	await page.waitForSelector('dialog[open]');
	check(new URL(page.url()).pathname === at, 'the back button left without asking');
	await page.locator('dialog button', { hasText: 'Stay' }).click();
	await page.click('header nav a[href="/hosts"]');
	await page.locator('dialog button', { hasText: 'Leave' }).click();
	await run.until('gone', () => location.pathname === '/hosts');
}

/** The log: by kind, by actor, one entry opened, and the address keeps the filter. */
export async function audit(run, { kind = 'tenant_changed', actor = 'admin' } = {}) {
	const { page } = run;
	await open(run, '/admin/audit');
	await page.waitForSelector('[data-test=audit] li');
	await page.selectOption('#a-kind', kind);
	await run.until('only of this kind', (k) => { const l = [...document.querySelectorAll('[data-test=audit] li')]; return l.length > 0 && l.every((x) => x.dataset.kind === k); }, kind);
	await page.fill('#a-actor', actor);
	await page.keyboard.press('Enter');
	await run.until('the filter is in the address', (a) => new URLSearchParams(location.search).get('actor') === a, actor);
	await page.locator('[data-test=audit] li button').first().click();
	await page.waitForSelector('[data-test=audit] dl');
	await run.axe('an entry of the log');
	await run.shot('admin-audit');
	await page.fill('#a-actor', 'nobody-at-all');
	await page.keyboard.press('Enter');
	await run.until('nothing is like that', () => /No entry/.test(document.querySelector('[data-test=audit]').innerText));
}

/** Why people of a directory come in or do not: what their groups are here, its servers, and somebody. there: null where nothing is configured. */
export async function directory(run, { there = null, groups = [], servers = ['ldap'] } = {}) {
	const { page } = run;
	await open(run, '/admin/directory');
	if (there === null) {
		await page.waitForSelector('[data-test=no-provider]');
		check(/weir\.yaml/.test(await page.textContent('[data-test=no-provider]')), 'it is not said what to do');
		await run.axe('no provider');
		return;
	}
	for (const [theirs, ours, text] of groups)
		await run.until(`${theirs} is ${ours}`, ([a, b, x]) => [...document.querySelectorAll(`[data-test=mappings] [data-row="${b}"]`)].some((r) => r.innerText.includes(a) && r.innerText.includes(x)), [theirs, ours, text]);
	for (const s of servers) {
		await page.click(`[data-provider="${s}"] button[type=submit]`);
		await page.waitForSelector(`[data-provider="${s}"] [data-test=directory-servers][data-verdict=right] ol li`);
	}
	const person = '[aria-labelledby=dir-person]';
	await page.click(`${person} button[type=submit]`);
	await wrong(run, 'name', 'name');
	for (const [name, verdict, text, steps = 1] of there) {
		await page.fill('[data-test=directory-name]', name);
		await page.keyboard.press('Enter');
		await run.until(`${name} is explained`, ([v, x, n]) => { const e = document.querySelector(`[data-test=directory-person][data-verdict=${v}]`); return e !== null && e.querySelectorAll('ol li').length >= n && e.innerText.includes(x); }, [verdict, text, steps]);
		await run.axe(`${name} of the directory`);
		await run.shot(`directory-${verdict}`, true);
	}
}

/** Somebody who is to come in by a provider has his account, and his rights, before he comes; here he has no password. */
export async function providersUser(run, { name = 'nora', provider = 'corp', label = 'Corporate login', tenant = 'acme' } = {}) {
	const { page } = run;
	await open(run, '/admin/add-user');
	await page.fill('[name=name]', name.toUpperCase());
	await page.click('[data-test=add-access]');
	await page.selectOption('[name="access[0].tenant"]', tenant);
	await page.locator('main form .choice input[value=provider]').check({ force: true });
	await page.selectOption('[name=provider]', provider);
	await run.axe('a user of a provider');
	await run.shot('admin-user-provider', true);
	await page.click('main form button[type=submit]');
	await wrong(run, 'name', 'small letters');
	await page.fill('[name=name]', name);
	await page.click('main form button[type=submit]');
	await run.until('the user has a view', (n) => location.pathname === `/admin/users/${n}` && document.querySelector('main h1')?.textContent === n, name);
	await run.until('it says who judges', (l) => document.querySelector('[data-test=judged-by]')?.textContent === l, label);
	check((await page.locator('[data-test=set-password]').count()) === 0, 'a password is offered, which a provider judges');
	await page.waitForSelector('[data-test=reset-factor]');
	await open(run, '/admin/users');
	await run.until('the list says so', ([n, p]) => document.querySelector(`[data-row="${n}"]`)?.innerText.includes(`by ${p}`), [name, provider]);
}

/** A session that ends while a form is filled: the login lies over it, and then it is saved. */
export async function expiry(run, who, { expire, path = '/admin/add-tenant', name = 'late-tenant' }) {
	const { page } = run;
	await open(run, path);
	await page.fill('[name=name]', name);
	await page.fill('[name=title]', 'typed before the end');
	await expire();
	await page.waitForSelector('dialog #password');
	check(!(await page.isVisible('[name=title]')), 'the form can be seen though nobody is logged in');
	await run.axe('login over a form');
	await run.shot('admin-expired');
	await page.fill('#name', who.name);
	await page.fill('#password', who.password);
	await page.keyboard.press('Enter');
	await run.until('the form is back', () => document.querySelector('dialog[open]') === null && document.querySelector('[name=title]') !== null);
	check((await page.inputValue('[name=title]')) === 'typed before the end', 'what was typed is lost');
	await page.click('main form button[type=submit]');
	await run.until('it is saved', (n) => location.pathname === `/admin/tenants/${n}`, name);
	await remove(run, 'tenants', name);
}

/** What a role may not do is not there: neither in the bar nor by its address. */
export async function notOffered(run, paths = ['/admin', '/admin/tenants', '/admin/users', '/admin/users/admin', '/admin/add-tenant', '/admin/audit', '/admin/directory', '/admin/settings', '/welcome', '/admin/no-such-thing']) {
	const { page } = run;
	await page.goto(`${run.base}/nothing/at/all`);
	await ready(run);
	const nothing = await page.innerText('main');
	for (const path of paths) {
		await page.goto(run.base + path);
		await ready(run);
		await run.until(`${path} says what no address says`, (x) => document.querySelector('main').innerText === x, nothing);
	}
	check((await page.locator('header nav a[href="/admin"]').count()) === 0, 'administration is in the bar');
}

/** Ends all sessions of somebody, from elsewhere: by another login of the same person. */
export async function endSessions(run, { name, password }) {
	const other = await request.newContext({ ignoreHTTPSErrors: true });
	try {
		const login = await other.post(`${run.base}/api/v1/login`, { headers: { 'X-Weir-CSRF': '1' }, data: { name, password } });
		check(login.status() === 200, `the other login: ${login.status()}`);
		const r = await other.delete(`${run.base}/api/v1/sessions?others=true`, { headers: { 'X-Weir-CSRF': (await login.json()).me.csrf } });
		check(r.status() === 200, `ending sessions: ${r.status()}`);
	} finally {
		await other.dispose();
	}
}

/** Asks with a token, as a program does: no cookie beside it. good: whether it should be let in. */
export async function tokenAsks(run, token, good) {
	const program = await request.newContext({ ignoreHTTPSErrors: true });
	try {
		const r = await program.get(`${run.base}/api/v1/interfaces`, { headers: { Authorization: `Bearer ${token}` } });
		check(r.status() === (good ? 200 : 401), `with the token: ${r.status()}`);
	} finally {
		await program.dispose();
	}
}

/** What somebody of one tenant sees of the others: nothing, in each view and by guessed addresses. flow: one that is there. */
export async function isolation(run, who, { hosts, names = [], flow, interfaces = [], tenants = ['*'] }) {
	await login(run, who, '/account');
	const { page } = run;
	const secret = [...hosts, ...names];
	for (const [name, path] of [...VIEWS.filter(([n]) => n !== 'account'), ['devices', '/devices']]) {
		await page.goto(run.base + path);
		await ready(run);
		const text = await page.innerText('body');
		for (const s of secret) check(!text.includes(s), `${name} shows ${s}`);
		await run.shot(`isolation-${name}`);
	}
	/* what is there and another's reads as what is not there at all; a view may be looked at before it has settled, so what differs is looked at again */
	const says = async (path, word) => {
		await page.goto(run.base + path);
		await ready(run);
		return (await page.innerText('main')).replaceAll(word, 'IT');
	};
	const same = async (path, word, nobody, none) => {
		let texts = ['', ' '];
		for (let n = 0; n < 4 && texts[0] !== texts[1]; n++) texts = [await says(path, word), await says(nobody, none)];
		check(texts[0] === texts[1], `${path} is told from ${nobody}:\n${texts[0]}\n--- and\n${texts[1]}`);
	};
	const none = 'f'.repeat(32);
	for (const h of hosts) await same(`/hosts/${h}`, h, '/hosts/198.51.100.254', '198.51.100.254');
	if (flow) await same(`/flows/${flow}`, flow, `/flows/${none}`, none);
	await same('/applications/TLS', 'TLS', '/applications/Nothing', 'Nothing');
	for (const i of interfaces) await same(`/interfaces/${i}`, i, '/interfaces/nothing0', 'nothing0');
	for (const h of hosts) {
		/* kept flows, series and the search, by a guess; what the guess itself puts into the address and the fields is not counted */
		for (const path of [`/flows?view=kept&host=${h}`, `/flows?host=${h}`, `/explore?filter=ip+${h}&by=application&last=86400`, `/breakdown?by=host&key=${h}`]) {
			await same(path, h, path.replaceAll(h, '198.51.100.254'), '198.51.100.254');
		}
		await page.keyboard.press('/');
		await page.fill('[data-test=search] input', h);
		await run.until('the search is over', () => /Nothing|no |No /.test(document.querySelector('[data-test=search] [role=status]')?.textContent ?? '') || document.querySelector('[data-test=search] [role=option]') !== null);
		check((await page.locator('[data-test=search] [role=option]').count()) === 0, `the search finds ${h}`);
		await page.keyboard.press('Escape');
	}
	/* another tenant, by its name: in the window's memory, in a link, and in the stream */
	for (const t of tenants) {
		const answers = await page.evaluate(
			async (n) => Promise.all([`hosts?format=csv&tenant=${n}`, `flows?from=1&format=ndjson&tenant=${n}`, `live?tenant=${n}`, `tenants/${n}`].map(async (p) => (await fetch(`/api/v1/${p}`)).status)),
			encodeURIComponent(t),
		);
		check(answers.every((s) => s === 404 || s === 403), `tenant ${t} answers ${answers.join(', ')}`);
		await page.evaluate((n) => sessionStorage.setItem('weir.tenant', n), t);
		await page.goto(`${run.base}/hosts`);
		await ready(run);
		const text = await page.innerText('body');
		for (const s of secret) check(!text.includes(s), `with the tenant ${t} the hosts show ${s}`);
		check((await page.evaluate(() => sessionStorage.getItem('weir.tenant'))) !== t, `the page stays with the tenant ${t}`);
	}
	await notOffered(run);
}

/** The id of a flow that is there, as it stands in an address. */
export async function someFlow(run) {
	await run.page.goto(`${run.base}/flows`);
	const link = run.page.locator('table.flows a[href^="/flows/"], a[href^="/flows/"]').first();
	await link.waitFor();
	return (await link.getAttribute('href')).split('/').at(-1);
}
