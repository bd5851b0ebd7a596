import { describe, expect, it } from 'vitest';
import type { Component, Counter } from '../src/api/types';
import { componentNotices, filesEnded, loss, mergeComponents, mergeNotices, NOTICES_SHOWN, type Notice, retryDelay, span } from '../src/lib/reducer';

const NOW = 10000;
const engine = (more: Partial<Component> = {}): Component => ({
	name: 'engine@0',
	process: 'engine',
	instance: 0,
	state: 'running',
	since: 100,
	restarts: 0,
	last_death: null,
	why: null,
	interface: null,
	warning: null,
	...more,
});

describe('componentNotices', () => {
	it('is silent while nothing happens', () => {
		expect(componentNotices([engine()], [engine()], NOW)).toEqual([]);
	});
	it('tells a death, then the restart with its time and reason', () => {
		const dead = engine({ state: 'restarting', since: 9000, last_death: 9000, why: 'killed by SIGKILL' });
		const back = engine({ since: 9001, restarts: 1, last_death: 9000, why: 'killed by SIGKILL' });
		expect(componentNotices([engine()], [dead], NOW)).toMatchObject([{ kind: 'died', name: 'weir-engine@0', at: 9000, why: 'killed by SIGKILL' }]);
		expect(componentNotices([dead], [dead], NOW)).toEqual([]);
		expect(componentNotices([dead], [back], NOW)).toMatchObject([{ kind: 'restarted', at: 9001, why: 'killed by SIGKILL' }]);
	});
	it('tells a restart that fell between two looks', () => {
		expect(componentNotices([engine()], [engine({ since: 9001, restarts: 1, last_death: 9000 })], NOW)).toMatchObject([{ kind: 'restarted' }]);
	});
	it('tells a restart that was counted at the death', () => {
		const dead = engine({ state: 'restarting', since: 9000, restarts: 1, last_death: 9000 });
		expect(componentNotices([dead], [engine({ since: 9002, restarts: 1, last_death: 9000 })], NOW)).toMatchObject([{ kind: 'restarted', at: 9002 }]);
	});
	it('does not take a lost connection for a death', () => {
		const old = engine({ restarts: 1, last_death: 50 });
		const away = mergeComponents([old], [engine({ state: 'restarting', since: 9000, why: 'not connected to httpd' })], true);
		expect(componentNotices([old], away, NOW)).toEqual([]);
		expect(componentNotices(away, [old], NOW)).toEqual([]);
	});
	it('on a first look tells only what is fresh', () => {
		expect(componentNotices(null, [engine({ restarts: 3, last_death: NOW - 3600 })], NOW)).toEqual([]);
		expect(componentNotices(null, [engine({ restarts: 1, last_death: NOW - 5, since: NOW - 4 })], NOW)).toMatchObject([{ kind: 'restarted', at: NOW - 4 }]);
	});
	it('takes the end of a file for no death', () => {
		expect(componentNotices([engine()], [engine({ state: 'ended', since: 9000 })], NOW)).toEqual([]);
	});
});

describe('mergeComponents', () => {
	const store = engine({ name: 'store@0', restarts: 2, last_death: 70 });
	it('keeps what a partial list does not name, and the past of what it names', () => {
		const merged = mergeComponents([engine(), store], [engine({ name: 'store@0', state: 'restarting', last_death: null })], true);
		expect(merged).toMatchObject([{ name: 'engine@0' }, { name: 'store@0', state: 'restarting', restarts: 2, last_death: 70 }]);
	});
	it('forgets what a whole list does not name', () => {
		expect(mergeComponents([engine(), store], [engine()], false)).toHaveLength(1);
	});
});

describe('mergeNotices', () => {
	const n = (key: string, kind: Notice['kind'] = 'restarted'): Notice => ({ key, kind, name: key, at: 1, why: '' });
	it('shows one a component, the newest first, few at a time', () => {
		expect(mergeNotices([n('a', 'died'), n('b')], [n('a')])).toEqual([n('a'), n('b')]);
		expect(mergeNotices(['a', 'b', 'c', 'd'].map((k) => n(k)), [n('e')])).toHaveLength(NOTICES_SHOWN);
		const same = [n('a')];
		expect(mergeNotices(same, [])).toBe(same);
	});
});

describe('loss', () => {
	const c = (place: string, count: number, worker = 0): Counter => ({ place, interface: 'lan0', worker, count });
	it('leaves out zeros, puts the worst first and counts what is fresh', () => {
		const before = [c('capture.kernel', 5), c('capture.ring_full', 0)];
		expect(loss(before, [c('capture.kernel', 5), c('capture.ring_full', 40), c('x', 0)])).toMatchObject([
			{ place: 'capture.ring_full', count: 40, fresh: 40 },
			{ place: 'capture.kernel', count: 5, fresh: 0 },
		]);
	});
	it('takes nothing for fresh on a first look, and tells workers apart', () => {
		expect(loss([], [c('k', 7, 0), c('k', 9, 1)]).map((l) => [l.count, l.fresh])).toEqual([
			[9, 0],
			[7, 0],
		]);
	});
	it('a counter that began anew is not negative', () => {
		expect(loss([c('k', 100)], [c('k', 2)])[0]?.fresh).toBe(0);
	});
});

describe('odds and ends', () => {
	it('waits longer and longer, up to five seconds', () => {
		expect([0, 1, 2, 3, 4, 50].map(retryDelay)).toEqual([500, 1000, 2000, 3000, 5000, 5000]);
	});
	it('knows when all files ended', () => {
		expect(filesEnded([])).toBe(false);
		expect(filesEnded([{ kind: 'file', state: 'ended' }])).toBe(true);
		expect(filesEnded([{ kind: 'file', state: 'ended' }, { kind: 'interface', state: 'up' }])).toBe(false);
	});
	it('spans what was seen', () => {
		expect(span([{ first: null, last: null }])).toBe(null);
		expect(span([{ first: 5, last: 9 }, { first: 3, last: 4 }, { first: null, last: null }])).toEqual([3, 9]);
	});
});
