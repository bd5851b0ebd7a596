/* The live stream as state: opened after login, opened again by itself whenever it breaks. */
import * as api from '../api/client';
import type { Component, Counter, LiveEvent, UnavailableEvent } from '../api/types';
import { componentNotices, loss, type LossRow, mergeComponents, mergeNotices, type Notice, retryDelay } from './reducer';
import { SecondRing } from './series';
import { session } from './session.svelte';

/** Seconds of live numbers kept for the chart. */
export const LIVE_SECONDS = 300;
/** The server says something once a second; this long without a word, and the connection is taken for dead. */
const SILENCE_MS = 12000;

/*
 * connecting   no event yet
 * live         events come
 * unavailable  the server answers, but its store does not
 * lost         the server does not answer
 * closed       the server says that there is nothing to see for this session
 */
export type Link = 'connecting' | 'live' | 'unavailable' | 'lost' | 'closed';

class Live {
	link = $state<Link>('connecting');
	event = $state.raw<LiveEvent | null>(null);
	components = $state.raw<Component[]>([]);
	notices = $state.raw<Notice[]>([]);
	losses = $state.raw<LossRow[]>([]);
	why = $state('');
	/** counts events and refills: what draws from the rings looks at it */
	tick = $state(0);
	/** counts openings of the stream: what was missed has to be asked for */
	opened = $state(0);

	private rings = new Map<string, SecondRing>();
	private source: EventSource | null = null;
	private attempt = 0;
	private retry = 0;
	private watch = 0;
	private heard = 0;
	private drops: Counter[] = [];
	private looked = false;
	private second = 0;
	/** the stream was opened anew: the seconds just before it are not in history yet */
	private fresh = true;

	/** '' is all interfaces together. */
	ring(name: string): SecondRing {
		let r = this.rings.get(name);
		if (r === undefined) {
			r = new SecondRing(2 * LIVE_SECONDS);
			this.rings.set(name, r);
		}
		return r;
	}

	/** Somebody put history into a ring. */
	filled(): void {
		this.tick++;
	}

	start(): void {
		this.stop();
		this.link = 'connecting';
		this.attempt = 0;
		this.open();
		this.watch = window.setInterval(() => {
			if (this.source !== null && Date.now() - this.heard > SILENCE_MS) void this.broke();
		}, 2000);
		addEventListener('online', this.hurry);
		document.addEventListener('visibilitychange', this.hurry);
	}

	stop(): void {
		this.source?.close();
		this.source = null;
		clearTimeout(this.retry);
		clearInterval(this.watch);
		removeEventListener('online', this.hurry);
		document.removeEventListener('visibilitychange', this.hurry);
		this.event = null;
		this.components = [];
		this.notices = [];
		this.losses = [];
		this.drops = [];
		this.looked = false;
		this.rings.clear();
	}

	dismiss(n: Notice): void {
		this.notices = this.notices.filter((x) => x !== n);
	}

	/** The viewer is back, or the network is: no need to wait any longer. */
	private hurry = (): void => {
		if (this.source === null && !document.hidden) {
			this.attempt = 0;
			this.open();
		}
	};

	private open(): void {
		clearTimeout(this.retry);
		this.heard = Date.now();
		const s = api.liveStream();
		this.source = s;
		s.addEventListener('live', (e) => this.take(s, e.data, (x) => this.onLive(x as LiveEvent)));
		s.addEventListener('unavailable', (e) => this.take(s, e.data, (x) => this.onUnavailable(x as UnavailableEvent)));
		s.addEventListener('end', (e) => {
			if (this.source !== s) return;
			if (/"role"/.test(e.data)) {
				/* who sees no traffic is still logged in */
				this.stop();
				this.link = 'closed';
			} else session.ended();
		});
		s.onerror = () => {
			if (this.source === s) void this.broke();
		};
	}

	private take(from: EventSource, data: string, then: (x: unknown) => void): void {
		if (this.source !== from) return;
		this.heard = Date.now();
		this.attempt = 0;
		let x: unknown;
		try {
			x = JSON.parse(data);
		} catch {
			return;
		}
		then(x);
	}

	/** An error of the stream tells nothing: a plain question tells a dead server from an ended session. */
	private async broke(): Promise<void> {
		this.source?.close();
		this.source = null;
		const delay = retryDelay(this.attempt++);
		try {
			/* a server that is going down may take a question and never answer it */
			const who = await api.me(AbortSignal.timeout(SILENCE_MS));
			if (who === null) {
				session.ended();
				return;
			}
		} catch {
			this.link = 'lost';
		}
		if (session.phase === 'in' && this.source === null) this.retry = window.setTimeout(() => this.open(), delay);
	}

	private onLive(e: LiveEvent): void {
		if (this.link !== 'live') {
			this.link = 'live';
			this.fresh = true;
			this.opened++;
		}
		this.why = '';
		/* rates are those of the last full second */
		const second = Math.floor(e.now) - 1;
		/* events come about once a second: one that slips over the edge of a second leaves no hole */
		const from = this.fresh ? second - 2 : second - this.second <= 3 ? Math.min(this.second + 1, second) : second;
		for (let s = from; s <= second; s++) {
			this.ring('').put(s, e.totals.bytes_per_second, e.totals.packets_per_second);
			for (const i of e.interfaces) this.ring(i.name).put(s, i.bytes_per_second, i.packets_per_second);
		}
		this.second = second;
		this.fresh = false;
		this.losses = loss(this.drops, e.drops);
		this.drops = e.drops;
		this.look(e.components, false);
		this.event = e;
		this.tick++;
	}

	private onUnavailable(e: UnavailableEvent): void {
		this.link = 'unavailable';
		this.why = e.why ?? '';
		this.look(e.components ?? [], true);
	}

	private look(said: Component[], partial: boolean): void {
		const after = mergeComponents(this.components, said, partial);
		this.notices = mergeNotices(this.notices, componentNotices(this.looked ? this.components : null, after, Date.now() / 1000));
		this.components = after;
		this.looked = true;
	}
}

export const live = new Live();
