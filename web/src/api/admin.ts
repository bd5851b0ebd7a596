/* Administration: tenants, users, groups, sessions, tokens, the audit log (docs/API.md). Asked through client.ts. */
import { segment } from '../lib/routes';
import { ApiError, change, get, query } from './client';
import type { Answer, Shapes, User } from './types';

export type Selector = Shapes['Selector'];
/** null: none */
export type Quotas = Shapes['Tenant']['quotas'];
export const NO_QUOTAS: Quotas = { flows_per_s: null, stored_bytes: null, retention: null, series: null, keep_minutes: null, keep_five_minutes: null, keep_hours: null, keep_days: null };
export type Tenant = Shapes['Tenant'];
export type Group = Shapes['Group'];
export type UserSession = Shapes['Session'];
export type Token = Shapes['Token'];
export type AuditEntry = Shapes['AuditEntry'];
/** A setting of weir.yaml, as it is in force. */
export type Setting = Shapes['Setting'];
/** What the directory says of somebody, or a provider of itself or of somebody, and what that would be here. */
export type Explained = Answer<'explainDirectory'>;

/** What the server takes at a time, and how many times a list is asked on: what is beyond is not shown. */
const PAGE = 1000;
const PAGES = 20;

/** All of a list. */
async function all<T>(path: string, member: string, q: Record<string, string>, signal?: AbortSignal): Promise<T[]> {
	const out: T[] = [];
	let cursor: string | null | undefined;
	for (let i = 0; i < PAGES; i++) {
		const a: Record<string, unknown> = await get(path, { ...q, limit: PAGE, cursor }, signal);
		out.push(...(a[member] as T[]));
		cursor = a.cursor as string | null | undefined;
		if (!cursor) break;
	}
	return out;
}

/** What is there under a name; null: nothing, or nothing of the caller's. */
async function one<T>(path: string, member: string, signal?: AbortSignal): Promise<T | null> {
	try {
		return (await get<Record<string, T>>(path, {}, signal))[member] as T;
	} catch (e) {
		if (e instanceof ApiError && (e.status === 404 || e.status === 400)) return null;
		throw e;
	}
}

const at = (kind: string, name: string) => `/${kind}/${segment(name)}`;

export const tenants = (s?: AbortSignal) => all<Tenant>('/tenants', 'tenants', {}, s);
export const tenant = (name: string, s?: AbortSignal) => one<Tenant>(at('tenants', name), 'tenant', s);
export const addTenant = async (t: Partial<Tenant>) => (await change<{ tenant: Tenant }>('POST', '/tenants', t)).tenant;
export const setTenant = async (name: string, t: Partial<Tenant>) => (await change<{ tenant: Tenant }>('PATCH', at('tenants', name), t)).tenant;
export const removeTenant = (name: string) => change<object>('DELETE', at('tenants', name));

export const users = (s?: AbortSignal) => all<User>('/users', 'users', {}, s);
export const user = (name: string, s?: AbortSignal) => one<User>(at('users', name), 'user', s);
/** password: where one was made up; shown this once */
export const addUser = (u: object) => change<{ user: User; password?: string }>('POST', '/users', u);
export const setUser = async (name: string, u: object) => (await change<{ user: User }>('PATCH', at('users', name), u)).user;
export const removeUser = (name: string) => change<object>('DELETE', at('users', name));
export const setPasswordOf = (name: string, password?: string) =>
	change<{ password?: string }>('POST', `${at('users', name)}/password`, password === undefined ? {} : { password });
export const removeFactorOf = (name: string) => change<object>('DELETE', `${at('users', name)}/second-factor`);

export const groups = (s?: AbortSignal) => all<Group>('/groups', 'groups', {}, s);
export const group = (name: string, s?: AbortSignal) => one<Group>(at('groups', name), 'group', s);
export const addGroup = async (g: object) => (await change<{ group: Group }>('POST', '/groups', g)).group;
export const setGroup = async (name: string, g: object) => (await change<{ group: Group }>('PATCH', at('groups', name), g)).group;
export const removeGroup = (name: string) => change<object>('DELETE', at('groups', name));

/** Whose: one's own, somebody's, or everybody's whom the caller administers. */
export type Whose = { user: string } | 'own' | 'all';
export const whose = (w: Whose, member: string): Record<string, string> => (w === 'own' ? {} : w === 'all' ? { all: 'true' } : { [member]: w.user });

export const sessions = (w: Whose, s?: AbortSignal) => all<UserSession>('/sessions', 'sessions', whose(w, 'user'), s);
export const endSession = (id: string) => change<object>('DELETE', at('sessions', id));
export const endSessionsOf = (user: string) => change<{ ended: number }>('DELETE', `/sessions${query({ user })}`);
export const endOthers = () => change<{ ended: number }>('DELETE', `/sessions${query({ others: 'true' })}`);

export const tokens = (w: Whose, s?: AbortSignal) => all<Token>('/tokens', 'tokens', whose(w, 'owner'), s);
export const addToken = (t: object) => change<{ token: Token; secret: string }>('POST', '/tokens', t);
export const removeToken = (id: string) => change<object>('DELETE', at('tokens', id));

export interface AuditQuery {
	from?: number;
	to?: number;
	actor?: string;
	kind?: string;
	limit?: number;
	cursor?: string;
}
export const audit = (q: AuditQuery, s?: AbortSignal) => get<{ entries: AuditEntry[]; cursor?: string | null }>('/audit', { ...q }, s);

/** Writes a signed anchor of the log now. */
export const anchorAudit = () => change<object>('POST', '/audit/anchor');
/** Grants are signed with another key from now on; nobody is logged out. */
export const rotateGrantKey = () => change<object>('POST', '/keys/grants/rotate');

/** name: as it is typed at a login, of whoever judges it; without: whether the provider answers. */
export const explainLogin = (q: { name: string } | { provider: string }) => change<Explained>('POST', '/directory/explain', q);

/** null: this server does not tell. */
export async function settings(s?: AbortSignal): Promise<Setting[] | null> {
	try {
		return (await get<{ settings: Setting[] }>('/settings', {}, s)).settings;
	} catch (e) {
		if (e instanceof ApiError && (e.status === 404 || e.status === 403)) return null;
		throw e;
	}
}
