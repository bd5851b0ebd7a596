/* What follows from one live event after another: pure, so that it can be tested without a page. */
import type { Component, Counter } from '../api/types';

export interface Notice {
	/** one notice a component: a later one replaces it */
	key: string;
	kind: 'died' | 'restarted';
	name: string;
	at: number;
	why: string;
}

/** How long ago a death may lie to be worth a notice on a page that was just opened. */
export const RECENT_DEATH_S = 60;

function notice(kind: Notice['kind'], c: Component, now: number): Notice {
	const at = kind === 'restarted' && c.state === 'running' && c.since !== null ? c.since : (c.last_death ?? now);
	return { key: c.name, kind, name: `weir-${c.name}`, at, why: c.why ?? '' };
}

/** Processes that died or came back between two looks. before: null on a page that has not looked yet. now: wall clock. */
export function componentNotices(before: Component[] | null, after: Component[], now: number): Notice[] {
	const known = new Map((before ?? []).map((c) => [c.name, c]));
	const found: Notice[] = [];
	for (const c of after) {
		const b = known.get(c.name);
		if (c.state === 'ended') continue;
		if (b === undefined) {
			const recent = c.last_death !== null && c.last_death !== undefined && now - c.last_death < RECENT_DEATH_S;
			if (recent && c.restarts > 0) found.push(notice(c.state === 'restarting' ? 'died' : 'restarted', c, now));
			continue;
		}
		const died = (c.last_death ?? 0) > (b.last_death ?? 0);
		const back = b.state === 'restarting' && c.state === 'running' && (c.last_death ?? 0) > 0 && (c.since ?? 0) > (b.since ?? 0);
		if (c.state === 'restarting') {
			if (died) found.push(notice('died', c, now));
		} else if (c.restarts > b.restarts || died || back) {
			found.push(notice('restarted', c, now));
		}
	}
	return found;
}

/**
 * A process that is away may be told by httpd alone, which knows nothing of its past: that stays as it was known.
 * partial: what is not in the list is unknown, not gone.
 */
export function mergeComponents(before: Component[], after: Component[], partial: boolean): Component[] {
	const known = new Map(before.map((c) => [c.name, c]));
	const named = new Set(after.map((c) => c.name));
	const merged = after.map((c) => {
		const b = known.get(c.name);
		if (b === undefined || c.last_death !== null) return c;
		return { ...c, restarts: Math.max(c.restarts, b.restarts), last_death: b.last_death, interface: c.interface ?? b.interface };
	});
	return partial ? [...before.filter((c) => !named.has(c.name)), ...merged] : merged;
}

export const NOTICES_SHOWN = 4;

/** Newest first, one a component, few at a time. */
export function mergeNotices(shown: Notice[], found: Notice[]): Notice[] {
	if (found.length === 0) return shown;
	const keys = new Set(found.map((n) => n.key));
	return [...found, ...shown.filter((n) => !keys.has(n.key))].slice(0, NOTICES_SHOWN);
}

export interface LossRow {
	place: string;
	interface: string | null;
	worker: number | null;
	count: number;
	/** lost since the event before */
	fresh: number;
}

function lossKey(c: Counter): string {
	return `${c.place ?? ''}\n${c.interface ?? ''}\n${c.worker ?? ''}`;
}

/** Places where something was lost, the worst first; places with zero are left out. */
export function loss(before: Counter[], after: Counter[]): LossRow[] {
	const was = new Map(before.map((c) => [lossKey(c), c.count]));
	return after
		.filter((c) => c.count > 0)
		.map((c) => ({
			place: c.place ?? '',
			interface: c.interface,
			worker: c.worker,
			count: c.count,
			fresh: before.length === 0 ? 0 : Math.max(0, c.count - (was.get(lossKey(c)) ?? 0)),
		}))
		.sort((a, b) => b.count - a.count);
}

/** Wait before the next try to reach the server, in ms. */
export function retryDelay(attempt: number): number {
	return [500, 1000, 2000, 3000][attempt] ?? 5000;
}

/** Only files, and all of them read: nothing moves any more, and `now` is the capture's. */
export function filesEnded(interfaces: { kind: string; state: string }[]): boolean {
	return interfaces.length > 0 && interfaces.every((i) => i.kind === 'file' && i.state === 'ended');
}

/** [first, last] over interfaces that saw something; null: none did. */
export function span(interfaces: { first: number | null; last: number | null }[]): [number, number] | null {
	let first = Number.POSITIVE_INFINITY;
	let last = 0;
	for (const i of interfaces) {
		if (!i.first || !i.last) continue;
		first = Math.min(first, i.first);
		last = Math.max(last, i.last);
	}
	return last > 0 ? [first, last] : null;
}
