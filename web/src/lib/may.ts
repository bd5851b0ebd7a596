/*
 * What a role may do, so that the page offers nothing that would be refused. The server decides; this is docs/ROLES.md, and
 * test/may.test.ts compares the two.
 */

export const ROLES = ['platform-administrator', 'auditor', 'tenant-administrator', 'operator', 'viewer', 'limited-viewer'] as const;
export type Role = (typeof ROLES)[number];

/* By action, for the roles in the order above: first of who works in one tenant, then of who works in all. */
const TABLE = {
	'traffic:read': ['t - t t t t', 'tou - tou tou tou tou'],
	'platform:read': ['- - - - - -', 'p p - - - -'],
	'health:read': ['tp tp tp tp tp tp', 'toup toup toup toup toup toup'],
	'audit:read': ['t t t - - -', 'toup toup tou - - -'],
	'tenants:read': ['t t t - - -', 'toup toup tou - - -'],
	'tenants:write': ['- - - - - -', 'toup - - - - -'],
	'users:read': ['t t t - - -', 'toup toup tou - - -'],
	'users:write': ['t - t - - -', 'toup - tou - - -'],
	'groups:read': ['t t t - - -', 'toup toup tou - - -'],
	'groups:write': ['t - t - - -', 'toup - tou - - -'],
	'sessions:read': ['t t t - - -', 'toup toup tou - - -'],
	'sessions:write': ['t - t - - -', 'toup - tou - - -'],
	'tokens:read': ['t t t - - -', 'toup toup tou - - -'],
	'tokens:write': ['t - t - - -', 'toup - tou - - -'],
	'account:read': ['s s s s s s', 's s s s s s'],
	'account:write': ['s s s s s s', 's s s s s s'],
	'platform:write': ['- - - - - -', 'p - - - - -'],
	'labels:read': ['t - t t t t', 'toup - toup toup toup toup'],
	'labels:write': ['t - t t - -', 'toup - toup toup - -'],
	'metrics:read': ['t - t t t t', 'toup - tou tou tou tou'],
} as const;
export type Action = keyof typeof TABLE;
export const ACTIONS = Object.keys(TABLE) as Action[];

/** Whose things: letters as in docs/ROLES.md; '' is nobody's. */
export function reach(action: Action, role: string, all: boolean): string {
	const i = ROLES.indexOf(role as Role);
	const word = i < 0 ? '-' : (TABLE[action][all ? 1 : 0].split(' ')[i] as string);
	return word === '-' ? '' : word;
}

/** Whether who works in tenant ("*": in all) with this role may do this with the things there. */
export function mayDo(action: Action, role: string, tenant: string | null): boolean {
	return reach(action, role, tenant === '*') !== '';
}

/** Roles that somebody may give, the highest first. */
export function givable(role: string, tenant: string | null): Role[] {
	if (!mayDo('users:write', role, tenant)) return [];
	return ROLES.filter((r) => (r === 'platform-administrator' ? role === r && tenant === '*' : true));
}

/** Scopes that a token of this role can have, in this tenant. */
export function scopesOf(role: string, tenant: string): Action[] {
	return ACTIONS.filter((a) => mayDo(a, role, tenant));
}
