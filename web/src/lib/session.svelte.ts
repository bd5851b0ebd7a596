/* Who is looking, and what has to happen before anybody can. */
import * as api from '../api/client';
import type { Me } from '../api/types';
import { type Action, mayDo } from './may';
import { retryDelay } from './reducer';
import { router } from './router.svelte';
import { toast } from './toast.svelte';
import { t } from '../strings';

/*
 * boot         nothing known yet
 * unreachable  the server does not answer; trying again
 * setup        no administrator exists and we hold the link's secret
 * unlinked     no administrator exists and we have no secret
 * login        somebody has to log in
 * factor       the password was right, and the second factor is asked for
 * in           somebody is logged in
 */
export type Phase = 'boot' | 'unreachable' | 'setup' | 'unlinked' | 'login' | 'factor' | 'in';

const RETURN = 'weir.return';

class Session {
	phase = $state<Phase>('boot');
	me = $state.raw<Me | null>(null);
	/** the session ended while somebody was looking: the page is kept, out of sight, until the same person is in again */
	expired = $state(false);
	/** counts those who are somebody else than before: nothing of one is left for the next */
	person = $state(0);
	/** those who wait for that */
	private again: { resolve: (same: boolean) => void; promise: Promise<boolean> } | null = null;
	private tenantBefore = '';
	/** the administrator was made a moment ago */
	private fresh = false;
	/** how a login at a provider ended that did not let anybody in: failed, unavailable, throttled; '': none did */
	arrival = $state('');
	/** a set-up link was opened, but an administrator exists already */
	setupOver = $state(false);
	/** the server's default, until it tells its own; only then the page refuses by itself */
	passwordLength = $state(12);
	lengthTold = false;
	/** the set-up link's secret; never kept anywhere else */
	secret = '';
	/** what stands for the right password until the second factor is there; never kept anywhere else */
	private ticket = '';
	private attempt = 0;
	private timer = 0;

	constructor() {
		this.takeSecret();
		this.takeArrival();
		addEventListener('hashchange', () => {
			if (this.takeSecret()) void this.boot();
		});
		api.whenSessionEnds(() => this.ended());
		api.whenUnconfirmed(() => toast.say(t.link.unconfirmed, true));
	}

	/** Moves the secret from the address into memory, so that it stays in no history and on no screen. */
	private takeSecret(): boolean {
		if (location.pathname !== '/setup' || location.hash.length < 2) return false;
		this.secret = decodeURIComponent(location.hash.slice(1));
		history.replaceState(null, '', location.pathname);
		return true;
	}

	/** How it went at a provider stands in the address once, and in no history. */
	private takeArrival(): void {
		const how = new URLSearchParams(location.search).get('login');
		if (how === null) return;
		this.arrival = how;
		router.go(location.pathname, true);
	}

	/** Leaves the page to log in at a provider, and comes back to where one was. */
	goTo(provider: string): void {
		const here = location.pathname + location.search;
		if (here === '/') sessionStorage.removeItem(RETURN);
		else sessionStorage.setItem(RETURN, here);
		router.guard = null;
		location.assign(api.startAt(provider));
	}

	/** Where one was before a login at a provider: of this very window, and a place of the page. */
	private takeReturn(): string {
		const to = sessionStorage.getItem(RETURN) ?? '';
		sessionStorage.removeItem(RETURN);
		return /^\/(?!\/)/.test(to) && !to.includes('\\') ? to : '';
	}

	async boot(): Promise<void> {
		clearTimeout(this.timer);
		try {
			const who = await api.me();
			this.attempt = 0;
			if (who !== null) {
				this.enter(who);
				return;
			}
			const s = await api.setupState();
			if (typeof s.password_length === 'number') {
				this.passwordLength = s.password_length;
				this.lengthTold = true;
			}
			if (s.open) {
				this.phase = this.secret === '' ? 'unlinked' : 'setup';
			} else {
				this.setupOver = router.route.view === 'setup';
				/* the second step of a login at a provider: what stands for the first is a cookie */
				this.phase = this.arrival === 'code' ? 'factor' : 'login';
			}
		} catch {
			this.phase = 'unreachable';
			this.timer = window.setTimeout(() => void this.boot(), retryDelay(this.attempt++));
		}
	}

	private enter(who: Me): void {
		const same = this.me !== null && this.me.name === who.name && this.me.tenant === who.tenant && this.me.role === who.role;
		const waiting = this.again;
		this.again = null;
		if (!same) this.person++;
		this.me = who;
		this.secret = '';
		this.expired = false;
		this.setupOver = false;
		const v = router.route.view;
		const before = this.takeReturn();
		this.arrival = '';
		if (before !== '' && v === 'dashboard') router.go(before, true);
		else if (v === 'setup' || v === 'login') router.go(this.fresh ? '/welcome' : '/', true);
		this.fresh = false;
		if (who.account?.must_enrol) router.go('/account', true);
		this.phase = 'in';
		waiting?.resolve(same);
	}

	async login(name: string, password: string): Promise<void> {
		const who = await api.login(name, password);
		if (!('ticket' in who)) return this.enterWhole(who);
		this.ticket = who.ticket;
		this.phase = 'factor';
	}

	async second(code: string): Promise<void> {
		const who = await api.secondFactor(this.ticket, code);
		this.ticket = '';
		await this.enterWhole(who);
	}

	/** Gives up an ended session: what it left unsaved goes with it. */
	private abandon(): void {
		this.again?.resolve(false);
		this.again = null;
		this.me = null;
		this.person++;
		router.guard = null;
	}

	/** Back to name and password. */
	startOver(): void {
		this.ticket = '';
		this.arrival = '';
		this.phase = 'login';
	}

	/** A login does not tell of the account: that is asked for, and may be missing for a while. */
	private async enterWhole(who: Me): Promise<void> {
		if (this.expired && who.name === this.me?.name) api.chooseTenant(this.tenantBefore);
		this.enter((await api.me().catch(() => null)) ?? who);
	}

	/** Asks anew who this is: after a change of the account. */
	async refresh(): Promise<void> {
		const who = await api.me();
		if (who !== null) this.me = who;
		else void this.ended();
	}

	/** Another tenant is another world: nothing of the one before stays on the page. */
	switchTenant(name: string, to = '/'): void {
		const go = () => {
			router.guard = null;
			api.chooseTenant(name);
			location.assign(to);
		};
		if (router.guard !== null) router.guard(go);
		else go();
	}

	/** What the present role may do, in the tenant that one works in. */
	may(action: Action): boolean {
		return this.me !== null && this.me.account?.must_enrol !== true && mayDo(action, this.me.role, this.me.tenant);
	}

	async setup(name: string, password: string): Promise<void> {
		const who = await api.setup(this.secret, name, password);
		this.fresh = true;
		await this.enterWhole(who);
	}

	/** The server knows our cookie no more. The page waits behind the login; true once the same person is in again. */
	ended(): Promise<boolean> {
		if (this.phase === 'in') {
			this.tenantBefore = api.chosenTenant();
			this.expired = true;
			this.phase = 'login';
		}
		if (!this.expired) return Promise.resolve(false);
		if (this.again === null) {
			let resolve: (same: boolean) => void = () => {};
			const promise = new Promise<boolean>((r) => (resolve = r));
			this.again = { resolve, promise };
		}
		return this.again.promise;
	}

	/** Asks first where something is unsaved. */
	logout(): void {
		if (router.guard !== null) router.guard(() => void this.leave());
		else void this.leave();
	}

	private async leave(): Promise<void> {
		const provider = this.me?.account?.user.provider ?? null;
		try {
			await api.logout();
		} finally {
			this.abandon();
			this.expired = false;
			this.phase = 'login';
			router.go('/', true);
			/* who is still logged in there would be in here again with one click */
			if (provider !== null && provider !== 'ldap') location.assign(api.endAt(provider));
		}
	}
}

export const session = new Session();
