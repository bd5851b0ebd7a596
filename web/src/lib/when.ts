/* Times as people type them: the page's own form, ISO 8601, a clock of today, or so long ago; in the viewer's zone. */
import { MONTHS } from './format';

const SECONDS: Record<string, number> = { s: 1, min: 60, m: 60, h: 3600, d: 86400, w: 7 * 86400 };

/** Seconds before now that a text such as "now", "2 h ago" or "1 h 30 min" means; null: it is no such text. */
export function ago(text: string): number | null {
	const s = text.trim().toLowerCase().replace(/\s*ago$/, '').replace(/^-\s*/, '');
	if (s === 'now') return 0;
	if (!/^(\d{1,9}\s*(s|min|m|h|d|w)\s*)+$/.test(s)) return null;
	return [...s.matchAll(/(\d+)\s*([a-z]+)/g)].reduce((sum, [, n, unit]) => sum + Number(n) * (SECONDS[unit as string] as number), 0);
}

/** Unix seconds of a text; null: it is no time. now: Unix seconds. */
export function when(text: string, now: number): number | null {
	const before = ago(text);
	if (before !== null) return now - before;
	const m = /^(?:(?:(\d{4})-(\d\d?)-(\d\d?)|(\d\d?) ([a-z]{3})[a-z]*(?: (\d{4}))?)(?:,? ?|T)?)?(?:(\d\d?):(\d\d)(?::(\d\d))?)?$/i.exec(text.trim());
	if (m === null || m[0] === '') return null;
	const [, year, month, day, dayOf, monthName, yearOf, hour = '0', minute = '0', second = '0'] = m;
	const today = new Date(now * 1000);
	const named = monthName === undefined ? today.getMonth() : MONTHS.indexOf(monthName.toLowerCase());
	const parts = [
		Number(year ?? yearOf ?? today.getFullYear()),
		month === undefined ? named : Number(month) - 1,
		Number(day ?? dayOf ?? today.getDate()),
		Number(hour),
		Number(minute),
		Number(second),
	] as const;
	const d = new Date(...parts);
	/* what does not exist, as 30 February or 25:00, would be another day's */
	const same = d.getFullYear() === parts[0] && d.getMonth() === parts[1] && d.getDate() === parts[2] && parts[3] < 24 && parts[4] < 60 && parts[5] < 60;
	return same && d.getTime() > 0 ? d.getTime() / 1000 : null;
}
