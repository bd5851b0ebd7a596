/*
 * What the page may cost, on the mock of the API: a long table, the first view on a slow processor, memory over time. Times are of the page's
 * own thread where they can be; even so they are worth something on a quiet machine only, so this is a run of its own.
 */
import { start } from '../../web/mock/server.mjs';
import { openBrowser, Run } from './lib.mjs';
import * as steps from './steps.mjs';

const who = { name: 'admin', password: 'correct horse battery' };
const browser = await openBrowser();
const live = await start();
const many = await start({ many: 120000 });

const long = new Run({ browser, base: many.base });
await long.test('login', () => steps.login(long, who));
for (const [what, path, test] of [
	['flows', '/flows?view=kept', 'flow-table'],
	['hosts', '/hosts', 'hosts'],
])
	await long.test(`100,000 ${what} scroll without a long task`, async () => console.log(`        longest task ${(await steps.longTable(long, { path, test, rows: 100000 })).toFixed(1)} ms`));
await long.context?.close();

const run = new Run({ browser, base: live.base });
await run.test('login', () => steps.login(run, who));
await run.test('the first view is there soon', async () => {
	const told = [];
	const ms = 4 * (await steps.startCost(run, { tell: (s) => told.push(s) }));
	console.log(`        ${ms.toFixed(0)} ms of CPU on a processor four times as slow; ${told[0].toFixed(2)} s on the clock, throttled four times`);
});
await run.test('the live view takes no more memory the longer it is open', async () => {
	const [before, after] = await steps.heap(run, steps.hurry(run));
	console.log(`        ${(before / 1e6).toFixed(1)} MB, then ${(after / 1e6).toFixed(1)} MB`);
});
await run.context?.close();
await browser.close();
for (const m of [live, many]) m.stop();
run.passed += long.passed;
run.failed += long.failed;
process.exit(run.summary());
