/* The only file that talks to the server: paths, the CSRF token, errors. */
import type {
	Answer,
	Application,
	FieldError,
	FilterWord,
	FlowList,
	GroupList,
	Health,
	Host,
	DeviceList,
	HostList,
	Interface,
	Label,
	Me,
	Problem,
	Provider,
	SearchResult,
	SecondStep,
	Series,
	Subject,
	SubjectList,
	Sum,
	SumList,
	Watched,
} from './types';
import { plain } from '../lib/groups';
import { segment } from '../lib/routes';

const BASE = '/api/v1';

/** What went wrong, in the server's words. status 0: no answer at all. */
export class ApiError extends Error {
	readonly status: number;
	readonly detail: string;
	/** seconds to wait, from Retry-After; 0: not said */
	readonly retryAfter: number;
	/** what is wrong with which member or parameter */
	readonly errors: FieldError[];

	constructor(status: number, title: string, detail: string, retryAfter = 0, errors: FieldError[] = []) {
		super(detail || title);
		this.status = status;
		this.detail = detail;
		this.retryAfter = retryAfter;
		this.errors = errors;
	}
}

export type Query = Record<string, string | number | null | undefined>;

const TENANT = 'weir.tenant';

let csrf = '1';
/** the tenant to work in, of those that the session has; '': the first. Of this window alone, until it is closed. */
let tenant = sessionStorage.getItem(TENANT) ?? '';
let onExpired: () => Promise<boolean> = async () => false;
let onUnconfirmed: () => void = () => {};

export function chosenTenant(): string {
	return tenant;
}

export function chooseTenant(name: string): void {
	tenant = name;
	if (name === '') sessionStorage.removeItem(TENANT);
	else sessionStorage.setItem(TENANT, name);
}

/** Called when a request that needs a session finds none. What it gives becomes true once the same person is in again. */
export function whenSessionEnds(f: () => Promise<boolean>): void {
	onExpired = f;
}

/** Called when a change is done, but the store did not say in time that it knows. */
export function whenUnconfirmed(f: () => void): void {
	onUnconfirmed = f;
}

export function query(q: Query): string {
	const p = new URLSearchParams();
	for (const [k, v] of Object.entries(q)) if (v !== null && v !== undefined && v !== '') p.set(k, String(v));
	const s = p.toString();
	return s === '' ? '' : `?${s}`;
}

async function problem(r: Response): Promise<ApiError> {
	const after = Number.parseInt(r.headers.get('Retry-After') ?? '', 10);
	let p: Partial<Problem> = {};
	try {
		p = (await r.json()) as Problem;
	} catch {
		/* not a problem document: the status says enough */
	}
	return new ApiError(r.status, String(p.title ?? r.statusText), String(p.detail ?? ''), Number.isFinite(after) ? after : 0, p.errors ?? []);
}

async function request(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<Response> {
	const headers: Record<string, string> = { Accept: 'application/json' };
	if (tenant !== '') headers['Weir-Tenant'] = tenant;
	if (method !== 'GET') {
		headers['X-Weir-CSRF'] = csrf;
		if (body !== undefined) headers['Content-Type'] = 'application/json';
	}
	let r: Response;
	try {
		r = await fetch(BASE + path, {
			method,
			headers,
			body: body === undefined ? undefined : JSON.stringify(body),
			credentials: 'same-origin',
			cache: 'no-store',
			redirect: 'error',
			signal,
		});
	} catch (e) {
		if (signal?.aborted) throw e;
		throw new ApiError(0, 'no answer', '');
	}
	if (!r.ok) throw await problem(r);
	if (r.headers.has('Weir-Unconfirmed')) onUnconfirmed();
	return r;
}

export async function get<T>(path: string, q: Query = {}, signal?: AbortSignal): Promise<T> {
	try {
		return (await (await request('GET', path + query(q), undefined, signal)).json()) as T;
	} catch (e) {
		if (e instanceof ApiError && e.status === 401) void onExpired();
		throw e;
	}
}

function loggedIn(me: Me): Me {
	csrf = me.csrf;
	return me;
}

/** null: nobody is logged in. signal: gives up waiting. */
export async function me(signal?: AbortSignal): Promise<Me | null> {
	try {
		return loggedIn((await (await request('GET', '/me', undefined, signal)).json()) as Me);
	} catch (e) {
		if (e instanceof ApiError && e.status === 401) return null;
		/* the tenant that was chosen is not ours any more */
		if (e instanceof ApiError && e.status === 404 && tenant !== '') {
			chooseTenant('');
			return me(signal);
		}
		throw e;
	}
}

export async function setupState(): Promise<{ open: boolean; password_length?: number }> {
	return (await (await request('GET', '/setup')).json()) as { open: boolean; password_length?: number };
}

export async function setup(secret: string, name: string, password: string): Promise<Me> {
	csrf = '1';
	const r = await request('POST', '/setup', { secret, name, password });
	return loggedIn(((await r.json()) as { me: Me }).me);
}

export async function login(name: string, password: string): Promise<Me | SecondStep> {
	csrf = '1';
	chooseTenant('');
	const r = await request('POST', '/login', { name, password });
	if (r.status === 202) return (await r.json()) as SecondStep;
	return loggedIn(((await r.json()) as { me: Me }).me);
}

/** ticket '': after a login at a provider, which left it in a cookie. */
export async function secondFactor(ticket: string, code: string): Promise<Me> {
	csrf = '1';
	const r = await request('POST', '/login/second-factor', ticket === '' ? { code } : { ticket, code });
	return loggedIn(((await r.json()) as { me: Me }).me);
}

/** Identity providers with a button; with a login name, the one that it belongs to is chosen. */
export async function providers(user = ''): Promise<{ providers: Provider[]; chosen: string | null }> {
	return (await (await request('GET', `/session/providers${query({ user })}`)).json()) as { providers: Provider[]; chosen: string | null };
}

/** Where the browser logs in, or out, at a provider: addresses to go to, not to ask. */
export const startAt = (provider: string) => `${BASE}/session/oidc/${segment(provider)}/start`;
export const endAt = (provider: string) => `${BASE}/session/oidc/${segment(provider)}/end`;

export async function logout(): Promise<void> {
	await request('POST', '/logout');
	csrf = '1';
}

export const health = (signal?: AbortSignal) => get<Health>('/health', {}, signal);
export const interfaces = (signal?: AbortSignal) => get<{ now: number; interfaces: Interface[] }>('/interfaces', {}, signal);
export const applications = (limit: number, signal?: AbortSignal) =>
	get<{ now: number; applications: Application[] }>('/applications', { limit }, signal);

export interface HostQuery extends Query {
	sort?: string;
	order?: string;
	limit?: number;
	cursor?: string | null;
	interface?: string;
}
export const devices = (q: HostQuery, signal?: AbortSignal) => get<DeviceList>('/devices', q, signal);
export const hosts = (q: HostQuery, signal?: AbortSignal) => get<HostList>('/hosts', q, signal);
export const host = async (ip: string, vlan?: string, space?: string, signal?: AbortSignal): Promise<Host> => {
	const h = await get<Host | { host: Host }>(`/hosts/${segment(ip)}`, { vlan, space }, signal);
	return 'host' in h ? h.host : h;
};

export interface FlowQuery extends Query {
	sort?: string;
	order?: string;
	interface?: string;
	host?: string;
	application?: string;
	limit?: number;
	cursor?: string | null;
	from?: number;
	to?: number;
	filter?: string;
}
export const flows = (q: FlowQuery, signal?: AbortSignal) => get<FlowList>('/flows', q, signal);
export const filterWords = async (): Promise<FilterWord[]> => (await get<{ words: FilterWord[] }>('/filter')).words;
export const flow = (id: string, signal?: AbortSignal) => get<FlowList>(`/flows/${segment(id)}`, {}, signal);

export interface SeriesQuery {
	subject: Subject;
	key?: string;
	vlan?: string;
	space?: string;
	from: number;
	to: number;
	/** not there: the finest that is kept and gives at most 1,000 points */
	resolution?: 1 | 60 | 300 | 3600 | 86400;
}

/** What there are series of, those with most bytes first. */
export const subjects = (subject: Subject, limit: number, cursor?: string, signal?: AbortSignal) =>
	get<SubjectList>('/timeseries/subjects', { subject, limit, cursor }, signal);

export const search = (q: string, signal?: AbortSignal) => get<{ results: SearchResult[] }>('/search', { q }, signal);
export const labels = (signal?: AbortSignal) => get<{ labels: Label[] }>('/labels', {}, signal);
export const setLabel = (l: Label) => change<object>('PUT', '/labels', l);
export const watched = (signal?: AbortSignal) => get<{ watched: Watched[] }>('/watched', {}, signal);
export const setWatched = (w: Watched & { watched: boolean }) => change<object>('PUT', '/watched', w);

/** The path of their list. */
export const SUMS = { network: 'networks', country: 'countries', as: 'as', category: 'categories' } as const;

/** What went through each network, country, AS or category. */
export async function sums(by: keyof typeof SUMS, q: { sort?: string; limit: number; cursor?: string }, signal?: AbortSignal): Promise<SumList> {
	const r = await get<{ now: number; next_cursor: string | null } & Record<string, unknown>>(`/${SUMS[by]}`, q, signal);
	return { now: r.now, rows: r[SUMS[by]] as Sum[], next_cursor: r.next_cursor };
}

/** Kept flows in groups. */
export async function top(q: Query, signal?: AbortSignal): Promise<GroupList> {
	const a = await get<Answer<'topFlows'>>('/flows/top', q, signal);
	return { ...a, groups: a.groups.map(plain) };
}

export const timeseries = (q: SeriesQuery, signal?: AbortSignal) => get<Series>('/timeseries', { ...q }, signal);
/** What that share of its buckets (of five minutes) does not exceed. */
export const percentile = (q: SeriesQuery & { percentile: number }, signal?: AbortSignal) => get<Series>('/timeseries', { ...q }, signal);

/** A list of the API that can be had whole, as a file: its path and what it is asked with. */
export interface Saved {
	path: string;
	query?: Query;
}
/** A link has no headers, so it names the tenant. */
export const tableLink = (of: Saved, format: 'csv' | 'ndjson') => `${BASE}${of.path}${query({ ...of.query, format, tenant })}`;

/** The live stream. The caller closes it; EventSource sends the session's cookie by itself. */
export const liveStream = () => new EventSource(`${BASE}/live${query({ tenant })}`);

/* --- one's own account */

/** Changes something. Whoever finds no session logs in again, and then it is done: nothing that was typed is lost. */
export async function change<T>(method: string, path: string, body?: unknown): Promise<T> {
	for (;;) {
		try {
			const r = await request(method, path, body);
			return (r.status === 204 ? {} : await r.json()) as T;
		} catch (e) {
			if (!(e instanceof ApiError && e.status === 401) || !(await onExpired())) throw e;
		}
	}
}

export const setPassword = (old: string, password: string) => change<object>('POST', '/me/password', { old, new: password });
export const beginSecondFactor = () => change<{ secret: string; uri: string }>('POST', '/me/second-factor', {});
export const confirmSecondFactor = (code: string) => change<{ recovery_codes: string[] }>('POST', '/me/second-factor/confirm', { code });
export const newRecoveryCodes = (code: string) => change<{ recovery_codes: string[] }>('POST', '/me/second-factor/recovery', { code });
export const removeSecondFactor = (code: string) => change<object>('POST', '/me/second-factor/remove', { code });
