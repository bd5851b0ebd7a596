/* Which address is which view. */

export type Route =
	| { view: 'dashboard' }
	| { view: 'flows' }
	| { view: 'flow'; id: string }
	| { view: 'hosts' }
	| { view: 'devices' }
	| { view: 'host'; ip: string }
	| { view: 'applications' }
	| { view: 'breakdown' }
	| { view: 'explore' }
	| { view: 'application'; name: string }
	| { view: 'system' }
	| { view: 'account' }
	| { view: 'setup' }
	| { view: 'login' }
	| { view: 'missing' };

function decode(s: string): string {
	try {
		return decodeURIComponent(s);
	} catch {
		return s;
	}
}

export function match(path: string): Route {
	const [first = '', second, ...more] = path.split('/').filter((p) => p !== '');
	if (more.length > 0) return { view: 'missing' };
	if (second !== undefined) {
		const name = decode(second);
		if (first === 'flows') return { view: 'flow', id: name };
		if (first === 'hosts') return { view: 'host', ip: name };
		if (first === 'applications') return { view: 'application', name };
		return { view: 'missing' };
	}
	switch (first) {
		case '':
			return { view: 'dashboard' };
		case 'flows':
		case 'hosts':
		case 'devices':
		case 'applications':
		case 'breakdown':
		case 'explore':
		case 'system':
		case 'account':
		case 'setup':
		case 'login':
			return { view: first };
		default:
			return { view: 'missing' };
	}
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

export function flowPath(id: string): string {
	return `/flows/${segment(id)}`;
}

/** A flow's ends as hosts: they carry the flow's VLAN and address space. */
export function endPath(f: { vlan?: number[]; address_space?: number | string }, ip: string): string {
	return hostPath({ ip, vlan: f.vlan?.[0], address_space: f.address_space });
}
