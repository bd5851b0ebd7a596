/* The shapes of /api/v1 (docs/API.md). Times are Unix seconds, bytes are bytes of frames on the wire. */

export interface Pair {
	sent: number;
	received: number;
}

export interface Me {
	name: string;
	role: string;
	tenant: string | null;
	csrf: string;
	session_expires: number;
	version: string;
	monitor: string;
	/** not with the answer to a login */
	account?: Account;
}

/** What one may do in one tenant; "*" is the platform. Empty lists: all of it. */
export interface Access {
	tenant: string;
	role: string;
	interfaces?: string[];
	exporters?: string[];
	networks?: string[];
	masked?: boolean;
}

/** When, and from where. */
export interface Visit {
	time: number;
	address: string;
}

export interface User {
	name: string;
	kind: 'person' | 'service';
	title: string;
	/** Who judges the password; null: Weir itself. */
	provider: string | null;
	access: Access[];
	groups: string[];
	disabled: boolean;
	second_factor: boolean;
	created: number | null;
	last_login: Visit | null;
	failed_logins: number;
}

export interface Account {
	user: User;
	/** names of those that one can choose from, the default first; "*": all */
	tenants: string[];
	second_factor: boolean;
	recovery_codes_left: number;
	/** the role asks for a second factor that is not there yet: until then it may do nothing else */
	must_enrol: boolean;
}

/** An identity provider that one can log in at. */
export interface Provider {
	name: string;
	label: string;
}

/** What a login asks for next. */
export interface SecondStep {
	ticket: string;
}

export interface Interface {
	id: number | string;
	name: string;
	kind: 'interface' | 'file';
	state: 'up' | 'down' | 'ended';
	bytes: number;
	packets: number;
	bytes_per_second: number;
	packets_per_second: number;
	/** bits a second that it can carry; null or not there: not known */
	speed?: number | null;
	dropped: number;
	flows: number;
	hosts: number;
	/** null: no frame yet */
	first: number | null;
	last: number | null;
}

export interface Host {
	ip: string;
	vlan: number;
	address_space: number | string;
	mac: string | null;
	vendor: string | null;
	/** the surest first */
	names: string[];
	name_sources: ('dns' | 'dhcp' | 'mdns' | 'netbios' | 'resolved' | 'tls' | 'unknown')[];
	local: boolean;
	country: string | null;
	city: string | null;
	as: { number: number; name: string | null } | null;
	os: string | null;
	bytes: Pair;
	packets: Pair;
	bytes_per_second: Pair;
	/** since first */
	flows: { client: number; server: number };
	active_flows: { client: number; server: number };
	/** most bytes first */
	applications: string[];
	application_traffic: { name: string; bytes: number; packets: number }[];
	peers: number;
	ports: { served: Port[]; used: Port[] };
	tcp: {
		retransmissions: Pair;
		out_of_order: Pair;
		lost: Pair;
		zero_windows: Pair;
		resets: number;
		handshake_ms: number | null;
	};
	score: number;
	risks: string[];
	first: number;
	last: number;
}

/** bytes: of slices of flows that ended */
export interface Port {
	port: number;
	protocol: string;
	flows: number;
	bytes: number;
}

export interface Device {
	mac: string;
	vendor: string | null;
	observation_point: string | null;
	address_space: number | string;
	vlan: number;
	/** local ones, the newest first */
	ips: string[];
	bytes: Pair;
	packets: Pair;
	arp: { requests: number; replies: number };
	first: number;
	last: number;
}

export interface Endpoint {
	ip: string;
	/** null: the protocol has none */
	port: number | null;
	name: string | null;
	mac: string | null;
}

export interface TcpFacts {
	flags: { sent: string | number; received: string | number };
	retransmissions: Pair;
	out_of_order: Pair;
	lost: Pair;
	zero_windows: Pair;
	handshake_ms: { client: number | null; server: number | null };
}

/** null: not known */
export type Attributes = Record<string, string | number | null>;

export interface TtlRange {
	min: number;
	max: number;
}

export interface Flow {
	id: string;
	slice: number;
	first: number;
	last: number;
	observation_point: string;
	address_space: number | string;
	vlan: number[];
	tunnel: string | null;
	protocol: string;
	client: Endpoint;
	server: Endpoint;
	application: string | null;
	category: string | null;
	breed: string | null;
	confidence: string | null;
	server_name: string | null;
	info: string | null;
	bytes: Pair;
	packets: Pair;
	goodput: Pair;
	bytes_per_second: Pair;
	tcp: TcpFacts | null;
	application_latency_ms: number | null;
	ttl: { sent: TtlRange | null; received: TtlRange | null };
	dscp: Pair;
	icmp: { type: number; code: number } | null;
	tls?: Attributes | null;
	http?: Attributes | null;
	dns?: Attributes | null;
	ssh?: Attributes | null;
	dhcp?: Attributes | null;
	risks: string[];
	score: number;
	state: string;
	end_reason: string | null;
	live: boolean;
}

export interface Application {
	name: string;
	category: string | null;
	bytes: number;
	packets: number;
	flows: number;
	bytes_per_second: number;
}

export interface SearchResult {
	kind: 'host' | 'device' | 'application' | 'interface' | 'network' | 'as' | 'flow';
	key: string;
	vlan?: number | null;
	address_space?: number | string | null;
	/** what it is called, or what matched */
	text: string | null;
}

/** vlan and address_space are of a host, else 0 */
export interface Label {
	kind: 'host' | 'interface' | 'network';
	key: string;
	vlan: number;
	address_space: number;
	label: string;
}

/** vlan and address_space are of a host, else 0 */
export interface Watched {
	kind: 'host' | 'network';
	key: string;
	vlan: number;
	address_space: number;
}

/** [time, bytes, packets, bytes_max, packets_max, flows_max, bytes_in, bytes_out, packets_in, packets_out] */
export type SeriesPoint = [number, number, number, number, number, number, number, number, number, number];

/** Of what series are kept: the first three (and what is watched) by the second, all others by the minute. */
export type Subject =
	| 'tenant'
	| 'interface'
	| 'application'
	| 'category'
	| 'host'
	| 'network'
	| 'as'
	| 'country'
	| 'exporter'
	| 'exporter_interface'
	| 'weir';

export interface InOut {
	in: number;
	out: number;
}

export interface SubjectRow {
	key: string;
	vlan: number;
	address_space: number;
	bytes: InOut;
	packets: InOut;
	last: number | null;
}

/** What went through a network, country, AS or category since Weir started. */
export interface Sum {
	key: string;
	/** of an AS, where it is known */
	name?: string | null;
	bytes: InOut;
	packets: InOut;
	/** over the newest whole minute */
	bytes_per_second: InOut;
	last: number | null;
}

export interface SumList {
	now: number;
	rows: Sum[];
	next_cursor: string | null;
}

export interface SubjectList {
	now: number;
	subject: Subject;
	subjects: SubjectRow[];
	next_cursor: string | null;
}

/** bytes of a bucket of 300 s */
export interface Percentile {
	percent: number;
	buckets: number;
	bytes: number;
	bytes_in: number;
	bytes_out: number;
}

export interface Series {
	now: number;
	subject: string;
	key: string | null;
	resolution: number;
	/** where it was asked for, in the place of points; null: there is no such series */
	percentile?: Percentile | null;
	points: SeriesPoint[];
}

export interface Counter {
	place?: string;
	reason?: string;
	interface: string | null;
	worker: number | null;
	count: number;
}

export interface Component {
	name: string;
	process: string;
	instance: number;
	state: 'running' | 'restarting' | 'waiting' | 'degraded' | 'ended';
	since: number;
	restarts: number;
	/** when it last died; null: never */
	last_death: number | null;
	/** in words: how it died, or what it waits for */
	why: string | null;
	interface: string | null;
}

export interface History {
	status: 'ok' | 'degraded';
	why: string | null;
}

export interface Totals {
	bytes: number;
	packets: number;
	bytes_per_second: number;
	packets_per_second: number;
	flows: number;
	hosts: number;
}

export interface FullTotals extends Totals {
	dropped: Record<string, number>;
	undecoded: Record<string, number>;
}

export interface Health {
	status: 'ok' | 'degraded';
	now?: number;
	components?: Component[];
	drops?: Counter[];
	counters?: Counter[];
	undecoded?: Counter[];
	history?: History;
}

export interface LiveEvent {
	now: number;
	totals: Totals;
	interfaces: Interface[];
	hosts: Host[];
	applications: Application[];
	flows: Flow[];
	drops: Counter[];
	components: Component[];
	status: 'ok' | 'degraded';
	history: History;
}

export interface UnavailableEvent {
	status: 'degraded';
	why: string;
	components: Component[];
}

export interface HostList {
	now: number;
	hosts: Host[];
	next_cursor: string | null;
}

export interface DeviceList {
	now: number;
	devices: Device[];
	next_cursor: string | null;
}

export interface FlowList {
	now: number;
	flows: Flow[];
	next_cursor: string | null;
}

export interface Problem {
	type: string;
	title: string;
	status: number;
	detail?: string;
	errors?: FieldError[];
}

/** What is wrong with one member or parameter. */
export interface FieldError {
	field: string;
	detail: string;
	/** where in it, in bytes of UTF-8 */
	at?: number;
	length?: number;
}

/** A word of the filter language. */
export interface FilterWord {
	word: string;
	/** src or dst may stand before it */
	ends: boolean;
	help: string;
}

export type GroupKey = string | number | null;

/** Sums over flows: those measures that were asked for. */
export interface Sums {
	flows?: number;
	packets?: number;
	bytes?: number;
	bytes_sent?: number;
	bytes_received?: number;
	goodput?: number;
	retransmissions?: number;
	lost?: number;
	score?: number;
}
export interface Group extends Sums {
	/** what its flows have in common, by dimension */
	group: Record<string, GroupKey>;
}
export interface GroupList {
	now: number;
	from: number;
	to: number;
	by: string[];
	measure: string;
	/** seconds, where a course was asked for */
	bucket?: number | null;
	all: Sums & { groups: number; buckets?: [number, number][] };
	groups: Group[];
	rest: Sums & { groups: number };
}
