/* Which columns of a table are shown: what the viewer chose on this browser, else the table's own choice. */

export interface Choosable {
	key: string;
	/** not shown until it is chosen */
	extra?: boolean;
}

const KEY = 'weir.columns.';

/** Keys that are shown, of those that there are. stored: what was chosen before, as text; null: nothing. */
export function chosen(columns: readonly Choosable[], stored: string | null): string[] {
	const all = columns.map((c) => c.key);
	if (stored !== null) {
		const wanted = stored.split(',').filter((k) => all.includes(k));
		if (wanted.length > 0) return all.filter((k) => wanted.includes(k));
	}
	return columns.filter((c) => !c.extra).map((c) => c.key);
}

/** The choice after one column was switched; the last one stays. */
export function toggled(columns: readonly Choosable[], now: readonly string[], key: string): string[] {
	const next = columns.map((c) => c.key).filter((k) => (k === key ? !now.includes(k) : now.includes(k)));
	return next.length === 0 ? [...now] : next;
}

export function read(table: string): string | null {
	try {
		return localStorage.getItem(KEY + table);
	} catch {
		return null;
	}
}

/** null: the table's own choice again. */
export function write(table: string, keys: readonly string[] | null): void {
	try {
		if (keys === null) localStorage.removeItem(KEY + table);
		else localStorage.setItem(KEY + table, keys.join(','));
	} catch {
		/* storage is closed: the choice lasts as long as the view */
	}
}
