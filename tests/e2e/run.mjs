/*
 * The page against a server that runs:
 *
 *   node run.mjs --base https://127.0.0.1:3001 [--setup-link URL] [--name NAME] [--password PASSWORD]
 *       [--expect-app NAME]... [--expect-host IP]... [--expect-server-name NAME]... [--screenshots DIR]
 *       [--ended] [--lossy] [--watch-restart COMPONENT] [--watch-server]
 *
 * --setup-link      first makes the administrator, through the link
 * --ended           the server shows capture files that ended: nothing moves
 * --lossy           loss is no failure
 * --watch-restart   nothing but: log in, print "ready", wait until the page tells that COMPONENT restarted
 * --watch-server    likewise, until the whole server was away and is back
 */
import { parseArgs } from 'node:util';
import * as admin from './admin.mjs';
import { openBrowser, Run } from './lib.mjs';
import * as steps from './steps.mjs';

const { values: o } = parseArgs({
	options: {
		base: { type: 'string' },
		'setup-link': { type: 'string' },
		name: { type: 'string', default: 'admin' },
		password: { type: 'string', default: process.env.WEIR_E2E_PASSWORD ?? 'correct horse battery staple' },
		'expect-app': { type: 'string', multiple: true, default: [] },
		'expect-interface': { type: 'string', multiple: true, default: [] },
		'expect-host': { type: 'string', multiple: true, default: [] },
		'expect-server-name': { type: 'string', multiple: true, default: [] },
		screenshots: { type: 'string' },
		ended: { type: 'boolean', default: false },
		lossy: { type: 'boolean', default: false },
		'watch-restart': { type: 'string' },
		'watch-server': { type: 'boolean', default: false },
	},
});
if (!o.base) {
	console.error('run.mjs: --base URL is needed');
	process.exit(2);
}

const who = { name: o.name, password: o.password, link: o['setup-link'] };
const expected = { applications: o['expect-app'], hosts: o['expect-host'], serverNames: o['expect-server-name'] };
const browser = await openBrowser();
const run = new Run({ browser, base: o.base, screenshots: o.screenshots ?? null, link: o['setup-link'] });

if (o['watch-restart']) {
	await run.test(`the page tells that ${o['watch-restart']} restarted`, async () => {
		await steps.login(run, who);
		console.log(`        ${await steps.restartIsTold(run, o['watch-restart'], { ready: () => console.log('ready') })}`);
	});
	await browser.close();
	process.exit(run.summary());
}

if (o['watch-server']) {
	await run.test('the page comes back by itself after the server was started again', async () => {
		await steps.login(run, who);
		await steps.serverIsBack(run, { ready: () => console.log('ready'), away: () => console.log('away') });
	});
	await run.test('no error in the console', () => steps.noComplaints(run));
	await browser.close();
	process.exit(run.summary());
}

if (who.link) {
	await run.test('set-up that is open says where the link is', () => steps.unlinked(run));
	await run.test('set-up through the link', () => steps.setup(run, who));
	await run.test('the link is used up', () => steps.linkIsUsedUp(run, who));
}
await run.test('a wrong password is called wrong', () => steps.wrongPassword(run, who));
await run.test('login leads to where the address points', () => steps.login(run, who, '/hosts'));
await run.test('throughput moves', () => steps.throughputMoves(run, o));
await run.test('expected names', () => steps.names(run, expected));
await run.test('the dashboard is filled', () => steps.dashboard(run, { hosts: expected.hosts, applications: expected.applications, lossless: !o.lossy, ended: o.ended }));
await run.test('every view opens', () => steps.views(run));
await run.test('hosts, applications and flows are links that last', () => steps.entities(run, { host: expected.hosts[0], ended: o.ended }));
if (!o.ended) await run.test('flows: filter, pause, sort', () => steps.filters(run));
if (!o.ended) await run.test('flows: the filter language', () => steps.filterLanguage(run));
if (!o.ended) await run.test('history in groups', () => steps.explore(run));
if (!o.ended) await run.test('tables: keys and columns', () => steps.tables(run));
if (!o.ended) await run.test('charts: zoom, both directions, standing still', () => steps.charts(run));
if (!o.ended) await run.test('interfaces, two periods', () => steps.places(run, { country: false }));
if (!o.ended && expected.hosts[0]) await run.test('search and keys', () => steps.search(run, { text: expected.hosts[0], path: `/hosts/${expected.hosts[0]}` }));
if (!o.ended) await run.test('a time is typed as it is shown, or as so long ago', () => steps.moments(run));
await run.test('what ntopng\'s guide tells to click is there', () => steps.guidePaths(run));
await run.test('search from every view', () => steps.searchEverywhere(run));
if (!o.ended && expected.hosts[0]) await run.test('labels', () => steps.labels(run, { host: expected.hosts[0] }));
if (!o.ended && expected.hosts[0]) await run.test('watched', () => steps.watched(run, { host: expected.hosts[0] }));
await run.test('by keyboard alone', () => steps.keyboard(run));
await run.test('axe finds nothing, dark and light', () => steps.themes(run));
await run.test('a narrow screen does not scroll sideways', () => steps.narrow(run));
await run.test('one tenant of several', () => steps.tenants(run));
await run.test('a token of one\'s own: good until it is removed', () => steps.token(run, { used: (text, good) => admin.tokenAsks(run, text, good) }));
await run.test('a second factor', () => steps.secondFactor(run, who, { code: steps.totp }));
await run.test('a tenant: made, changed, removed by its name', () => admin.tenant(run));
await run.test('a group with members', () => admin.group(run, { member: o.name, tenant: 'first-guest' }));
await run.test('unsaved input is asked for', () => admin.guard(run));
await run.test('the directory, where there is none', () => admin.directory(run));
if (!o.ended) await run.test('tables as files', () => steps.files(run));
await run.test('a session that ends over a form: nothing is lost', () => admin.expiry(run, who, { expire: () => admin.endSessions(run, who) }));
await run.test('the audit log', () => admin.audit(run, { actor: o.name }));
if (who.link)
	await run.test('what one tenant sees of another: nothing, by no address', async () => {
		const flow = await admin.someFlow(run);
		const password = await admin.user(run, { name: 'guest', tenant: 'first-guest' });
		await admin.isolation(run, { name: 'guest', password }, { hosts: expected.hosts, names: expected.serverNames, flow, interfaces: o['expect-interface'] });
		await steps.login(run, who, '/admin/users');
		await admin.userLife(run, { name: 'guest' });
		await admin.remove(run, 'users', 'guest');
	});
await run.test('logging out', () => steps.logout(run));
await run.test('the first view is small', async () => console.log(`        ${await steps.budget(run)} bytes`));
await run.test('no error in the console, no broken policy, nothing from elsewhere', () => steps.noComplaints(run));
await browser.close();
process.exit(run.summary());
