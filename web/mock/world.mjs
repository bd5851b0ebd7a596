/* Made-up traffic that moves: hosts of 10/8 and of the documentation ranges (RFC 5737, RFC 3849). */

function random(seed) {
	let s = seed >>> 0;
	return () => {
		s = (s + 0x6d2b79f5) >>> 0;
		let t = Math.imul(s ^ (s >>> 15), 1 | s);
		t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
		return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
	};
}

const LOCAL = [
	['10.9.0.2', 'nas.lab.example', 0],
	['10.9.0.17', 'laptop-mira.lab.example', 0],
	['10.9.0.21', 'build-3.lab.example', 0],
	['10.9.0.34', null, 0],
	['10.9.0.40', 'printer-2.lab.example', 0],
	['10.9.0.53', 'resolver.lab.example', 0],
	['10.9.12.8', 'camera-yard.lab.example', 12],
	['10.9.12.9', 'camera-gate.lab.example', 12],
	['10.9.0.77', 'voip-hall.lab.example', 0],
	['2001:db8:9::21', 'build-3.lab.example', 0],
];
const REMOTE = [
	['192.0.2.44', 'mirror.example.net'],
	['192.0.2.80', 'www.example.com'],
	['198.51.100.7', 'backup.example.org'],
	['198.51.100.25', 'mail.example.org'],
	['203.0.113.9', 'video.example.net'],
	['203.0.113.61', 'git.example.com'],
	['203.0.113.130', null],
	['2001:db8:80::5', 'cdn.example.net'],
];
const KINDS = [
	// application, category, protocol, port, mean bytes/s, share sent, server name
	['TLS.Example', 'Web', 'TCP', 443, 1.4e6, 0.06, 'www.example.com'],
	['TLS', 'Web', 'TCP', 443, 3.1e6, 0.05, 'cdn.example.net'],
	['QUIC', 'Web', 'UDP', 443, 2.2e6, 0.04, 'video.example.net'],
	['HTTP', 'Web', 'TCP', 80, 4.0e5, 0.08, 'mirror.example.net'],
	['SSH', 'RemoteAccess', 'TCP', 22, 9.0e4, 0.5, null],
	['DNS', 'Network', 'UDP', 53, 2.5e3, 0.35, 'www.example.com'],
	['NTP', 'System', 'UDP', 123, 90, 0.5, null],
	['SMTPS', 'Email', 'TCP', 465, 6.0e4, 0.9, 'mail.example.org'],
	['NFS', 'DataTransfer', 'TCP', 2049, 9.5e6, 0.3, null],
	['RTSP', 'Media', 'TCP', 554, 5.2e5, 0.03, null],
	['SIP', 'VoIP', 'UDP', 5060, 4.0e3, 0.5, null],
	['ICMP', 'Network', 'ICMP', 0, 84, 0.5, null],
	['Git', 'Collaborative', 'TCP', 9418, 7.0e5, 0.1, 'git.example.com'],
];
const RISKS = ['Self-signed Cert', 'Obsolete TLS (v1.1 or older)', 'Known Proto on Non Std Port', 'Clear-Text Credentials'];

const macOf = (local) => `02:00:5e:00:53:${(16 + LOCAL.indexOf(local)).toString(16)}`;

export class World {
	constructor({ file = false } = {}) {
		this.file = file;
		this.r = random(7);
		this.flows = [];
		this.kept = [];
		this.n = 0;
		this.totals = { bytes: 0, packets: 0 };
		this.apps = new Map();
		this.hosts = new Map();
		this.drops = 0;
		this.ahead = 0; // seconds before the wall clock
		this.history = new Map([['', []], ['lan0', []], ['wan0', []]]);
		const wall = Math.floor(Date.now() / 1000);
		this.begin = file ? 1717236000 : wall - 400;
		this.now = this.begin;
		this.end = file ? this.begin + 96 : Infinity;
		this.components = ['store', 'authd', 'httpd', 'engine', 'capture', 'capture'].map((process, i) => ({
			name: `${process}@${i === 5 ? 1 : 0}`,
			process,
			instance: i === 5 ? 1 : 0,
			state: 'running',
			since: wall - 86400,
			restarts: 0,
			last_death: null,
			why: null,
			interface: process === 'capture' ? (i === 5 ? 'wan0' : 'lan0') : null,
		}));
		if (file) this.components = this.components.filter((c) => c.name !== 'capture@1').map((c) => (c.process === 'capture' ? { ...c, state: 'ended', interface: 'office.pcapng' } : c));
		const until = file ? this.end : wall;
		while (this.now < until) this.second();
	}

	pick(list) {
		return list[Math.floor(this.r() * list.length)];
	}

	interfaces() {
		return this.file ? ['office.pcapng'] : ['lan0', 'wan0'];
	}

	open() {
		const kind = this.pick(KINDS);
		const inside = kind[0] === 'NFS' || kind[0] === 'RTSP' || kind[0] === 'SIP';
		const a = this.pick(LOCAL);
		const six = a[0].includes(':');
		let b = this.pick((inside ? LOCAL : REMOTE).filter((h) => h[0].includes(':') === six && h[0] !== a[0]));
		if (b === undefined) b = REMOTE[7];
		if (kind[0] === 'DNS') b = six ? b : LOCAL[5];
		if (kind[0] === 'NFS') b = six ? b : LOCAL[0];
		const risky = this.r() < 0.14;
		const risks = risky ? RISKS.slice(0, 1 + Math.floor(this.r() * 2)) : [];
		this.flows.push({
			id: (++this.n).toString(16).padStart(32, '0'),
			slice: 0,
			first: this.now + this.r(),
			last: this.now,
			observation_point: this.file ? 'office.pcapng' : inside || kind[0] === 'DNS' ? 'lan0' : this.r() < 0.7 ? 'wan0' : 'lan0',
			address_space: 0,
			vlan: a[2] ? [a[2]] : [],
			tunnel: null,
			protocol: six && kind[2] === 'ICMP' ? 'ICMPv6' : kind[2],
			client: { ip: a[0], port: kind[3] ? 32768 + Math.floor(this.r() * 28000) : null, name: a[1], mac: '02:00:5e:00:53:01' },
			server: { ip: b[0], port: kind[3] || null, name: b[1], mac: '02:00:5e:00:53:02' },
			application: kind[0],
			category: kind[1],
			breed: risky ? 'unsafe' : 'acceptable',
			confidence: 'inspected',
			server_name: kind[6],
			info: kind[0] === 'HTTP' ? '/debian/pool/main/w/weir' : null,
			bytes: { sent: 0, received: 0 },
			packets: { sent: 0, received: 0 },
			bytes_per_second: { sent: 0, received: 0 },
			tcp:
				kind[2] === 'TCP'
					? {
							flags: { sent: 0x1a, received: 0x1a },
							retransmissions: { sent: Math.floor(this.r() * 3), received: Math.floor(this.r() * 9) },
							out_of_order: { sent: 0, received: Math.floor(this.r() * 4) },
							lost: { sent: 0, received: 0 },
							zero_windows: { sent: 0, received: 0 },
							handshake_ms: { client: this.r() * 0.5, server: 4 + this.r() * 30 },
						}
					: null,
			application_latency_ms: kind[2] === 'ICMP' ? null : 5 + this.r() * 40,
			ttl: { sent: { min: 64, max: 64 }, received: { min: 52, max: 54 } },
			dscp: { sent: 0, received: 0 },
			icmp: kind[2] === 'ICMP' ? { type: 8, code: 0 } : null,
			tls: kind[0].startsWith('TLS') ? { version: 'TLSv1.3', cipher: 'TLS_AES_128_GCM_SHA256', alpn: 'h2', issuer: null } : null,
			http: kind[0] === 'HTTP' ? { method: 'GET', status: 200, url: 'deb.debian.org/debian/pool/main/w/weir', user_agent: 'Debian APT-HTTP/1.3' } : null,
			dns: kind[0] === 'DNS' ? { query: kind[6], query_type: 'A', answer: '192.0.2.1', rcode: 'NOERROR' } : null,
			ssh: null,
			dhcp: null,
			risks,
			score: risks.length * 60,
			state: 'established',
			end_reason: null,
			live: true,
			mean: kind[4] * (0.2 + 1.6 * this.r() * this.r()),
			sent: kind[5],
			until: this.now + 4 + this.r() * (kind[4] > 3e5 ? 200 : 60),
		});
	}

	host(end, flow) {
		const known = LOCAL.find((h) => h[0] === end.ip);
		const vlan = flow.vlan[0] ?? 0;
		const key = `${end.ip} ${vlan}`;
		let h = this.hosts.get(key);
		if (h === undefined) {
			h = {
				ip: end.ip,
				vlan,
				address_space: 0,
				mac: known ? macOf(known) : null,
				vendor: null,
				names: end.name ? [end.name] : [],
				name_sources: end.name ? ['dns'] : [],
				local: known !== undefined,
				country: null,
				city: null,
				as: null,
				os: null,
				bytes: { sent: 0, received: 0 },
				packets: { sent: 0, received: 0 },
				bytes_per_second: { sent: 0, received: 0 },
				flows: { client: 0, server: 0 },
				active_flows: { client: 0, server: 0 },
				applications: [],
				application_traffic: [],
				peers: 0,
				ports: { served: [], used: [] },
				tcp: {
					retransmissions: { sent: 0, received: 0 },
					out_of_order: { sent: 0, received: 0 },
					lost: { sent: 0, received: 0 },
					zero_windows: { sent: 0, received: 0 },
					resets: 0,
					handshake_ms: null,
				},
				score: 0,
				risks: [],
				first: flow.first,
				last: flow.last,
				points: new Set(),
				others: new Set(),
			};
			this.hosts.set(key, h);
		}
		return h;
	}

	/** One second passes. */
	second() {
		const r = this.r;
		for (const h of this.hosts.values()) {
			h.bytes_per_second = { sent: 0, received: 0 };
			h.flows = { client: 0, server: 0 };
			h.active_flows = { client: 0, server: 0 };
		}
		for (const a of this.apps.values()) a.bytes_per_second = 0;
		const want = 34 + 14 * Math.sin(this.now / 37);
		while (this.flows.length < want) this.open();
		const rates = { '': [0, 0], lan0: [0, 0], wan0: [0, 0] };
		const wave = 1 + 0.45 * Math.sin(this.now / 23) + 0.2 * Math.sin(this.now / 7.3);
		for (const f of this.flows) {
			const bps = Math.max(60, f.mean * wave * (0.5 + r()) * (r() < 0.03 ? 3 : 1));
			const sent = Math.round(bps * f.sent);
			const received = Math.round(bps - sent);
			const ps = Math.ceil(sent / 700);
			const pr = Math.ceil(received / 1300);
			f.bytes.sent += sent;
			f.bytes.received += received;
			f.packets.sent += ps;
			f.packets.received += pr;
			f.bytes_per_second = { sent, received };
			f.last = this.now + r();
			this.totals.bytes += sent + received;
			this.totals.packets += ps + pr;
			for (const k of ['', f.observation_point === 'office.pcapng' ? 'lan0' : f.observation_point]) {
				rates[k][0] += sent + received;
				rates[k][1] += ps + pr;
			}
			const a = this.apps.get(f.application) ?? { name: f.application, category: f.category, bytes: 0, packets: 0, flows: 0, bytes_per_second: 0 };
			if (f.packets.sent === ps) a.flows++;
			a.bytes += sent + received;
			a.packets += ps + pr;
			a.bytes_per_second += sent + received;
			this.apps.set(a.name, a);
			for (const [end, other, s, v, p, q, role] of [
				[f.client, f.server, sent, received, ps, pr, 'client'],
				[f.server, f.client, received, sent, pr, ps, 'server'],
			]) {
				const h = this.host(end, f);
				h.bytes.sent += s;
				h.bytes.received += v;
				h.packets.sent += p;
				h.packets.received += q;
				h.bytes_per_second.sent += s;
				h.bytes_per_second.received += v;
				h.flows[role]++;
				h.active_flows[role]++;
				h.last = f.last;
				h.others.add(other.ip);
				h.peers = h.others.size;
				h.points.add(f.observation_point);
				if (!h.applications.includes(f.application)) h.applications.push(f.application);
				h.risks = [...new Set([...h.risks, ...f.risks])];
				h.score = Math.max(h.score, f.score);
			}
		}
		for (const [k, [b, p]] of Object.entries(rates)) {
			const list = this.history.get(k);
			list.push([this.now, b, p, b, p, this.flows.length]);
			if (list.length > 4000) list.shift();
		}
		this.now++;
		const over = this.flows.filter((f) => f.until <= this.now || this.now >= this.end);
		this.flows = this.flows.filter((f) => !over.includes(f));
		for (const f of over) this.kept.unshift({ ...f, live: false, state: 'closed', end_reason: this.file ? 'file' : 'closed', bytes_per_second: { sent: 0, received: 0 } });
		this.kept.length = Math.min(this.kept.length, 3000);
		if (this.now >= this.end) {
			for (const h of this.hosts.values()) {
				h.bytes_per_second = { sent: 0, received: 0 };
				h.flows = { client: 0, server: 0 };
			}
			for (const a of this.apps.values()) a.bytes_per_second = 0;
		}
	}

	/** Up to the wall clock. */
	advance() {
		if (this.file) return;
		const wall = Math.floor(Date.now() / 1000) + this.ahead;
		while (this.now < wall) this.second();
	}

	clock() {
		return this.file ? this.end : Date.now() / 1000 + this.ahead;
	}

	lastRate(key) {
		if (this.file) return [0, 0];
		const p = this.history.get(key)?.at(-1);
		return p === undefined ? [0, 0] : [p[1], p[2]];
	}

	flowOut({ mean: _m, sent: _s, until: _u, ...f }) {
		return f;
	}

	hostOut({ points: _p, others: _o, ...h }) {
		return h;
	}

	interfaceList() {
		return this.interfaces().map((name, id) => {
			const key = this.file ? '' : name;
			const [b, p] = this.lastRate(key);
			const list = this.history.get(key);
			return {
				id,
				name,
				kind: this.file ? 'file' : 'interface',
				state: this.file ? 'ended' : 'up',
				bytes: list.reduce((n, x) => n + x[1], 0),
				packets: list.reduce((n, x) => n + x[2], 0),
				bytes_per_second: b,
				packets_per_second: p,
				dropped: name === 'wan0' ? this.drops : 0,
				flows: this.flows.filter((f) => f.observation_point === name).length,
				hosts: [...this.hosts.values()].filter((h) => h.points.has(name)).length,
				first: this.begin,
				last: this.file ? this.end - 0.2 : this.now,
			};
		});
	}

	dropList() {
		return [
			{ place: 'capture.kernel', interface: this.file ? 'office.pcapng' : 'lan0', worker: 0, count: 0 },
			{ place: 'capture.ring_full', interface: this.file ? 'office.pcapng' : 'wan0', worker: 0, count: this.drops },
			{ place: 'engine.record_ring_full', interface: null, worker: 0, count: 0 },
		];
	}

	totalsOut() {
		const [b, p] = this.lastRate('');
		return { bytes_per_second: b, packets_per_second: p, flows: this.flows.length, hosts: this.hosts.size, ...this.totals };
	}

	/* What comes in and what goes out, made up. */
	series(subject, key, from, to, resolution) {
		return this.sums(subject, key, from, to, resolution).map((p) => [...p, Math.round(p[1] * 0.8), p[1] - Math.round(p[1] * 0.8), p[2], 0]);
	}

	/** Kept flows by what they have in common, as far as the mock knows it. */
	groups(by, measure, from, to, limit, bucket = null) {
		const course = new Map();
		const key = { client_ip: (f) => f.client.ip, server_ip: (f) => f.server.ip, application: (f) => f.application, protocol: (f) => f.protocol, interface: (f) => f.observation_point, ip: (f) => f.server.ip, server_port: (f) => f.server.port, port: (f) => f.server.port, server_name: (f) => f.server_name, category: (f) => f.category };
		const none = () => ({ flows: 0, packets: 0, bytes: 0, bytes_sent: 0, bytes_received: 0, goodput: 0, retransmissions: 0, lost: 0, score: 0 });
		const add = (s, f) => {
			s.flows += 1;
			s.packets += f.packets.sent + f.packets.received;
			s.bytes += f.bytes.sent + f.bytes.received;
			s.bytes_sent += f.bytes.sent;
			s.bytes_received += f.bytes.received;
		};
		const table = new Map();
		const all = none();
		for (const f of this.kept) {
			if (f.last < from || f.last >= to) continue;
			const group = Object.fromEntries(by.map((b) => [b, key[b]?.(f) ?? null]));
			const id = JSON.stringify(group);
			if (!table.has(id)) table.set(id, { group, ...none(), buckets: [] });
			add(table.get(id), f);
			add(all, f);
			if (bucket) course.set(Math.floor(f.last / bucket) * bucket, (course.get(Math.floor(f.last / bucket) * bucket) ?? 0) + f.bytes.sent + f.bytes.received);
		}
		const groups = [...table.values()].sort((a, b) => b[measure] - a[measure]);
		const rest = none();
		for (const g of groups.slice(limit)) for (const k of Object.keys(rest)) rest[k] += g[k];
		return {
			now: this.now,
			from,
			to,
			by,
			measure,
			bucket,
			all: { groups: groups.length, ...all, buckets: [...course].sort((a, b) => a[0] - b[0]) },
			groups: groups.slice(0, limit),
			rest: { groups: Math.max(0, groups.length - limit), ...rest, buckets: [] },
		};
	}

	devices() {
		return LOCAL.map((h, i) => ({
			mac: macOf(h),
			vendor: i % 3 === 0 ? 'Example Devices B.V.' : null,
			observation_point: 'lan0',
			address_space: 0,
			vlan: h[2],
			ips: [h[0]],
			bytes: { sent: 4e8 / (i + 1), received: 9e8 / (i + 1) },
			packets: { sent: 4e5, received: 7e5 },
			arp: { requests: 12 + i, replies: 9 },
			first: this.begin,
			last: this.now - i,
		}));
	}

	subjects(subject) {
		const keys = {
			network: ['192.168.1.0/24', '10.20.0.0/16'],
			country: ['US', 'DE', 'NL', 'FR', 'GB', 'JP', 'BR', 'IN', 'AU', 'ZA', 'CA', 'SE', 'PL', 'SG', 'KE', 'AR', 'ZZ'],
			as: ['15169', '3320', '0'],
			category: ['Web', 'Streaming', 'Unknown', '(other)'],
			host: ['192.168.1.10', '(other)'],
		}[subject];
		const row = (key, i) => ({ key, vlan: 0, address_space: 0, bytes: { in: Math.round(8e9 / (i + 1) ** 1.7), out: Math.round(1e9 / (i + 1) ** 1.7) }, packets: { in: 8000, out: 2000 }, last: this.now });
		return (keys ?? []).map(row);
	}

	sums(subject, key, from, to, resolution) {
		let list = this.history.get(subject === 'interface' && !this.file ? key : '') ?? [];
		if (subject === 'application') {
			const share = (this.apps.get(key)?.bytes ?? 0) / Math.max(1, this.totals.bytes);
			list = list.map((p) => [p[0], Math.round(p[1] * share), Math.round(p[2] * share), Math.round(p[3] * share), Math.round(p[4] * share), 0]);
		}
		if (resolution === 1) return list.filter((p) => p[0] >= from && p[0] < to);
		/* older buckets are made up from their time alone */
		const out = [];
		for (let at = Math.ceil(from / resolution) * resolution; at < to; at += resolution) {
			if (this.file && (at + resolution < this.begin || at > this.end)) continue;
			const day = 1 + 0.7 * Math.sin(((at % 86400) / 86400) * 2 * Math.PI - 1.9);
			const wiggle = 1 + 0.3 * Math.sin(at / 911) + 0.25 * Math.sin(at / 3517);
			const mean = 2.1e7 * day * wiggle * (subject === 'application' ? 0.2 : 1) * (subject === 'tenant' || subject === 'interface' || subject === 'application' ? 1 : 0.1);
			out.push([at, Math.round(mean * resolution), Math.round((mean / 900) * resolution), Math.round(mean * (1.6 + 0.5 * Math.sin(at / 77)) * (subject === 'tenant' || subject === 'interface' || subject === 'application' ? 1 : 60)), Math.round(mean / 500), 60]);
		}
		return out;
	}
}
