/* Tenants, users, groups, tokens, the audit log and settings of the mock: enough of what weir-authd judges for a page to be worked on. */

const NETWORK = /^(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9a-f:]+:[0-9a-f:]*)(?:\/\d{1,3})?$/i;
const NO_QUOTAS = { flows_per_s: null, stored_bytes: null, retention: null, series: null, keep_minutes: null, keep_five_minutes: null, keep_hours: null, keep_days: null };
const now = () => Date.now() / 1000;

/** [status, body] of a member that is wrong. */
const wrong = (field, detail, status = 400) => [status, { detail: `${field}: ${detail}`, errors: [{ field, detail }] }];

export class Administration {
	tenants = new Map();
	users = new Map();
	groups = new Map();
	tokens = [];
	entries = [];
	/* whether a directory and a provider are configured */
	providers = false;

	constructor() {
		const quotas = NO_QUOTAS;
		this.tenants.set('acme', { name: 'acme', title: 'Acme Ltd', selectors: [{ interface: 'lan0' }, { interface: 'wan0', vlan: 7 }], address_spaces: [1], quotas: { ...quotas, retention: 2592000, stored_bytes: 107374182400 } });
		this.tenants.set('beta', { name: 'beta', title: '', selectors: [{ exporter: '192.0.2.1' }, { exporter: '192.0.2.2', exporter_interface: 7 }, { network: '10.1.0.0/16' }, { network: '2001:db8::/32' }], address_spaces: [], quotas });
		const access = (tenant, role, more = {}) => ({ tenant, role, interfaces: [], exporters: [], networks: [], masked: false, ...more });
		const user = (name, more) => this.users.set(name, { name, kind: 'person', title: '', access: [], groups: [], disabled: false, provider: null, second_factor: false, created: now() - 9e6, last_login: null, failed_logins: 0, ...more });
		user('admin', { title: 'The first administrator', access: [access('*', 'platform-administrator')], last_login: { time: now() - 60, address: '192.0.2.7' } });
		user('alice', { title: 'Alice Amsel', access: [access('acme', 'tenant-administrator')], second_factor: true, last_login: { time: now() - 86400, address: '198.51.100.4' } });
		user('bob', { access: [access('beta', 'viewer', { networks: ['10.1.0.0/16'], masked: true })], failed_logins: 3 });
		user('carol', { title: 'Carol Dohle, night shift', access: [access('acme', 'operator')], groups: ['night-shift'], disabled: true });
		user('noc', { kind: 'service', title: 'Dashboards of the operations room', groups: ['night-shift'] });
		user('revisor', { access: [access('*', 'auditor')] });
		this.groups.set('night-shift', { name: 'night-shift', title: 'Who is there at night', members: ['carol', 'noc'], access: [access('acme', 'viewer'), access('beta', 'viewer')] });
		this.token({ owner: 'noc', label: 'grafana', tenant: 'acme', role: 'viewer', scopes: ['traffic:read'], expires: now() + 7e6, sources: ['192.0.2.0/24'] });
		for (let i = 239; i >= 0; i--) {
			const e = [
				['login', 'done', 'user:alice', null, ''],
				['admin_read', 'done', 'user:admin', 'user:bob', 'user.get'],
				['login_failed', 'refused', 'user:bob', null, 'wrong password'],
				['tenant_changed', 'done', 'user:admin', 'tenant:acme', 'selectors, quotas'],
				['rights_granted', 'done', 'user:admin', 'user:carol', 'operator in acme'],
				['token_used', 'done', 'user:noc', 'token:5f0e8a11', 'first use from this address'],
			][i % 6];
			this.entry(...e, now() - i * 700);
		}
	}

	entry(kind, outcome, actor, subject, detail, time = now()) {
		this.entries.push({ sequence: this.entries.length + 1, time, kind, outcome, actor, address: '192.0.2.7', credential: 'session:3fa94c10', tenant: '*', subject, detail });
	}

	token(t) {
		const id = Math.random().toString(16).slice(2, 10).padEnd(8, '0').repeat(2);
		const k = { id, role: 'viewer', tenant: '*', interfaces: [], exporters: [], networks: [], masked: false, sources: [], expires: null, created: now(), last_used: null, ...t };
		this.tokens.push(k);
		return k;
	}

	/** null: not of this; undefined: there is none. */
	read(path, q, who, role, tenant) {
		const of = (map, key) => (map.has(key) ? map.get(key) : undefined);
		const m = /^\/(tenants|users|groups)(?:\/([^/]+))?$/.exec(path);
		const may = ['platform-administrator', 'auditor', 'tenant-administrator'].includes(role);
		if (m && !may) return undefined;
		if (m) {
			const [, kind, raw] = m;
			const sees = (x) => tenant === '*' || (kind === 'tenants' ? x.name === tenant : x.access.length > 0 && x.access.every((a) => a.tenant === tenant));
			if (raw === undefined) return { [kind]: [...this[kind].values()].filter(sees) };
			const x = of(this[kind], decodeURIComponent(raw));
			return x !== undefined && sees(x) ? { [kind.slice(0, -1)]: x } : undefined;
		}
		if (path === '/tokens') return { tokens: this.tokens.filter((k) => q.get('all') || k.owner === (q.get('owner') ?? who)) };
		if (path === '/audit') {
			const limit = Number(q.get('limit') ?? 100);
			const at = Number(q.get('cursor') ?? 0);
			const list = [...this.entries].reverse().filter((e) => e.time >= Number(q.get('from') ?? 0) && e.time < Number(q.get('to') ?? Infinity) && (!q.has('actor') || e.actor === q.get('actor')) && (!q.has('kind') || e.kind === q.get('kind')));
			return { entries: list.slice(at, at + limit), ...(at + limit < list.length ? { cursor: String(at + limit) } : {}) };
		}
		if (path === '/settings')
			return tenant !== '*'
				? undefined
				: {
						settings: [
							{ key: 'name', value: 'lab-east', default: 'weir', unit: null, help: 'name of this monitor, shown on the page' },
							{ key: 'interfaces', value: ['lan0', 'wan0'], default: [], unit: null, help: 'interfaces to monitor; empty: the one with the default route' },
							{ key: 'local_networks', value: [], default: [], unit: null, help: 'networks that count as local (default: private and link-local ones)' },
							{ key: 'store.size', value: 68719476736, default: 17179869184, unit: 'bytes', help: 'most that the database may grow to' },
							{ key: 'store.keep_flows', value: 2592000000, default: 2592000000, unit: 'milliseconds', help: 'how long flow records are kept' },
							{ key: 'authd.password_length', value: 12, default: 12, unit: null, help: 'shortest password accepted' },
							{ key: 'ldap.servers', value: this.providers ? ['ldaps://ldap.example.com'] : [], default: [], unit: null, help: 'servers of the directory, in the order that they are tried in' },
							{ key: 'ldap.groups', value: this.providers ? ['cn=night,ou=groups,dc=example,dc=com => night-shift', 'noc => operators'] : [], default: [], unit: null, help: 'which group of the directory is which of Weir’s' },
							...(this.providers
								? [
										{ key: 'oidc.1.name', value: 'corp', default: '', unit: null, help: 'what it is called here' },
										{ key: 'oidc.1.label', value: 'Corporate login', default: '', unit: null, help: 'what its button on the login page says' },
										{ key: 'oidc.1.issuer', value: 'https://login.example.com/realms/noc', default: '', unit: null, help: 'its issuer identifier' },
										{ key: 'oidc.1.groups', value: ['night => night-shift'], default: [], unit: null, help: 'which of its groups is which of Weir’s' },
										{ key: 'oidc.1.tenants', value: ['acme'], default: [], unit: null, help: 'tenants that it may let people into' },
									]
								: []),
							{ key: 'engine.dpi', value: true, default: true, unit: null, help: 'name applications by deep packet inspection' },
						],
					};
		return null;
	}

	accesses(list) {
		for (const [i, a] of (list ?? []).entries()) {
			if (a.tenant !== '*' && !this.tenants.has(a.tenant)) return wrong(`access[${i}].tenant`, 'There is no such tenant.');
			for (const [j, n] of (a.networks ?? []).entries()) if (!NETWORK.test(n)) return wrong(`access[${i}].networks[${j}]`, 'It is no network: write it as 192.0.2.0/24 or 2001:db8::/32.');
		}
		return null;
	}

	provider(b) {
		if (b.provider === undefined) return null;
		if (!this.providers || !['ldap', 'corp'].includes(b.provider)) return wrong('provider', 'There is no provider of this name (oidc[].name).');
		return b.name === b.name.toLowerCase() ? null : wrong('name', 'Users of a provider are written in small letters.');
	}

	judge(kind, b) {
		if (kind === 'tenants') {
			for (const [i, s] of (b.selectors ?? []).entries()) {
				if (s.vlan !== undefined && !(Number.isInteger(s.vlan) && s.vlan <= 4094)) return wrong(`selectors[${i}].vlan`, 'It must be a whole number from 0 to 4094.');
				if (s.network !== undefined && !NETWORK.test(s.network)) return wrong(`selectors[${i}].network`, 'It is no network: write it as 192.0.2.0/24 or 2001:db8::/32.');
				if (s.exporter_interface !== undefined && s.exporter === undefined) return wrong(`selectors[${i}].exporter_interface`, 'It needs an exporter beside it.');
			}
			for (const [k, v] of Object.entries(b.quotas ?? {})) if (v !== null && !(v >= 1)) return wrong(`quotas.${k}`, 'It must be a whole number from 1 to 9007199254740992.');
		}
		for (const [i, m] of (b.members ?? []).entries()) if (!this.users.has(m)) return wrong(`members[${i}]`, 'There is no such user.');
		return this.accesses(b.access);
	}

	/** [status, body]; null: not of this. */
	change(method, path, b, who) {
		if (path === '/audit/anchor' || path === '/keys/grants/rotate') {
			this.entry(path === '/audit/anchor' ? 'anchor' : 'key_rotated', 'done', `user:${who}`, null, '');
			return [204, null];
		}
		if (path === '/tokens' && method === 'POST') {
			const owner = b.owner ?? who;
			if (owner !== who && !this.users.has(owner)) return wrong('owner', 'There is no such user.');
			for (const [i, n] of (b.sources ?? []).entries()) if (!NETWORK.test(n)) return wrong(`sources[${i}]`, 'It is no network: write it as 192.0.2.0/24 or 2001:db8::/32.');
			const k = this.token({ ...b, owner });
			this.entry('token_added', 'done', `user:${who}`, `token:${k.id}`, k.label);
			return [201, { token: k, secret: `weir_mock${k.id}` }];
		}
		let m = /^\/tokens\/(.+)$/.exec(path);
		if (m && method === 'DELETE') {
			this.tokens = this.tokens.filter((k) => k.id !== m[1]);
			return [204, null];
		}
		m = /^\/users\/([^/]+)\/(password|second-factor)$/.exec(path);
		if (m) {
			const u = this.users.get(decodeURIComponent(m[1]));
			if (u === undefined) return [404, { detail: 'No such thing.' }];
			if (m[2] === 'second-factor') {
				u.second_factor = false;
				return [204, null];
			}
			if (b.password !== undefined && [...b.password].length < 12) return wrong('password', 'The password has fewer than 12 characters.');
			return b.password === undefined ? [200, { password: 'mock-made-up-password' }] : [204, null];
		}
		m = /^\/(tenants|users|groups)(?:\/([^/]+))?$/.exec(path);
		if (!m) return null;
		const [, kind, raw] = m;
		const map = this[kind];
		const one = kind.slice(0, -1);
		if (raw === undefined) {
			if (method !== 'POST') return null;
			if (!/^[A-Za-z0-9][\w. -]*$/.test(b.name ?? '')) return wrong('name', b.name ? 'It may have letters, digits, and . _ - after the first.' : 'It is empty.');
			if (map.has(b.name)) return wrong('name', `There is a ${one} of this name.`, 409);
			const bad = this.judge(kind, b) ?? this.provider(b);
			if (bad) return bad;
			const blank =
				kind === 'users'
					? { title: '', access: [], groups: [], disabled: false, provider: null, second_factor: false, created: now(), last_login: null, failed_logins: 0 }
					: kind === 'groups'
						? { title: '', members: [], access: [] }
						: { title: '', selectors: [], address_spaces: [], quotas: NO_QUOTAS };
			const { password, ...rest } = b;
			map.set(b.name, { ...blank, ...rest });
			this.entry(`${one}_added`, 'done', `user:${who}`, `${one}:${b.name}`, '');
			return [201, { [one]: map.get(b.name), ...(kind === 'users' && b.kind === 'person' && password === undefined && b.provider === undefined ? { password: 'mock-made-up-password' } : {}) }];
		}
		const name = decodeURIComponent(raw);
		const x = map.get(name);
		if (x === undefined) return [404, { detail: 'No such thing.' }];
		if (method === 'DELETE') {
			if (kind === 'tenants' && [...this.users.values(), ...this.groups.values()].some((u) => u.access.some((a) => a.tenant === name))) return wrong('name', 'Accesses of users or groups, or tokens, name this tenant.', 409);
			map.delete(name);
			this.entry(`${one}_removed`, 'done', `user:${who}`, `${one}:${name}`, '');
			return [204, null];
		}
		const bad = this.judge(kind, b);
		if (bad) return bad;
		Object.assign(x, b);
		this.entry(`${one}_changed`, 'done', `user:${who}`, `${one}:${name}`, Object.keys(b).join(', '));
		return [200, { [one]: x }];
	}
}
