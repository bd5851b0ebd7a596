/* Settings in words, and the lines of weir.yaml that set them. Pure. */
import { bytes, count, duration } from '../../lib/format';
import { t } from '../../strings.admin';

/** A setting's value as people read it. unit: as the server says it. */
export function settingText(value: unknown, unit: string | null): string {
	if (value === null || value === undefined || value === '') return t.settings.nothing;
	if (Array.isArray(value)) return value.length === 0 ? t.settings.nothing : value.join(', ');
	if (typeof value === 'boolean') return value ? t.settings.yes : t.settings.no;
	if (typeof value !== 'number') return String(value);
	switch (unit) {
		case 'bytes':
			return bytes(value);
		case 'milliseconds':
			return duration(value / 1000);
		case 'count':
		case null:
		case '':
			return count(value);
		default:
			return `${count(value)} ${unit}`;
	}
}

const PLAIN = /^[A-Za-z0-9][A-Za-z0-9._@/=-]*$/;

/** A list as a line of YAML: what could be read as something else stands in quotes. */
export function yamlList(key: string, list: readonly string[]): string {
	return `${key}: [${list.map((s) => (PLAIN.test(s) && !/^(?:true|false|yes|no|on|off|null|~|[\d.]+(?:e\d+)?)$/i.test(s) ? s : `"${s.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`)).join(', ')}]`;
}

/** What is wrong with a network in prefix form; '' nothing. */
export function networkWrong(s: string): string {
	const [address = '', length = address.includes(':') ? '128' : '32', ...more] = s.split('/');
	if (more.length > 0 || !/^\d{1,3}$/.test(length)) return t.guide.networkForm(s);
	const n = Number(length);
	if (/^\d{1,3}(?:\.\d{1,3}){3}$/.test(address)) {
		const bits = address.split('.').map(Number);
		if (bits.some((b) => b > 255) || n > 32) return t.guide.networkForm(s);
		const whole = bits.reduce((v, b) => v * 256 + b, 0);
		const size = 2 ** (32 - n);
		return whole % size === 0 ? '' : t.guide.networkHost(s, `${dotted(whole - (whole % size))}/${n}`);
	}
	if (!/^[0-9a-f:.]{2,45}$/i.test(address) || !address.includes(':') || n > 128) return t.guide.networkForm(s);
	return (address.match(/::/g) ?? []).length > 1 || /:::/.test(address) ? t.guide.networkForm(s) : '';
}

function dotted(v: number): string {
	return [24, 16, 8, 0].map((by) => Math.floor(v / 2 ** by) % 256).join('.');
}
