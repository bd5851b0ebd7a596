/* Dark or light: what the system prefers, unless the viewer said otherwise on this browser. */

export type Choice = 'system' | 'light' | 'dark';
const KEY = 'weir-theme';

function stored(): Choice {
	try {
		const s = localStorage.getItem(KEY);
		return s === 'light' || s === 'dark' ? s : 'system';
	} catch {
		return 'system';
	}
}

class Theme {
	choice = $state<Choice>(stored());
	private systemDark = $state(false);
	readonly dark = $derived(this.choice === 'system' ? this.systemDark : this.choice === 'dark');

	constructor() {
		const media = matchMedia('(prefers-color-scheme: dark)');
		this.systemDark = media.matches;
		media.addEventListener('change', (e) => {
			this.systemDark = e.matches;
			this.show();
		});
		this.show();
	}

	private show(): void {
		document.documentElement.dataset.theme = this.dark ? 'dark' : 'light';
	}

	set(c: Choice): void {
		this.choice = c;
		try {
			if (c === 'system') localStorage.removeItem(KEY);
			else localStorage.setItem(KEY, c);
		} catch {
			/* storage is closed: the choice lasts as long as the page */
		}
		this.show();
	}
}

export const theme = new Theme();
