/* Views as somebody looks for them: by their names, and by those that the same has elsewhere. Pure. */
import { t } from '../strings.admin';
import type { Action } from './may';

export interface Place {
	path: string;
	title: string;
	/** what else it is called, ntopng's menus among it */
	words: string;
}

/** What a place needs; those that are not here everybody may open. */
const NEEDS: Record<string, Action> = {
	'/admin/tenants': 'tenants:read',
	'/admin/users': 'users:read',
	'/admin/add-user': 'users:write',
	'/admin/groups': 'groups:read',
	'/admin/tokens': 'tokens:read',
	'/admin/sessions': 'sessions:read',
	'/admin/audit': 'audit:read',
	'/admin/directory': 'platform:write',
	'/admin/settings': 'platform:read',
	'/welcome': 'platform:write',
};

/** Those whose title or words hold every word that is looked for; a title that begins so comes first. */
export function placesOf(q: string, may: (a: Action) => boolean): Place[] {
	const wanted = q.toLowerCase().split(/[\s>]+/).filter((w) => w !== '');
	const first = (p: Place) => Number(!p.title.toLowerCase().startsWith(wanted[0] ?? ''));
	return t.places
		.map(([path, title, words]): Place => ({ path, title, words }))
		.filter((p) => wanted.length > 0 && wanted.every((w) => `${p.title} ${p.words}`.toLowerCase().includes(w)))
		.filter((p) => {
			const needs = NEEDS[p.path.replace(/\?.*/, '')];
			return needs === undefined || may(needs);
		})
		.sort((a, b) => first(a) - first(b));
}
