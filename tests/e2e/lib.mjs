/* The browser, the account of what it complained about, and the count of checks. */
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const ARGS = [
	'--headless',
	'--no-sandbox',
	'--disable-gpu',
	'--disable-quic',
	'--no-first-run',
	'--disable-background-networking',
	'--disable-component-update',
	'--disable-sync',
	'--disable-dev-shm-usage',
];
/** How long a page may take for anything, in ms: a bound, never a wait. WEIR_PATIENCE times as long on a busy machine, as in tests/system. */
export const DEADLINE = 20000 * Number(process.env.WEIR_PATIENCE ?? 1);

export async function openBrowser() {
	return chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ARGS, timeout: 3 * DEADLINE });
}

/** A test run: counts checks, names the failed ones, keeps pictures. */
export class Run {
	/** link: another address of the same server, as the set-up link may be */
	constructor({ browser, base, screenshots = null, link = null }) {
		this.browser = browser;
		this.base = base.replace(/\/$/, '');
		this.screenshots = screenshots;
		this.origins = [base, link].filter((u) => u).map((u) => new URL(u).origin);
		this.passed = 0;
		this.failed = 0;
		this.failures = [];
		this.complaints = [];
		if (screenshots) mkdirSync(screenshots, { recursive: true });
	}

	/** ONLY=pattern in the environment: those tests alone, and the logins, for work on one. */
	async test(name, body) {
		if (process.env.ONLY && !new RegExp(`login|${process.env.ONLY}`).test(name)) return;
		try {
			await body();
			this.passed++;
			console.log(`ok      ${name}`);
		} catch (e) {
			this.failed++;
			this.failures.push(`FAILED  ${name}\n        ${String(e?.message ?? e).split('\n').slice(0, 12).join('\n        ')}`);
			console.log(this.failures.at(-1));
			if (this.page && this.screenshots) await this.shot(`failed-${name.replace(/\W+/g, '-')}`).catch(() => {});
		}
	}

	/** A context of its own: no cookie, no storage. */
	async fresh(options = {}) {
		await this.context?.close();
		this.context = await this.browser.newContext({
			ignoreHTTPSErrors: true,
			viewport: { width: 1440, height: 900 },
			colorScheme: 'light',
			...options,
		});
		this.context.setDefaultTimeout(DEADLINE);
		/* what breaks the policy is told here, beyond what the console shows */
		await this.context.addInitScript(() => {
			addEventListener('securitypolicyviolation', (e) => console.error(`CSP: ${e.violatedDirective} ${e.blockedURI} ${e.sourceFile}`));
		});
		this.page = await this.context.newPage();
		this.watch(this.page);
		return this.page;
	}

	watch(page) {
		page.on('pageerror', (e) => this.complaints.push(`script error: ${e.message}`));
		page.on('console', (m) => {
			if (m.type() !== 'error' && m.type() !== 'warning') return;
			/* a refused login, an ended session and a server that is away are answers, and the browser logs them all */
			const api = this.origins.some((o) => m.location().url.startsWith(`${o}/api/v1/`));
			if (api && /Failed to load resource|net::ERR_/.test(m.text())) return;
			this.complaints.push(`console: ${m.text()} (${m.location().url})`);
		});
		page.on('request', (r) => {
			if (!this.origins.includes(new URL(r.url()).origin)) this.complaints.push(`request to elsewhere: ${r.url()}`);
		});
	}

	async shot(name, full = false) {
		if (this.screenshots) await this.page.screenshot({ path: join(this.screenshots, `${name}.png`), fullPage: full, animations: 'disabled' });
	}

	async axe(what) {
		await this.page.evaluate(axeSource);
		const found = await this.page.evaluate(async () => {
			const r = await globalThis.axe.run(document, {
				runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
			});
			return r.violations.map((v) => `${v.id}: ${v.nodes.slice(0, 3).map((n) => `${n.target.join(' ')} (${(n.any[0] ?? n.all[0] ?? n.none[0])?.message ?? ''})`).join('; ')}`);
		});
		if (found.length > 0) throw new Error(`axe on ${what}:\n${found.join('\n')}`);
	}

	/** Waits until the page itself says so. */
	async until(what, body, arg) {
		try {
			await this.page.waitForFunction(body, arg, { timeout: DEADLINE });
		} catch (e) {
			if (e?.name === 'TimeoutError') throw new Error(`${what}: not within ${DEADLINE / 1000} s`);
			throw e;
		}
	}

	/** Says at the end what failed, where it is seen; the exit status. */
	summary() {
		if (this.failed) console.log(this.failures.join('\n'));
		console.log(`${this.passed} passed, ${this.failed} failed`);
		return this.failed === 0 ? 0 : 1;
	}
}

export function check(condition, text) {
	if (!condition) throw new Error(text);
}
