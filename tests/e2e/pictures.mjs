/*
 * Every view as a picture, light and dark, wide and narrow, for eyes that judge them:
 *
 *   node pictures.mjs DIRECTORY [--base URL --name NAME --password PASSWORD]
 *
 * Without --base it is of the mock of the API. ONLY=pattern in the environment: those views alone. Fails where a view is wider than its screen.
 */
import { parseArgs } from 'node:util';
import { start } from '../../web/mock/server.mjs';
import { check, openBrowser, Run } from './lib.mjs';
import * as steps from './steps.mjs';

const { values: o, positionals } = parseArgs({
	allowPositionals: true,
	options: { base: { type: 'string' }, name: { type: 'string', default: 'admin' }, password: { type: 'string', default: 'correct horse battery' } },
});
if (positionals.length !== 1) {
	console.error('pictures.mjs: a directory is needed');
	process.exit(2);
}

const mock = o.base ? null : await start();
const browser = await openBrowser();
const run = new Run({ browser, base: o.base ?? mock.base, screenshots: positionals[0] });
await run.test('login', () => steps.login(run, o));
await steps.pictures(run);
await browser.close();
mock?.stop();
process.exit(run.summary());
