/* When Weir was there: what is silent then had no traffic, and what is missing else is not known. */
import * as api from '../api/client';
import { type There, thereOf } from './series';

/** Asks for it. Never fails: without it a gap looks like silence. */
export async function running(from: number, to: number, resolution: number, signal: AbortSignal): Promise<There | undefined> {
	const coarse = Math.max(60, resolution) as 60;
	try {
		const s = await api.timeseries({ subject: 'weir', key: 'store.running', from: Math.floor(from / coarse) * coarse, to, resolution: coarse }, signal);
		return thereOf(s.points, s.resolution, s.now);
	} catch {
		return undefined;
	}
}
