/* Asks again and again while a view is open, and at once when what it asks for changes. */
import { untrack } from 'svelte';
import { ApiError } from '../api/client';
import { session } from './session.svelte';

export interface Polled<T> {
	data: T | null;
	error: ApiError | null;
	/** true until the first answer to the present question */
	loading: boolean;
	refresh(): void;
}

type Ask<T> = (signal: AbortSignal) => Promise<T>;

/**
 * question() reads the state it depends on and gives the request (null: nothing to ask now); everyMs 0: ask once.
 * To be called while a component is made.
 */
export function poll<T>(question: () => Ask<T> | null, everyMs: () => number): Polled<T> {
	let data = $state.raw<T | null>(null);
	let error = $state.raw<ApiError | null>(null);
	let loading = $state(true);
	let kick = $state(0);

	$effect(() => {
		const ask = question();
		const every = everyMs();
		void kick;
		/* nobody is there to see it: what was shown stays until somebody is */
		if (session.expired) return;
		if (ask === null) {
			loading = false;
			return;
		}
		const gone = new AbortController();
		let timer = 0;
		loading = true;

		async function once(): Promise<void> {
			if (!document.hidden) {
				try {
					/* what the request reads by itself, as the time of the newest event, is no change of the question: else each event would end it unanswered */
					const d = await untrack(() => (ask as Ask<T>)(gone.signal));
					if (gone.signal.aborted) return;
					data = d;
					error = null;
				} catch (e) {
					if (gone.signal.aborted) return;
					error = e instanceof ApiError ? e : new ApiError(0, 'no answer', '');
				}
				loading = false;
			}
			if (document.hidden) timer = window.setTimeout(once, 1000);
			else if (every > 0 || error !== null) timer = window.setTimeout(once, every > 0 ? every : 3000);
		}
		void once();
		return () => {
			gone.abort();
			clearTimeout(timer);
		};
	});

	return {
		get data() {
			return data;
		},
		get error() {
			return error;
		},
		get loading() {
			return loading;
		},
		refresh: () => {
			kick++;
		},
	};
}
