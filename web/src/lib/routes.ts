/* Which address is which view. */

/** Views that are an address of their own. */
const LISTS = [
	'flows',
	'hosts',
	'devices',
	'applications',
	'interfaces',
	'breakdown',
	'explore',
	'compare',
	'system',
	'account',
	'admin',
	'welcome',
	'setup',
	'login',
] as const;
/** Views of one thing, below the list of their kind. */
const OF_ONE = { flows: 'flow', hosts: 'host', applications: 'application', interfaces: 'interface' } as const;

export type View = 'dashboard' | 'missing' | (typeof LISTS)[number] | (typeof OF_ONE)[keyof typeof OF_ONE];

export interface Route {
	view: View;
	/** what the view is of; '' where it is of no one thing */
	id: string;
}

function decode(s: string): string {
	try {
		return decodeURIComponent(s);
	} catch {
		return s;
	}
}

export function match(path: string): Route {
	const [first = '', second, ...more] = path.split('/').filter((p) => p !== '');
	const missing: Route = { view: 'missing', id: '' };
	/* a section, or one thing of it: still encoded, since names may hold a slash */
	if (first === 'admin' && more.length <= 1) return { view: 'admin', id: [second ?? '', ...more].join('/').replace(/\/$/, '') };
	if (more.length > 0) return missing;
	if (second !== undefined) {
		const view = Object.hasOwn(OF_ONE, first) ? OF_ONE[first as keyof typeof OF_ONE] : null;
		return view === null ? missing : { view, id: decode(second) };
	}
	if (first === '') return { view: 'dashboard', id: '' };
	const view = LISTS.find((v) => v === first);
	return view === undefined ? missing : { view, id: '' };
}

/** One segment of a path; a colon may stay, so that IPv6 addresses stay readable. */
export function segment(s: string): string {
	return encodeURIComponent(s).replaceAll('%3A', ':');
}

export function hostPath(h: { ip: string; vlan?: number; address_space?: number | string }): string {
	const q = new URLSearchParams();
	if (h.vlan) q.set('vlan', String(h.vlan));
	if (h.address_space && h.address_space !== 'default') q.set('space', String(h.address_space));
	const s = q.toString();
	return `/hosts/${segment(h.ip)}${s === '' ? '' : `?${s}`}`;
}

export function applicationPath(name: string): string {
	return `/applications/${segment(name)}`;
}

export function interfacePath(name: string): string {
	return `/interfaces/${segment(name)}`;
}

export function flowPath(id: string): string {
	return `/flows/${segment(id)}`;
}

/** The view of what a group of kept flows is of; null: there is none. */
export function groupPath(by: string, key: string | number | null): string | null {
	if (key === null || key === '') return null;
	const s = String(key);
	if (by === 'ip' || by === 'client_ip' || by === 'server_ip') return s.includes('/') ? null : hostPath({ ip: s });
	if (by === 'application') return applicationPath(s);
	if (by === 'interface') return interfacePath(s);
	if (by === 'as' || by === 'country' || by === 'category' || by === 'exporter') return `/breakdown?${new URLSearchParams({ by, key: s })}`;
	return null;
}

/** A flow's ends as hosts: they carry the flow's VLAN and address space. */
export function endPath(f: { vlan?: number[]; address_space?: number | string }, ip: string): string {
	return hostPath({ ip, vlan: f.vlan?.[0], address_space: f.address_space });
}
