/* Which component is which view. Each is a file of its own that is fetched when it is first opened. */
import type { Component } from 'svelte';
import type { View } from './routes';

/** id: what the view is of (Route). */
export type ViewComponent = Component<{ id: string }>;

const SOURCES: Record<Exclude<View, 'setup' | 'login'>, () => Promise<{ default: unknown }>> = {
	dashboard: () => import('../views/Dashboard.svelte'),
	flows: () => import('../views/Flows.svelte'),
	flow: () => import('../views/Flow.svelte'),
	hosts: () => import('../views/Hosts.svelte'),
	host: () => import('../views/Host.svelte'),
	devices: () => import('../views/Devices.svelte'),
	applications: () => import('../views/Applications.svelte'),
	application: () => import('../views/Application.svelte'),
	interfaces: () => import('../views/Interfaces.svelte'),
	interface: () => import('../views/Interface.svelte'),
	breakdown: () => import('../views/Breakdown.svelte'),
	explore: () => import('../views/Explore.svelte'),
	compare: () => import('../views/Compare.svelte'),
	system: () => import('../views/System.svelte'),
	account: () => import('../views/Account.svelte'),
	admin: () => import('../views/admin/Admin.svelte'),
	welcome: () => import('../views/admin/Welcome.svelte'),
	missing: () => import('../views/Missing.svelte'),
};

const RELOADED = 'weir.reloaded';

/**
 * The view's component. A file that is not there any more is one of a page before the server's last upgrade: the page is
 * loaded anew, once; what fails again is the caller's to tell.
 */
export async function viewOf(view: View): Promise<ViewComponent> {
	try {
		const module = await (view === 'setup' || view === 'login' ? SOURCES.missing : SOURCES[view])();
		sessionStorage.removeItem(RELOADED);
		return module.default as ViewComponent;
	} catch (e) {
		const answers = await fetch('/api/v1/health', { cache: 'no-store' }).then(
			() => true,
			() => false,
		);
		if (answers && sessionStorage.getItem(RELOADED) === null) {
			sessionStorage.setItem(RELOADED, view);
			location.reload();
		}
		throw e;
	}
}
