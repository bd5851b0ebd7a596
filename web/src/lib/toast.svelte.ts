/* What was done, said in passing; and what came back with a warning, which stays until it is read. */

export interface Said {
	key: number;
	text: string;
	/** stays */
	warn: boolean;
}

const SHOWN_MS = 6000;

class Toast {
	list = $state.raw<Said[]>([]);
	private n = 0;

	say(text: string, warn = false): void {
		const key = ++this.n;
		this.list = [...this.list.filter((s) => s.text !== text), { key, text, warn }].slice(-4);
		if (!warn) setTimeout(() => this.drop(key), SHOWN_MS);
	}

	drop(key: number): void {
		this.list = this.list.filter((s) => s.key !== key);
	}
}

export const toast = new Toast();
