/*
 * The API with made-up data, and the built page, for work on the page alone:
 *
 *   node mock/server.mjs [--port 3100] [--file] [--setup] [--quiet]
 *
 * --setup: no administrator exists; the link's secret is "mock-secret". Else: admin / "correct horse battery"; the code of a
 * second factor is 123456.
 * POST /mock/{kill,expire,down,loss,unavailable,history,role,unconfirmed,gap,tenants,directory} makes what a page has to live with. Never part of a build.
 */
import { createServer } from 'node:http';
import { readdirSync, readFileSync } from 'node:fs';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Administration } from './admin.mjs';
import { World } from './world.mjs';

const DIST = new URL('../dist/', import.meta.url);
const TYPES = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml', '.woff2': 'font/woff2' };
const CSP =
	"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
const COOKIE = 'weir-mock';

export async function start({ port = 0, file = false, setup = false, many = 0 } = {}) {
	const world = new World({ file });
	const accounts = new Map(setup ? [] : [['admin', 'correct horse battery']]);
	const sessions = new Map();
	const administration = new Administration();
	const tenants = () => (role === 'platform-administrator' || role === 'auditor' ? ['*', ...administration.tenants.keys()] : ['acme', 'beta']);
	let role = 'platform-administrator';
	let unconfirmed = false;
	let factor = 'off';
	let wanted = false; // a second factor, before anything else
	let labels = [];
	let watched = [];
	let gap = [0, 0]; // Weir did not run
	const streams = new Set();
	const sockets = new Set();
	let downUntil = 0;
	let storeAway = 0;
	let history = { status: 'ok', why: null };
	let failures = 0;

	function send(res, status, body, headers = {}) {
		if (res.format && status === 200) return sendTable(res, body, res.format);
		const type = status >= 400 ? 'application/problem+json' : 'application/json';
		res.writeHead(status, { 'Content-Type': type, 'Cache-Control': 'no-store', 'X-Content-Type-Options': 'nosniff', ...headers });
		res.end(body === null ? undefined : JSON.stringify(body));
	}
	function problem(res, status, detail, headers) {
		send(res, status, { type: 'about:blank', title: `status ${status}`, status, detail }, headers);
	}
	function refuse(res, field, detail) {
		send(res, 400, { type: 'about:blank', title: 'Bad Request', status: 400, detail: `${field}: ${detail}`, errors: [{ field, detail }] });
	}
	function session(req) {
		const m = /(?:^|;\s*)weir-mock=([^;]+)/.exec(req.headers.cookie ?? '');
		return m ? sessions.get(m[1]) : undefined;
	}
	function meOf(s, tenant = '*') {
		return {
			name: s.name,
			role,
			tenant,
			csrf: s.csrf,
			session_expires: Date.now() / 1000 + 43200,
			version: '0.1-mock',
			monitor: 'lab-east',
			account: {
				user: {
					name: s.name,
					kind: 'person',
					title: '',
					access: tenants().map((x) => ({ tenant: x, role: x === '*' ? role : 'viewer', networks: x === 'beta' ? ['10.0.0.0/8'] : [] })),
					groups: ['night-shift'],
					disabled: false,
					second_factor: factor === 'on',
					created: 0,
					last_login: { time: Date.now() / 1000 - 86400, address: '192.0.2.7' },
					provider: null,
					failed_logins: 0,
				},
				tenants: tenants(),
				second_factor: factor === 'on',
				recovery_codes_left: factor === 'on' ? 3 : 0,
				must_enrol: wanted && factor !== 'on',
			},
		};
	}
	function sessionOut(s, current) {
		const now = Date.now() / 1000;
		return { id: s.id.slice(0, 8), user: s.name, address: '127.0.0.1', agent: 'Mozilla/5.0 (mock)', created: now - 600, last_seen: now, expires: now + 43200, current };
	}
	function enter(res, name) {
		const id = Math.random().toString(36).slice(2);
		const s = { id, name, csrf: `t${id}` };
		sessions.set(id, s);
		send(res, 200, { me: meOf(s) }, { 'Set-Cookie': `${COOKIE}=${id}; HttpOnly; SameSite=Strict; Path=/` });
	}
	async function body(req) {
		let text = '';
		for await (const c of req) text += c;
		return text === '' ? {} : JSON.parse(text);
	}
	function sorted(list, key) {
		const by = {
			bytes: (x) => x.bytes.sent + x.bytes.received,
			rate: (x) => x.bytes_per_second.sent + x.bytes_per_second.received,
			flows: (x) => (x.flows ? x.flows.client + x.flows.server : 0),
			last: (x) => x.last,
			first: (x) => x.first,
			score: (x) => x.score,
		}[key || 'rate'];
		return [...list].sort((a, b) => by(b) - by(a));
	}
	function page(list, q, copy) {
		const limit = Math.min(1000, Number(q.get('limit') ?? 100));
		const at = Number(q.get('cursor') ?? 0);
		if (many > 0 && list.length > 0) {
			/* as many as were asked for, made of those that there are */
			const end = Math.min(many, at + limit);
			return [Array.from({ length: Math.max(0, end - at) }, (_, i) => copy(list[(at + i) % list.length], at + i)), end < many ? String(end) : null];
		}
		return [list.slice(at, at + limit), at + limit < list.length ? String(at + limit) : null];
	}
	function top(list, n) {
		return sorted(list, world.file ? 'bytes' : 'rate').slice(0, n);
	}
	function live() {
		return {
			now: world.clock(),
			totals: world.totalsOut(),
			interfaces: world.interfaceList(),
			hosts: top(world.hosts.values(), 10).map(world.hostOut),
			applications: [...world.apps.values()].sort((a, b) => b.bytes - a.bytes).slice(0, 10),
			flows: top(world.flows, 20).map(world.flowOut),
			drops: world.dropList(),
			components: world.components,
			status: history.status === 'ok' && world.components.every((c) => c.state === 'running' || c.state === 'ended') ? 'ok' : 'degraded',
			history,
		};
	}
	const away = () => Date.now() < storeAway;
	const tick = setInterval(() => {
		world.advance();
		for (const res of streams) {
			if (away()) {
				const c = { ...world.components[0], state: 'restarting', restarts: 0, last_death: null, since: Date.now() / 1000, why: 'not connected to httpd' };
				res.write(`event: unavailable\ndata: ${JSON.stringify({ status: 'degraded', why: 'store is away', components: [c] })}\n\n`);
			} else res.write(`event: live\ndata: ${JSON.stringify(live())}\n\n`);
		}
	}, 1000);

	async function control(req, res, what) {
		const b = await body(req);
		if (what === 'kill') {
			const c = world.components.find((x) => x.name === b.component);
			const at = Date.now() / 1000;
			Object.assign(c, { state: 'restarting', since: at, last_death: at, why: 'killed by SIGKILL' });
			setTimeout(() => Object.assign(c, { state: 'running', since: Date.now() / 1000, restarts: c.restarts + 1 }), b.back ?? 1500);
		} else if (what === 'expire') {
			sessions.clear();
			for (const r of streams) r.end('event: end\ndata: {"why":"session"}\n\n');
			streams.clear();
		} else if (what === 'down') {
			downUntil = Date.now() + (b.ms ?? 3000);
			setTimeout(() => sockets.forEach((s) => s.destroy()), 50);
		} else if (what === 'loss') {
			world.drops += b.count ?? 1200;
		} else if (what === 'unavailable') {
			storeAway = Date.now() + (b.ms ?? 3000);
			const c = world.components[0];
			Object.assign(c, { restarts: c.restarts + 1, last_death: Date.now() / 1000, since: Date.now() / 1000 + 1, why: 'killed by SIGKILL' });
		} else if (what === 'hurry') {
			/* so many seconds at once */
			for (let n = 0; n < b.seconds; n++) {
				world.ahead++;
				world.advance();
				for (const s of streams) s.write(`event: live\ndata: ${JSON.stringify(live())}\n\n`);
			}
		} else if (what === 'history') {
			history = b;
		} else if (what === 'role') {
			role = b.role;
		} else if (what === 'gap') {
			gap = [b.from, b.to];
		} else if (what === 'directory') {
			administration.providers = b.on;
		} else if (what === 'tenants') {
			for (let i = 1; i <= b.count; i++) administration.tenants.set(`customer-${i}`, { ...administration.tenants.get('beta'), name: `customer-${i}`, selectors: [{ vlan: i }] });
		} else if (what === 'unconfirmed') {
			unconfirmed = b.on;
		} else if (what === 'want-factor') {
			wanted = b.wanted;
			if (b.off) factor = 'off';
		} else return problem(res, 404, 'no such control');
		send(res, 200, { ok: true });
	}

	function explain(res, { name = '', provider = '' }) {
		if (!administration.providers) return send(res, 409, { type: 'about:blank', title: 'Conflict', status: 409, detail: 'There is no directory: set ldap.servers.', errors: [] });
		if (provider === 'corp')
			return send(res, 200, {
				provider: { verdict: 'right', why: 'it answers', steps: ['https://login.example.com/realms/noc/.well-known/openid-configuration: read', '2 keys for RS256'], authorization_endpoint: 'https://login.example.com/realms/noc/auth', end_session_endpoint: null, backchannel_logout: true, pkce: true, iss_parameter: true },
			});
		const account = administration.users.get(name);
		if (account?.provider === 'corp')
			return send(res, 200, { identity: { provider: 'corp', configured: true, sub: null, last_login: null, lapsed: false, groups: [], cut: false, weir_groups: [], admitted: false } });
		const there = name === 'erin' || name === 'frank';
		const said = {
			verdict: name === '' || there ? 'right' : 'unknown',
			why: name === '' ? 'the servers answer' : there ? 'found' : 'the directory has nobody, or several, by that name',
			dn: there ? `uid=${name},ou=people,dc=example,dc=com` : null,
			title: there ? 'Erin Eule' : null,
			steps: ['ldaps://ldap.example.com: connected, TLS 1.3, the certificate is of this host', 'bound as cn=weir,ou=services,dc=example,dc=com', ...(name === '' ? ['the base ou=people,dc=example,dc=com is there'] : [`(uid=${name}) below ou=people,dc=example,dc=com: ${there ? 'one entry' : 'none'}`])],
			groups: there ? ['cn=noc,ou=groups,dc=example,dc=com', 'cn=all,ou=groups,dc=example,dc=com'] : [],
			weir_groups: name === 'erin' ? ['night-shift'] : [],
			admitted: name === 'erin',
		};
		return send(res, 200, { directory: said, local: administration.users.has(name) });
	}

	/* the longest list of an answer, as a file */
	function sendTable(res, body, format) {
		const rows = Object.values(body).find(Array.isArray) ?? [];
		const flat = (o, at = '') => Object.entries(o).flatMap(([k, v]) => (v !== null && typeof v === 'object' && !Array.isArray(v) ? flat(v, `${at}${k}.`) : [[at + k, Array.isArray(v) ? v.join('|') : v]]));
		const cell = (v) => (v === null || v === undefined ? '' : /[",\r\n]/.test(String(v)) ? `"${String(v).replaceAll('"', '""')}"` : String(v));
		const head = rows.length > 0 ? flat(rows[0]).map(([k]) => k) : [];
		const csv = () => [head, ...rows.map((r) => { const m = new Map(flat(r)); return head.map((k) => m.get(k)); })].map((l) => `${l.map(cell).join(',')}\r\n`).join('');
		res.writeHead(200, { 'Content-Type': format === 'csv' ? 'text/csv; charset=utf-8' : 'application/x-ndjson', 'Cache-Control': 'no-store' });
		res.end(format === 'csv' ? csv() : rows.map((r) => `${JSON.stringify(r)}\n`).join(''));
	}

	async function api(req, res, path, q) {
		if (path === '/session/providers' && req.method === 'GET') return send(res, 200, { providers: administration.providers ? [{ name: 'corp', label: 'Corporate login' }] : [], chosen: null });
		if (path === '/setup' && req.method === 'GET') return send(res, 200, { open: accounts.size === 0 });
		if (req.method === 'POST') {
			const token = req.headers['x-weir-csrf'];
			if (path === '/setup') {
				const b = await body(req);
				if (token !== '1') return problem(res, 403, 'The request lacks its CSRF token.');
				if (accounts.size > 0) return problem(res, 409, 'An administrator exists already, or the link was used.');
				if (b.secret !== 'mock-secret') return problem(res, 401, 'The set-up link is not valid.');
				if ([...b.password].length < 12) return problem(res, 422, 'The password has fewer than 12 characters.');
				accounts.set(b.name, b.password);
				return enter(res, b.name);
			}
			if (path === '/login') {
				const b = await body(req);
				if (token !== '1') return problem(res, 403, 'The request lacks its CSRF token.');
				if (failures >= 8) {
					failures = 0;
					return problem(res, 429, 'Too many attempts.', { 'Retry-After': '3' });
				}
				if (accounts.get(b.name) !== b.password) {
					failures++;
					return problem(res, 401, 'Name or password is wrong.');
				}
				if (factor === 'on') return send(res, 202, { second_factor: 'required', ticket: `ticket ${b.name}` });
				return enter(res, b.name);
			}
			if (path === '/login/second-factor') {
				const b = await body(req);
				if (token !== '1') return problem(res, 403, 'The request lacks its CSRF token.');
				if (b.code !== '123456' && b.code !== 'aaaa-bbbb') return problem(res, 401, 'The code is wrong, or the login took too long.');
				return enter(res, b.ticket.slice(7));
			}
		}
		if (req.method !== 'GET') {
			const token = req.headers['x-weir-csrf'];
			const s = session(req);
			if (s === undefined) return problem(res, 401, 'Log in.');
			if (token !== s.csrf) return problem(res, 403, 'The request lacks its CSRF token.');
			const m = /^\/(tokens|sessions)\/(.+)$/.exec(path);
			if (req.method === 'DELETE' && m?.[1] === 'sessions') {
				for (const o of sessions.values()) if (o.id.startsWith(m[2])) sessions.delete(o.id);
				return send(res, 200, { ended: 1 });
			}
			if (req.method === 'DELETE' && path === '/sessions') {
				let ended = 0;
				for (const o of sessions.values())
					if (o !== s && (q.get('others') === 'true' || o.name === q.get('user'))) {
						sessions.delete(o.id);
						ended++;
					}
				return send(res, 200, { ended });
			}
			if (path === '/directory/explain') return explain(res, await body(req));
			const done = /^\/(tokens|tenants|users|groups|audit|keys)/.test(path) ? administration.change(req.method, path, await body(req), s.name) : null;
			if (done !== null) {
				const [status, out] = done;
				if (status >= 400) return send(res, status, { type: 'about:blank', title: `status ${status}`, status, ...out });
				return send(res, status, out, unconfirmed ? { 'Weir-Unconfirmed': 'store' } : {});
			}
			if (path === '/labels' && req.method === 'PUT') {
				const { label, ...of } = await body(req);
				labels = labels.filter((l) => l.kind !== of.kind || l.key !== of.key || l.vlan !== of.vlan);
				if (label !== '') labels.push({ ...of, label });
				return send(res, 204, null);
			}
			if (path === '/watched' && req.method === 'PUT') {
				const { watched: on = true, ...of } = await body(req);
				watched = watched.filter((w) => w.kind !== of.kind || w.key !== of.key || w.vlan !== of.vlan);
				if (on) watched.push(of);
				return send(res, 204, null);
			}
			if (path === '/me/password') {
				const b = await body(req);
				if (accounts.get(s.name) !== b.old) return refuse(res, 'old', 'It is not your password: the present password is wanted.');
				if ([...b.new].length < 12) return refuse(res, 'new', 'The password has fewer than 12 characters.');
				accounts.set(s.name, b.new);
				return send(res, 204, null);
			}
			if (path === '/me/second-factor') {
				factor = 'begun';
				return send(res, 200, { secret: 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP', uri: 'otpauth://totp/Weir:admin?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Weir' });
			}
			if (path === '/me/second-factor/remove') {
				if (!['123456', 'cccc-dddd'].includes((await body(req)).code)) return refuse(res, 'code', 'The code is wrong, or was used before.');
				factor = 'off';
				return send(res, 204, null);
			}
			if (path === '/me/second-factor/confirm') {
				if ((await body(req)).code !== '123456') return refuse(res, 'code', 'The code is wrong, or was used before.');
				factor = 'on';
				return send(res, 200, { recovery_codes: ['aaaa-bbbb', 'cccc-dddd', 'eeee-ffff', 'gggg-hhhh'] });
			}
			if (path === '/logout') {
				sessions.delete(s.id);
				return send(res, 204, null);
			}
			return problem(res, 404, 'No such thing.');
		}
		if (path === '/health' && session(req) === undefined) return send(res, 200, { status: 'ok' });
		const s = session(req);
		if (s === undefined) return problem(res, 401, 'The session has ended: log in.');
		const tenant = req.headers['weir-tenant'] ?? q.get('tenant') ?? tenants()[0];
		if (!tenants().includes(tenant)) return problem(res, 404, 'No such thing.');
		if (path === '/me') return send(res, 200, meOf(s, tenant));
		if (path === '/labels') return send(res, 200, { labels });
		if (path === '/watched') return send(res, 200, { watched });
		if (path === '/sessions') return send(res, 200, { sessions: [...sessions.values()].filter((o) => q.get('all') || o.name === (q.get('user') ?? s.name)).map((o) => sessionOut(o, o === s)) });
		const read = administration.read(path, q, s.name, role, tenant);
		if (read !== null) return read === undefined ? problem(res, 404, 'No such thing.') : send(res, 200, read);
		if (path === '/live') {
			res.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
			if (wanted && factor !== 'on') return res.end('event: end\ndata: {"why":"role"}\n\n');
			res.write(': hello\n\n');
			if (!away()) res.write(`event: live\ndata: ${JSON.stringify(live())}\n\n`);
			streams.add(res);
			req.on('close', () => streams.delete(res));
			return undefined;
		}
		if (away()) return problem(res, 503, 'The store does not answer now.');
		const now = world.clock();
		if (path === '/interfaces') return send(res, 200, { now, interfaces: world.interfaceList() });
		if (path === '/totals') return send(res, 200, { now, totals: { ...world.totalsOut(), dropped: {}, undecoded: {} } });
		if (path === '/applications') return send(res, 200, { now, applications: [...world.apps.values()].sort((a, b) => b.bytes - a.bytes) });
		if (path === '/health')
			return send(res, 200, {
				status: 'ok',
				now,
				components: world.components,
				drops: world.dropList(),
				counters: [
					{ place: 'capture.merged', interface: 'wan0', worker: 0, count: 412 },
					{ place: 'engine.flow_table_full', interface: null, worker: 0, count: 0 },
					...['acme', 'beta'].map((n, i) => ({ place: `store.tenant_bytes.${n}`, interface: null, worker: null, count: 48e9 / (i * 9 + 1) })),
					{ place: 'store.tenant_forgotten.acme', interface: null, worker: null, count: 120400 },
				],
				undecoded: [
					{ reason: 'arp', interface: 'lan0', worker: 0, count: 1834 },
					{ reason: 'lldp', interface: 'lan0', worker: 0, count: 27 },
				],
				history,
			});
		if (path === '/timeseries') {
			const [from, to] = [Number(q.get('from')), Number(q.get('to'))];
			const fine = ['tenant', 'interface', 'application'].includes(q.get('subject'));
			const resolution = Number(q.get('resolution') ?? [1, 60, 300, 3600, 86400].find((r) => (fine || r > 1) && (to - from) / r <= 1000));
			const ran = (p) => p[0] + resolution <= gap[0] || p[0] >= gap[1];
			if (q.get('subject') === 'weir') {
				const at = (t) => [t, 0, resolution / 60, 0, 0, 0, 0, 0, resolution / 60, 0];
				const first = Math.floor(from / resolution);
				const points = Array.from({ length: Math.max(0, Math.ceil(Math.min(to, now - 60) / resolution) - first) }, (_, i) => at((first + i) * resolution)).filter(ran);
				return send(res, 200, { now, subject: 'weir', key: q.get('key'), resolution, source: 'series', points: world.file ? [] : points });
			}
			if (q.has('percentile')) {
				const b = world.series(q.get('subject'), q.get('key') ?? '', from, to, 300).map((p) => p[1]).sort((x, y) => x - y);
				const bytes = b[Math.ceil(b.length * 0.95) - 1] ?? 0;
				return send(res, 200, { now, subject: q.get('subject'), key: q.get('key'), resolution: 300, percentile: { percent: 95, buckets: b.length, bytes, bytes_in: Math.round(bytes * 0.8), bytes_out: Math.round(bytes * 0.2) }, points: [] });
			}
			const points = world.series(q.get('subject'), q.get('key') ?? '', Number(q.get('from')), Number(q.get('to')), resolution).filter(ran);
			return send(res, 200, { now, subject: q.get('subject'), key: q.get('key'), resolution, points });
		}
		const sums = { '/networks': 'network', '/countries': 'country', '/as': 'as', '/categories': 'category' }[path];
		if (sums) {
			const rows = world.subjects(sums).map(({ vlan: _v, address_space: _a, ...r }) => ({ ...r, ...(sums === 'as' ? { name: r.key === '0' ? null : 'Example Networks' } : {}), bytes_per_second: { in: Math.round(r.bytes.in / 4e4), out: Math.round(r.bytes.out / 4e4) } }));
			return send(res, 200, { now, [path.slice(1)]: rows, next_cursor: null });
		}
		if (path === '/timeseries/subjects') return send(res, 200, { now, subject: q.get('subject'), subjects: world.subjects(q.get('subject')), next_cursor: null });
		if (path === '/devices') return send(res, 200, { now, devices: world.devices(), next_cursor: null });
		if (path === '/hosts') {
			const p = q.get('interface');
			const list = sorted([...world.hosts.values()].filter((h) => !p || h.points.has(p)), q.get('sort') ?? 'bytes');
			const [hosts, next_cursor] = page(list, q, (h, i) => ({ ...h, ip: `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}` }));
			return send(res, 200, { now, hosts: hosts.map(world.hostOut), next_cursor });
		}
		let m = /^\/hosts\/([^/]+)$/.exec(path);
		if (m) {
			const h = world.hosts.get(`${decodeURIComponent(m[1])} ${Number(q.get('vlan') ?? 0)}`);
			return h ? send(res, 200, world.hostOut(h)) : problem(res, 404, 'No such thing.');
		}
		if (path === '/filter') return send(res, 200, { words: [{ word: 'port', ends: true, help: 'port of an end' }] });
		if (path === '/flows') {
			const kept = q.has('from');
			if (kept && q.has('sort')) return problem(res, 400, 'sort: kept flows are always newest first');
			let list = kept ? world.kept.filter((f) => f.last >= Number(q.get('from')) && f.last < Number(q.get('to') ?? Infinity)) : sorted(world.flows, q.get('sort'));
			const host = q.get('host');
			const application = q.get('application');
			const point = q.get('interface');
			list = list.filter(
				(f) =>
					(!host || f.client.ip === host || f.server.ip === host) &&
					(!application || f.application === application) &&
					(!point || f.observation_point === point),
			);
			const [flows, next_cursor] = page(list, q, (f, i) => ({ ...f, id: i.toString(16).padStart(32, '0') }));
			return send(res, 200, { now, flows: flows.map(world.flowOut), next_cursor });
		}
		if (path === '/flows/top') {
			const bad = /bad/.exec(q.get('filter') ?? '');
			if (bad) return send(res, 400, { title: 'Bad Request', status: 400, detail: 'filter: is no word', errors: [{ field: 'filter', detail: 'is no word', at: bad.index, length: 3 }] });
			return send(res, 200, world.groups(q.get('by').split(','), q.get('measure') ?? 'bytes', Number(q.get('from')), Number(q.get('to')), Number(q.get('limit') ?? 100), Number(q.get('bucket') ?? 0) || null));
		}
		m = /^\/flows\/([0-9a-f]{32})$/.exec(path);
		if (m) {
			const flows = [...world.flows, ...world.kept].filter((f) => f.id === m[1]);
			return flows.length ? send(res, 200, { now, flows: flows.map(world.flowOut) }) : problem(res, 404, 'No such thing.');
		}
		return problem(res, 404, 'No such thing.');
	}

	/* from memory, as httpd does: a build in the middle of a test changes nothing */
	const files = new Map(readdirSync(new URL('assets/', DIST)).map((f) => [`/assets/${f}`, readFileSync(new URL(`assets/${f}`, DIST))]));
	const index = readFileSync(new URL('index.html', DIST));

	function asset(res, path) {
		const data = files.get(path) ?? (path.startsWith('/assets/') ? undefined : index);
		if (data === undefined) return problem(res, 404, 'No such thing.');
		res.writeHead(200, { 'Content-Type': data === index ? TYPES['.html'] : TYPES[extname(path)], 'Content-Security-Policy': CSP, 'X-Content-Type-Options': 'nosniff' });
		return res.end(data);
	}

	const server = createServer((req, res) => {
		if (Date.now() < downUntil) return void req.socket.destroy();
		const url = new URL(req.url, 'http://mock');
		const done = url.pathname.startsWith('/mock/')
			? control(req, res, url.pathname.slice(6))
			: url.pathname.startsWith('/api/v1/')
				? api(req, Object.assign(res, { format: ['csv', 'ndjson'].includes(url.searchParams.get('format')) ? url.searchParams.get('format') : '' }), url.pathname.slice(7), url.searchParams)
				: asset(res, url.pathname);
		Promise.resolve(done).catch((e) => problem(res, 500, String(e)));
	});
	server.on('connection', (s) => {
		sockets.add(s);
		s.on('close', () => sockets.delete(s));
	});
	await new Promise((ok) => server.listen(port, '127.0.0.1', ok));
	return {
		base: `http://127.0.0.1:${server.address().port}`,
		world,
		stop: () => {
			clearInterval(tick);
			for (const s of sockets) s.destroy();
			server.close();
		},
	};
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
	const has = (name) => process.argv.includes(name);
	const at = process.argv.indexOf('--port');
	const m = await start({ port: at > 0 ? Number(process.argv[at + 1]) : 3100, file: has('--file'), setup: has('--setup') });
	if (!has('--quiet')) console.log(has('--setup') ? `${m.base}/setup#mock-secret` : `${m.base}  admin / correct horse battery`);
}
