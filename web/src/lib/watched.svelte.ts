/* Which hosts and networks the tenant watches: their series have a point each second. Loaded with the labels. */
import * as api from '../api/client';
import type { Watched } from '../api/types';
import { session } from './session.svelte';

/** Of what: vlan and address space count for hosts only. */
export interface Watchable {
	kind: Watched['kind'];
	key: string;
	vlan?: number | string;
	space?: number | string;
}

const WRITERS = ['platform-administrator', 'tenant-administrator', 'operator'];

function row(w: Watchable): Watched {
	const host = w.kind === 'host';
	return { kind: w.kind, key: w.key, vlan: host ? Number(w.vlan) || 0 : 0, address_space: host ? Number(w.space) || 0 : 0 };
}

const id = (w: Watched) => `${w.kind} ${w.key} ${w.vlan} ${w.address_space}`;

class WatchedThings {
	private all = $state.raw(new Set<string>());
	/** the server has such a list for this session */
	private known = $state(false);

	/** The viewer may change it. */
	get writable(): boolean {
		return this.known && WRITERS.includes(session.me?.role ?? '');
	}

	has(w: Watchable): boolean {
		return this.all.has(id(row(w)));
	}

	async load(): Promise<void> {
		try {
			const { watched } = await api.watched();
			this.all = new Set(watched.map(id));
			this.known = true;
		} catch {
			/* who may not read it: series are as they come */
			this.known = false;
		}
	}

	/** Throws what the server says against it. */
	async set(w: Watchable, watch: boolean): Promise<void> {
		await api.setWatched({ ...row(w), watched: watch });
		await this.load();
	}
}

export const watched = new WatchedThings();
