/* What the tenant calls its hosts, interfaces and networks: all of it is loaded once, and the views put it beside what they show. */
import * as api from '../api/client';
import type { Label } from '../api/types';
import { session } from './session.svelte';

export type LabelKind = Label['kind'];

/** Of what: vlan and address space count for hosts only. */
export interface Labelled {
	kind: LabelKind;
	key: string;
	vlan?: number;
	space?: number | string;
}

const WRITERS = ['platform-administrator', 'tenant-administrator', 'operator'];

function id(l: Labelled): string {
	return l.kind === 'host' ? `host ${l.key} ${l.vlan ?? 0} ${Number(l.space) || 0}` : `${l.kind} ${l.key}`;
}

class Labels {
	private all = $state.raw(new Map<string, string>());
	private rows = $state.raw<Label[]>([]);
	/** the server has labels for this session */
	private known = $state(false);

	/** The viewer may change them. */
	get writable(): boolean {
		return this.known && WRITERS.includes(session.me?.role ?? '');
	}

	/** '' where there is none. */
	of(l: Labelled): string {
		return this.all.get(id(l)) ?? '';
	}

	list(): Label[] {
		return this.rows;
	}

	async load(): Promise<void> {
		try {
			const { labels } = await api.labels();
			this.all = new Map(labels.map((l) => [id({ kind: l.kind, key: l.key, vlan: l.vlan, space: l.address_space }), l.label]));
			this.rows = labels;
			this.known = true;
		} catch {
			/* who may not read them, or a server that has none: names are as the traffic tells them */
			this.known = false;
		}
	}

	/** An empty label takes it away. Throws what the server says against it. */
	async set(l: Labelled, label: string): Promise<void> {
		const host = l.kind === 'host';
		await api.setLabel({ kind: l.kind, key: l.key, vlan: host ? (l.vlan ?? 0) : 0, address_space: host ? Number(l.space) || 0 : 0, label });
		await this.load();
	}
}

export const labels = new Labels();
