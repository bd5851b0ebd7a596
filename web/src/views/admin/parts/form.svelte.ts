/* A form's life: what is wrong with which field, whether something is unsaved, and what it says while it works. */
import { getContext, setContext, tick } from 'svelte';
import { ApiError } from '../../../api/client';
import { t } from '../../../strings.admin';
import { nearest } from './nearest';

const KEY = Symbol('form');

/** "[2]" behind the field's own name: which of its entries is meant. */
function entry(path: string, field: string, entries: string[]): string {
	const m = /^\[(\d+)\]/.exec(path.slice(field.length));
	return m === null ? '' : (entries[Number(m[1])] ?? '');
}

export class Form {
	busy = $state(false);
	/** what is wrong with no field in particular */
	message = $state('');
	errors = $state.raw<Record<string, string>>({});
	private before = $state('');
	private fields = new Map<string, () => string[]>();
	private read: () => unknown;
	readonly dirty: boolean = $derived.by(() => JSON.stringify(this.read()) !== this.before);

	/** read gives all that the form holds, as plain values. */
	constructor(read: () => unknown) {
		this.read = read;
		this.keep();
		setContext(KEY, this);
	}

	/** What it holds now is what there is. */
	keep(): void {
		this.before = JSON.stringify(this.read());
	}

	/** A field says that it is there; gives what takes it away. entries: of a list, to name those that are wrong. */
	register(name: string, entries: () => string[] = () => []): () => void {
		this.fields.set(name, entries);
		return () => this.fields.delete(name);
	}

	/** Puts what is wrong where it belongs; what belongs nowhere here stands above all. */
	refuse(errors: { field: string; detail: string }[], otherwise: string): void {
		const at: Record<string, string> = {};
		const rest: string[] = [];
		for (const e of errors) {
			const f = nearest(e.field, this.fields.keys());
			const which = f === null ? '' : entry(e.field, f, this.fields.get(f)?.() ?? []);
			if (f === null) rest.push(e.field === '' ? e.detail : `${e.field}: ${e.detail}`);
			else at[f] ??= which === '' ? e.detail : `${which}: ${e.detail}`;
		}
		this.errors = at;
		this.message = rest.length > 0 ? rest.join(' ') : errors.length > 0 ? '' : otherwise;
	}

	/** Does it; true where it was done. */
	async submit(body: () => Promise<void>): Promise<boolean> {
		if (this.busy) return false;
		this.busy = true;
		this.message = '';
		this.errors = {};
		try {
			await body();
			return true;
		} catch (e) {
			this.refuse(e instanceof ApiError ? e.errors : [], why(e));
			return false;
		} finally {
			this.busy = false;
		}
	}
}

export function useForm(): Form | undefined {
	return getContext<Form | undefined>(KEY);
}

/** In words for people. */
export function why(e: unknown): string {
	if (!(e instanceof ApiError)) return t.admin.failed;
	if (e.status === 0) return t.admin.noAnswer;
	if (e.status === 401) return t.admin.loggedOut;
	if (e.status === 403) return e.detail || t.admin.denied;
	if (e.status === 404) return t.admin.gone;
	if (e.status === 503 || e.status === 504) return e.detail || t.admin.away;
	return e.detail || t.admin.failed;
}

/** The first field that is wrong, or the message. */
export async function focusWrong(root: HTMLElement): Promise<void> {
	await tick();
	root.querySelector<HTMLElement>('[aria-invalid="true"], [data-message]:not(:empty)')?.focus();
}
