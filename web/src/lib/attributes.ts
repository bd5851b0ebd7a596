/* What is known of a flow beyond its counters, as lines to show. Values are a stranger's text: only ever shown as text. */
import type { Attributes, Flow } from '../api/types';
import * as f from './format';

export interface AttributeLine {
	key: string;
	value: string;
}

export interface AttributeGroup {
	group: string;
	lines: AttributeLine[];
}

const groups = ['tls', 'http', 'dns', 'ssh', 'dhcp'] as const;
const times = new Set(['not_before', 'not_after']);

function lines(of: Attributes): AttributeLine[] {
	return Object.entries(of)
		.filter(([, value]) => value !== null && value !== '')
		.map(([key, value]) => ({ key, value: times.has(key) && typeof value === 'number' ? f.dateTime(value) : String(value) }));
}

/** Groups of which something is known, in their order. */
export function attributesOf(flow: Flow): AttributeGroup[] {
	return groups.map((group) => ({ group, lines: lines(flow[group] ?? {}) })).filter((g) => g.lines.length > 0);
}
