/* What a selector says, for people; and an access. */
import type { Selector } from '../../api/admin';
import type { Access } from '../../api/types';
import { t } from '../../strings.admin';

export function selectorText(s: Selector): string {
	const parts = [
		s.interface === undefined ? '' : s.interface,
		s.vlan === undefined ? '' : t.tenants.partVlan(s.vlan),
		s.exporter === undefined ? '' : s.exporter_interface === undefined ? t.tenants.partExporter(s.exporter) : t.tenants.partExporterInterface(s.exporter, s.exporter_interface),
		s.network === undefined ? '' : s.network,
	].filter((p) => p !== '');
	return parts.length === 0 ? t.tenants.everything : parts.join(' · ');
}

export function tenantText(name: string | null | undefined): string {
	return name === '*' || !name ? t.account.platform : name;
}

/** What of the tenant it reaches; '' where it is the whole. */
export function narrowText(a: Pick<Access, 'interfaces' | 'exporters' | 'networks' | 'masked'>): string {
	return [...(a.interfaces ?? []), ...(a.exporters ?? []), ...(a.networks ?? []), ...(a.masked ? [t.account.masked] : [])].join(', ');
}
