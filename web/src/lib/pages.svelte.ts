/* A long list, page by page: the first is asked for again and again, the others come as one scrolls to them. */
import { ApiError } from '../api/client';

export interface Page<T> {
	now: number;
	rows: T[];
	/** where the next page begins; null: this was the last */
	next: string | null;
}

export interface Pages<T> {
	readonly rows: T[];
	readonly now: number;
	readonly error: ApiError | null;
	/** true until the first answer to the present question */
	readonly loading: boolean;
	/** the largest size(row) of those that are here; at least 1 */
	readonly most: number;
	/** there are more rows than those that are here */
	readonly more: boolean;
	/** MOST rows are here, and there are more */
	readonly full: boolean;
	/** nothing is renewed while somebody reads further down */
	readonly held: boolean;
	/** Asks for the next page, if there is one and nobody does already. */
	load(): void;
	/** Told where the viewer is: at the top the list moves, further down it stands still. */
	top(at: boolean): void;
}

export type AskPage<T> = (cursor: string | undefined, limit: number, signal: AbortSignal) => Promise<Page<T>>;

const FIRST = 150;
const NEXT = 500;
/** A bound on what one table holds in memory. */
export const MOST = 100_000;

/**
 * question() reads the state it depends on and gives the request (null: nothing to ask now); everyMs 0: the first page
 * is asked for once. key: tells rows apart, since a list that moves shows a row on two pages. size: what bars compare.
 */
export function pages<T>(question: () => AskPage<T> | null, everyMs: () => number, key: (row: T) => string, size: (row: T) => number): Pages<T> {
	let rows = $state.raw<T[]>([]);
	let now = $state(0);
	let error = $state.raw<ApiError | null>(null);
	let loading = $state(true);
	let cursor = $state<string | null>(null);
	let atTop = $state(true);
	let beyond = $state(false);
	let most = $state(1);
	let fetching = false;
	let ask: AskPage<T> | null = null;
	let gone = new AbortController();
	let seen = new Set<string>();
	const held = $derived(everyMs() > 0 && (beyond || !atTop));

	function largest(of: T[], least: number): number {
		return of.reduce((m, r) => Math.max(m, size(r)), least);
	}

	function failed(e: unknown): ApiError {
		return e instanceof ApiError ? e : new ApiError(0, 'no answer', '');
	}

	$effect(() => {
		const q = question();
		ask = q;
		gone = new AbortController();
		const mine = gone;
		loading = q !== null;
		beyond = false;
		return () => mine.abort();
	});

	$effect(() => {
		const q = question();
		const every = everyMs();
		if (q === null || held) return;
		const mine = new AbortController();
		let timer = 0;
		async function once(): Promise<void> {
			let again = every;
			if (document.hidden) again = 1000;
			else {
				try {
					const p = await (q as AskPage<T>)(undefined, FIRST, mine.signal);
					if (mine.signal.aborted) return;
					seen = new Set(p.rows.map(key));
					rows = p.rows;
					most = largest(p.rows, 1);
					now = p.now;
					cursor = p.next;
					beyond = false;
					error = null;
				} catch (e) {
					if (mine.signal.aborted) return;
					error = failed(e);
					again = every > 0 ? every : error.status >= 400 && error.status < 500 ? 0 : 3000;
				}
				loading = false;
			}
			if (again > 0) timer = window.setTimeout(() => void once(), again);
		}
		void once();
		return () => {
			mine.abort();
			clearTimeout(timer);
		};
	});

	async function load(): Promise<void> {
		if (cursor === null || fetching || ask === null || loading || rows.length >= MOST) return;
		const mine = gone;
		const from = cursor;
		fetching = true;
		beyond = true;
		try {
			const p = await ask(from, Math.min(NEXT, MOST - rows.length), mine.signal);
			if (mine.signal.aborted || cursor !== from) return;
			const fresh = p.rows.filter((r) => !seen.has(key(r)));
			for (const r of fresh) seen.add(key(r));
			most = largest(fresh, most);
			rows = rows.concat(fresh);
			cursor = p.next;
		} catch (e) {
			if (!mine.signal.aborted) error = failed(e);
		} finally {
			fetching = false;
		}
	}

	return {
		get rows() {
			return rows;
		},
		get now() {
			return now;
		},
		get error() {
			return error;
		},
		get loading() {
			return loading;
		},
		get most() {
			return most;
		},
		get more() {
			return cursor !== null && rows.length < MOST;
		},
		get full() {
			return cursor !== null && rows.length >= MOST;
		},
		get held() {
			return held;
		},
		load: () => void load(),
		top: (at) => {
			atTop = at;
			if (at) beyond = false;
		},
	};
}
