/* Numbers, units and times as people read them. Unknown is a dash, never a zero. */

export const UNKNOWN = '–';

export type Unit = 'bits' | 'packets';

export interface Quantity {
	value: string;
	unit: string;
}

type Maybe = number | null | undefined;

const PREFIX = ['', 'k', 'M', 'G', 'T', 'P', 'E'];

/** Three significant digits and an SI prefix: 999 -> 999 "", 1234 -> 1.23 "k". */
export function si(n: number): { value: string; prefix: string; power: number } {
	let power = 0;
	let v = Math.abs(n);
	while (v >= 999.5 && power < PREFIX.length - 1) {
		v /= 1000;
		power++;
	}
	const digits = power === 0 && Number.isInteger(v) ? 0 : v >= 99.95 ? 0 : v >= 9.995 ? 1 : 2;
	const text = v.toFixed(digits);
	return { value: n < 0 ? `-${text}` : text, prefix: PREFIX[power] as string, power };
}

function known(n: Maybe): n is number {
	return typeof n === 'number' && Number.isFinite(n);
}

/** A rate, from what the server counts (bytes or packets a second). */
export function rateParts(perSecond: Maybe, unit: Unit): Quantity {
	if (!known(perSecond)) return { value: UNKNOWN, unit: '' };
	const n = unit === 'bits' ? perSecond * 8 : perSecond;
	const s = si(n < 1 && n > 0 ? n : Math.round(n * 10) / 10 >= 10 ? Math.round(n) : n);
	return { value: s.value, unit: `${s.prefix}${unit === 'bits' ? 'bit/s' : unitPackets(s.prefix)}` };
}

function unitPackets(prefix: string): string {
	return prefix === '' ? 'packets/s' : 'pps';
}

export function rate(perSecond: Maybe, unit: Unit = 'bits'): string {
	const q = rateParts(perSecond, unit);
	return q.unit === '' ? q.value : `${q.value}\u00a0${q.unit}`;
}

export function bytes(n: Maybe): string {
	if (!known(n)) return UNKNOWN;
	const s = si(n);
	return `${s.value}\u00a0${s.prefix}B`;
}

const grouped = new Intl.NumberFormat('en-GB', { maximumFractionDigits: 0 });

/** Exact, with thousands separated. */
export function count(n: Maybe): string {
	return known(n) ? grouped.format(n) : UNKNOWN;
}

/** Exact up to 99,999; above that three digits and a prefix. */
export function shortCount(n: Maybe): string {
	if (!known(n)) return UNKNOWN;
	if (Math.abs(n) < 100000) return grouped.format(n);
	const s = si(n);
	return `${s.value}\u00a0${s.prefix}`;
}

export function percent(part: Maybe, whole: Maybe): string {
	if (!known(part) || !known(whole) || whole <= 0) return UNKNOWN;
	const p = (100 * part) / whole;
	if (p === 0) return '0 %';
	if (p < 0.1) return '< 0.1 %';
	return p < 10 ? `${p.toFixed(1)} %` : `${p.toFixed(0)} %`;
}

/** Two units at most: "4 s", "3 min 12 s", "2 h 5 min", "3 d 4 h". */
export function duration(seconds: Maybe): string {
	if (!known(seconds) || seconds < 0) return UNKNOWN;
	if (seconds < 0.0005) return '0 s';
	if (seconds < 1) return `${Math.max(1, Math.round(seconds * 1000))} ms`;
	const s = Math.floor(seconds);
	if (s < 60) return `${s} s`;
	if (s < 3600) return two(Math.floor(s / 60), 'min', s % 60, 's');
	if (s < 86400) return two(Math.floor(s / 3600), 'h', Math.floor((s % 3600) / 60), 'min');
	return two(Math.floor(s / 86400), 'd', Math.floor((s % 86400) / 3600), 'h');
}

function two(a: number, ua: string, b: number, ub: string): string {
	return b === 0 ? `${a} ${ua}` : `${a} ${ua} ${b} ${ub}`;
}

export function milliseconds(ms: Maybe): string {
	if (!known(ms)) return UNKNOWN;
	return `${ms < 10 ? ms.toFixed(2) : ms < 100 ? ms.toFixed(1) : ms.toFixed(0)} ms`;
}

const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });
const minute = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' });
const dayMonth = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' });
const full = new Intl.DateTimeFormat('en-GB', {
	day: 'numeric',
	month: 'short',
	year: 'numeric',
	hour: '2-digit',
	minute: '2-digit',
	second: '2-digit',
});

function date(t: number): Date {
	return new Date(t * 1000);
}

/** 12:03:05 in the viewer's zone. */
export function time(t: Maybe): string {
	return known(t) && t > 0 ? clock.format(date(t)) : UNKNOWN;
}

export function timeOfDay(t: number): string {
	return minute.format(date(t));
}

export function day(t: number): string {
	return dayMonth.format(date(t));
}

/** 3 May 2026, 12:03:05 in the viewer's zone. */
export function dateTime(t: Maybe): string {
	return known(t) && t > 0 ? full.format(date(t)) : UNKNOWN;
}

/** The clock alone where it was on the viewer's today, else with its date. */
export function moment(t: Maybe, today: number = Date.now() / 1000): string {
	if (!known(t) || t <= 0) return UNKNOWN;
	return isToday(t, today) ? time(t) : dateTime(t);
}

export function isToday(t: number, today: number = Date.now() / 1000): boolean {
	return date(t).toDateString() === date(today).toDateString();
}

/** A time from one moment to another, as short as it is clear: "3 May, 12:03 to 14:00". */
export function span(from: number, to: number): string {
	const clockOf = to - from < 600 ? time : timeOfDay;
	const sameDay = date(from).toDateString() === date(to).toDateString();
	return `${day(from)}, ${clockOf(from)} to ${sameDay ? '' : `${day(to)}, `}${clockOf(to)}`;
}

/** The first three letters of the months, as these times have them. */
export const MONTHS: readonly string[] = Array.from({ length: 12 }, (_, m) => (dayMonth.formatToParts(new Date(2026, m, 1)).find((x) => x.type === 'month')?.value ?? '').slice(0, 3).toLowerCase());

/** Of the viewer, as "Europe/Berlin". */
export function zone(): string {
	return full.resolvedOptions().timeZone;
}

/** 192.0.2.1:443, [2001:db8::1]:443; without a port the address alone. */
export function endpoint(ip: string, port: number | null): string {
	if (!port) return ip;
	return ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`;
}

export function isAddress(s: string): boolean {
	if (/^\d{1,3}(\.\d{1,3}){3}$/.test(s)) return s.split('.').every((p) => Number(p) <= 255);
	/* a MAC address has colons, too, but six parts */
	return (s.includes('::') || s.split(':').length === (s.includes('.') ? 7 : 8)) && /^[0-9a-f:.]{2,45}$/i.test(s);
}
