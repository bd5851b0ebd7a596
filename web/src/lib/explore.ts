/* What kept flows can be grouped by on the page, and how a group is asked for in a filter. */

export const BY = [
	'ip',
	'client_ip',
	'server_ip',
	'application',
	'category',
	'server_name',
	'protocol',
	'port',
	'server_port',
	'country',
	'as',
	'interface',
	'vlan',
	'exporter',
	'risk',
	'state',
	'end_reason',
	'dscp',
] as const;
export type By = (typeof BY)[number];

export const MEASURES = ['bytes', 'packets', 'flows', 'bytes_sent', 'bytes_received', 'goodput', 'retransmissions', 'lost', 'score'] as const;
export type Measure = (typeof MEASURES)[number];

/** One of several by its name; otherwise where it is none of them. */
export function oneOf<T extends string>(all: readonly T[], name: string | null, otherwise: T): T {
	return all.find((x) => x === name) ?? otherwise;
}

/** Whether a measure counts bytes: others are numbers. */
export function isBytes(m: Measure): boolean {
	return m.startsWith('bytes') || m === 'goodput';
}

const WORD: Record<By, string> = {
	ip: 'ip',
	client_ip: 'src ip',
	server_ip: 'dst ip',
	application: 'app',
	category: 'category',
	server_name: 'sni',
	protocol: 'proto',
	port: 'port',
	server_port: 'dst port',
	country: 'country',
	as: 'as',
	interface: 'if',
	vlan: 'vlan',
	exporter: 'exporter',
	risk: 'risk',
	state: 'state',
	end_reason: 'end',
	dscp: 'dscp',
};
/* names of any form: the others are words, numbers and addresses */
const NAMES: readonly By[] = ['application', 'category', 'server_name', 'interface', 'risk'];

/** A filter that a group's flows pass; null where the language has none for it. */
export function only(by: By, key: string | number | null): string | null {
	const word = WORD[by];
	const s = String(key);
	if (key === null) return null;
	if (NAMES.includes(by)) return /["\n]/.test(s) ? null : `${word} "${s}"`;
	if (s.includes('/')) return `${word.replace('ip', 'net')} ${s}`;
	return /^[\w.:-]+$/.test(s) ? `${word} ${s}` : null;
}

/** A filter for what a series is of; null: there is none. */
export function byFilter(subject: string, key: string): string | null {
	if (key === '(other)' || key === 'ZZ') return null;
	if (subject === 'network') return `net ${key}`;
	if (subject === 'country' || subject === 'as' || subject === 'category' || subject === 'exporter') return only(subject, key);
	return null;
}
