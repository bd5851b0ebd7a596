/* The address bar as state. Links are plain <a href>; a click within the page changes the view without a load. */
import { match, type Route } from './routes';

/** Asked before the page goes elsewhere; go is called where it may, at once or later. */
export type Guard = (go: () => void) => void;

class Router {
	path = $state(location.pathname);
	search = $state(location.search);
	readonly route: Route = $derived(match(this.path));
	readonly params = $derived(new URLSearchParams(this.search));

	/** of what must not be left unasked, as a form with something in it */
	guard: Guard | null = null;

	constructor() {
		addEventListener('popstate', () => {
			const to = location.pathname + location.search;
			if (this.guard === null || location.pathname === this.path) return this.read();
			/* the browser went already: back to where one was, until it is clear that one may */
			history.pushState(null, '', this.path + this.search);
			this.go(to);
		});
		addEventListener('beforeunload', (e) => {
			if (this.guard !== null) e.preventDefault();
		});
	}

	private read(): void {
		this.path = location.pathname;
		this.search = location.search;
	}

	go(href: string, replace = false): void {
		const samePath = new URL(href, location.href).pathname === this.path;
		if (this.guard !== null && !samePath) {
			this.guard(() => {
				this.guard = null;
				this.go(href, replace);
			});
			return;
		}
		if (replace) history.replaceState(null, '', href);
		else history.pushState(null, '', href);
		this.read();
		if (!samePath) scrollTo(0, 0);
	}

	/** Changes some parameters of the address; empty ones leave it. */
	set(changes: Record<string, string | null | undefined>): void {
		const p = new URLSearchParams(this.search);
		for (const [k, v] of Object.entries(changes)) {
			if (v === null || v === undefined || v === '') p.delete(k);
			else p.set(k, v);
		}
		const s = p.toString();
		this.go(`${this.path}${s === '' ? '' : `?${s}`}`, true);
	}

	/** For the document: takes over plain clicks on links to our own views. */
	click = (e: MouseEvent): void => {
		if (e.defaultPrevented || e.button !== 0 || e.metaKey || e.ctrlKey || e.shiftKey || e.altKey) return;
		const a = (e.target as Element | null)?.closest?.('a[href]');
		if (!(a instanceof HTMLAnchorElement) || a.target !== '' || a.hasAttribute('download')) return;
		if (a.origin !== location.origin || a.pathname.startsWith('/api/')) return;
		if (a.hash !== '' && a.pathname === location.pathname) return;
		e.preventDefault();
		this.go(a.pathname + a.search);
	};
}

export const router = new Router();
