/* The sections of administration, and what each needs: also asked by the top bar, which offers none that would be empty. */
import type { Action } from '../../lib/may';

export interface Section {
	name: 'tenants' | 'users' | 'groups' | 'tokens' | 'sessions' | 'audit' | 'directory' | 'settings';
	needs: Action;
	writes: Action;
	/** the address where one is added */
	add?: string;
	/** each has an address of its own */
	single?: boolean;
}

export const SECTIONS: readonly Section[] = [
	{ name: 'tenants', needs: 'tenants:read', writes: 'tenants:write', add: 'add-tenant', single: true },
	{ name: 'users', needs: 'users:read', writes: 'users:write', add: 'add-user', single: true },
	{ name: 'groups', needs: 'groups:read', writes: 'groups:write', add: 'add-group', single: true },
	{ name: 'tokens', needs: 'tokens:read', writes: 'tokens:write' },
	{ name: 'sessions', needs: 'sessions:read', writes: 'sessions:write' },
	{ name: 'audit', needs: 'audit:read', writes: 'audit:read' },
	{ name: 'directory', needs: 'platform:write', writes: 'platform:write' },
	{ name: 'settings', needs: 'platform:read', writes: 'platform:write' },
];
