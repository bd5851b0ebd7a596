/* Accesses as a form holds them: whole, so that each list is there to be typed into. */
import type { Access } from '../../../api/types';

export function whole(list: readonly Access[]): Required<Access>[] {
	return list.map((a) => ({
		tenant: a.tenant,
		role: a.role,
		interfaces: [...(a.interfaces ?? [])],
		exporters: [...(a.exporters ?? [])],
		networks: [...(a.networks ?? [])],
		masked: a.masked === true,
	}));
}
