/* Who judges logins beside Weir: the directory and the providers of OpenID Connect, as the settings have them. Pure. */
import type { Setting } from '../../api/admin';
import { t } from '../../strings.admin';

/** The directory, as an account names it that is its. */
export const DIRECTORY = 'ldap';

export interface Provider {
	/** as an account names it that is its */
	name: string;
	/** as people call it */
	label: string;
	/** its servers, or its issuer */
	where: string[];
	/** which of its groups is which of Weir's */
	groups: { theirs: string; ours: string }[];
	/** tenants that it may let people into; none: all */
	tenants: string[];
}

const list = (v: unknown): string[] => (Array.isArray(v) ? v.map(String) : []);

/** "theirs => ours" */
function mappings(v: unknown): Provider['groups'] {
	return list(v).flatMap((line) => {
		const at = line.indexOf('=>');
		return at < 0 ? [] : [{ theirs: line.slice(0, at).trim(), ours: line.slice(at + 2).trim() }];
	});
}

/** Those that are configured: the directory first, the others in their order. */
export function providersOf(settings: readonly Setting[]): Provider[] {
	const value = new Map(settings.map((s) => [s.key, s.value]));
	const out: Provider[] = [];
	const servers = list(value.get('ldap.servers'));
	if (servers.length > 0) out.push({ name: DIRECTORY, label: t.directory.ldap, where: servers, groups: mappings(value.get('ldap.groups')), tenants: [] });
	for (let i = 1; value.has(`oidc.${i}.name`); i++) {
		const of = (key: string) => value.get(`oidc.${i}.${key}`);
		const name = String(of('name') ?? '');
		if (name !== '') out.push({ name, label: String(of('label') || name), where: [String(of('issuer') ?? '')], groups: mappings(of('groups')), tenants: list(of('tenants')) });
	}
	return out;
}

/** How the provider of an account is called, where it is configured or not. */
export function providerText(name: string, known: readonly Provider[] = []): string {
	return known.find((p) => p.name === name)?.label ?? (name === DIRECTORY ? t.directory.ldap : name);
}

/** What fills a group: [provider, its group]. */
export function feeds(group: string, providers: readonly Provider[]): [Provider, string][] {
	return providers.flatMap((p) => p.groups.filter((g) => g.ours === group).map((g): [Provider, string] => [p, g.theirs]));
}
