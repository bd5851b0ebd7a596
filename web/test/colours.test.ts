import { describe, expect, it } from 'vitest';
import css from '../src/styles/app.css?raw';

type Three = [number, number, number];

/* linear light, as people without one kind of cone see it: Machado, Oliveira, Fernandes, "A Physiologically-based Model for Simulation of Color Vision Deficiency" (2009), severity 1 */
const SEEN: Record<string, Three[]> = {
	'all cones': [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
	protanopia: [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
	deuteranopia: [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
	tritanopia: [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]],
};
const times = (m: Three[], v: Three) => m.map((r) => r.reduce((sum, x, i) => sum + x * (v[i] as number), 0)) as Three;

function linear(hex: string): Three {
	return [1, 3, 5].map((i) => {
		const c = Number.parseInt(hex.slice(i, i + 2), 16) / 255;
		return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
	}) as Three;
}

/** CIE L*a*b* (D65) of linear sRGB. */
function lab(rgb: Three): Three {
	const clipped = rgb.map((c) => Math.min(1, Math.max(0, c))) as Three;
	const [x, y, z] = times([[0.4124564 / 0.95047, 0.3575761 / 0.95047, 0.1804375 / 0.95047], [0.2126729, 0.7151522, 0.072175], [0.0193339 / 1.08883, 0.119192 / 1.08883, 0.9503041 / 1.08883]], clipped).map((t) =>
		t > 216 / 24389 ? Math.cbrt(t) : ((24389 / 27) * t + 16) / 116,
	) as Three;
	return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}

const blocks = { light: /:root \{([^}]*)\}/.exec(css)?.[1] ?? '', dark: /:root\[data-theme='dark'\] \{([^}]*)\}/.exec(css)?.[1] ?? '' };

describe.each(Object.entries(blocks))('colours, %s', (_theme, block) => {
	const color = (name: string) => new RegExp(`--${name}: (#[0-9a-f]{6});`).exec(block)?.[1] ?? '';
	describe.each(Object.entries(SEEN))('%s', (_kind, matrix) => {
		const seen = (name: string) => lab(times(matrix, linear(color(name))));
		const apart = (a: string, b: string) => Math.hypot(...seen(a).map((x, i) => x - (seen(b)[i] as number)));
		/* a difference of 2 is just seen side by side */
		it.each([
			['sent', 'received'],
			['sent-ink', 'received-ink'],
			['water-line', 'sent'],
			['water', 'loss'],
			['ink', 'loss'],
			['ink', 'warn'],
		])('%s and %s are told apart', (a, b) => {
			expect(apart(a, b)).toBeGreaterThan(20);
		});
		it('the steps of the map go one way in lightness', () => {
			const l = ['map-0', 'map-1', 'map-2', 'map-3', 'map-4', 'map-5'].map((n) => seen(n)[0]);
			const down = (l[1] as number) > (l[5] as number);
			for (let i = 2; i < l.length; i++) expect(down ? (l[i - 1] as number) - (l[i] as number) : (l[i] as number) - (l[i - 1] as number)).toBeGreaterThan(4);
		});
	});
});
