/* What a search finds: the server's answer, or what the page can tell by itself where a server has no search. */
import * as api from '../api/client';
import type { Label, SearchResult } from '../api/types';
import { isAddress } from './format';
import { applicationPath, flowPath, hostPath, interfacePath } from './routes';

export type Found = SearchResult;

export interface Known {
	interfaces: string[];
	labels: Label[];
}

const MOST = 20;

/** Where a result leads. */
export function resultPath(r: Found): string {
	switch (r.kind) {
		case 'host':
			return hostPath({ ip: r.key, vlan: r.vlan ?? 0, address_space: r.address_space ?? 0 });
		case 'application':
			return applicationPath(r.key);
		case 'interface':
			return interfacePath(r.key);
		case 'flow':
			return flowPath(r.key);
		case 'network':
		case 'as':
			return `/breakdown?${new URLSearchParams({ by: r.kind, key: r.key.replace(/^AS\s*/i, '') })}`;
		case 'device':
			return `/explore?${new URLSearchParams({ filter: `mac ${r.key}`, by: 'ip' })}`;
	}
}

/** Labels and interfaces that hold the text: the page has them already. */
export function local(q: string, known: Known): Found[] {
	const s = q.toLowerCase();
	const found: Found[] = [];
	for (const l of known.labels)
		if (l.label.toLowerCase().includes(s)) found.push({ kind: l.kind, key: l.key, vlan: l.vlan, address_space: l.address_space, text: l.label });
	for (const i of known.interfaces) if (i.toLowerCase().includes(s)) found.push({ kind: 'interface', key: i, text: '' });
	return found;
}

async function alone(q: string, signal: AbortSignal): Promise<Found[]> {
	const found: Found[] = [];
	if (isAddress(q)) found.push({ kind: 'host', key: q, text: '' });
	if (/^[0-9a-f]{32}$/i.test(q)) found.push({ kind: 'flow', key: q.toLowerCase(), text: '' });
	if (/^as\s?\d{1,10}$/i.test(q)) found.push({ kind: 'as', key: q.replace(/\D/g, ''), text: '' });
	if (/^[\d.:a-f]+\/\d{1,3}$/i.test(q)) found.push({ kind: 'network', key: q, text: '' });
	const s = q.toLowerCase();
	const { applications } = await api.applications(1000, signal);
	for (const a of applications) if (a.name.toLowerCase().includes(s)) found.push({ kind: 'application', key: a.name, text: a.category ?? '' });
	if (found.length < MOST && !isAddress(q)) {
		const { hosts } = await api.hosts({ sort: 'bytes', limit: 1000 }, signal);
		for (const h of hosts)
			if (h.names.some((n) => n.toLowerCase().includes(s)) || (h.mac ?? '').startsWith(s)) found.push({ kind: 'host', key: h.ip, vlan: h.vlan, address_space: h.address_space, text: h.names[0] ?? h.mac ?? '' });
	}
	return found;
}

/** At most 20; throws what the server says where it says anything but that it has no search. */
export async function find(q: string, known: Known, signal: AbortSignal): Promise<Found[]> {
	const mine = local(q, known);
	let theirs: Found[];
	try {
		theirs = (await api.search(q, signal)).results;
	} catch (e) {
		if (!(e instanceof api.ApiError) || (e.status !== 404 && e.status !== 405)) throw e;
		theirs = await alone(q, signal);
	}
	const seen = new Set(mine.map(resultPath));
	return [...mine, ...theirs.filter((r) => !seen.has(resultPath(r)))].slice(0, MOST);
}
