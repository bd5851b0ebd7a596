/*
 * The countries of the world as paths of an SVG, made at build time from Natural Earth's public-domain shapes (world-atlas): the page gets
 * neither the shapes' format nor a library that projects them. Equal Earth projection (Savric, Patterson, Jenny, 2018).
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { feature } from 'topojson-client';
import type { Plugin } from 'vite';

const require = createRequire(import.meta.url);
const WIDTH = 2000;
/* degrees of latitude that are shown: nobody routes through Antarctica */
const SOUTH = -56;
const NORTH = 84;

function equalEarth(longitude: number, latitude: number): [number, number] {
	const [a1, a2, a3, a4] = [1.340264, -0.081106, 0.000893, 0.003796];
	const root = Math.sqrt(3) / 2;
	const l = Math.asin(root * Math.sin((latitude * Math.PI) / 180));
	const l2 = l * l;
	const l6 = l2 * l2 * l2;
	const x = (((longitude * Math.PI) / 180) * Math.cos(l)) / (root * (a1 + 3 * a2 * l2 + l6 * (7 * a3 + 9 * a4 * l2)));
	return [x, l * (a1 + a2 * l2 + l6 * (a3 + a4 * l2))];
}

const SCALE = WIDTH / (2 * equalEarth(180, 0)[0]);
const TOP = equalEarth(0, NORTH)[1];

function place([longitude, latitude]: number[]): [number, number] {
	const [x, y] = equalEarth(longitude as number, Math.max(SOUTH, Math.min(NORTH, latitude as number)));
	return [Math.round(WIDTH / 2 + x * SCALE), Math.round((TOP - y) * SCALE)];
}

/* Rings that cross the antimeridian are cut there: the part beyond 180 degrees lies at the other end of the map. */
function cut(points: number[][]): number[][][] {
	const open: [number, number][] = [];
	let turn = 0;
	for (const [i, p] of points.entries()) {
		const [x, y] = p as [number, number];
		const before = points[i - 1]?.[0] as number | undefined;
		if (before !== undefined && Math.abs(x - before) > 180) turn += x < before ? 360 : -360;
		open.push([x + turn, y]);
	}
	const part = (from: number): number[][] => clip(clip(open, from, 1), from + 360, -1).map(([x, y]) => [(x as number) - from - 180, y as number]);
	return [-540, -180, 180].map(part).filter((r) => r.length > 2);
}

/* what lies on one side of a meridian (Sutherland and Hodgman, 1974) */
function clip(points: number[][], at: number, side: 1 | -1): number[][] {
	const kept: number[][] = [];
	for (const [i, p] of points.entries()) {
		const [x, y] = p as [number, number];
		const [bx, by] = points[(i + points.length - 1) % points.length] as [number, number];
		const [is, was] = [(x - at) * side >= 0, (bx - at) * side >= 0];
		if (is !== was) kept.push([at, by + ((at - bx) / (x - bx)) * (y - by)]);
		if (is) kept.push([x, y]);
	}
	return kept;
}

/* whole numbers and steps from point to point: a third of the bytes */
function ring(points: number[][]): string {
	let [px, py] = place(points[0] as number[]);
	let path = `M${px} ${py}l`;
	let steps = 0;
	for (const p of points.slice(1)) {
		const [x, y] = place(p);
		if (x === px && y === py) continue;
		path += `${steps++ === 0 ? '' : ' '}${x - px} ${y - py}`;
		[px, py] = [x, y];
	}
	return steps < 3 ? '' : `${path}z`;
}

function source(): string {
	const topology = JSON.parse(readFileSync(require.resolve('world-atlas/countries-110m.json'), 'utf8'));
	const codes: string[][] = JSON.parse(readFileSync(require.resolve('i18n-iso-countries/codes.json'), 'utf8'));
	const code = new Map(codes.map(([two, , number]) => [number, two]));
	const shapes = feature(topology, topology.objects.countries) as unknown as {
		features: { id?: string; properties: { name: string }; geometry: { type: string; coordinates: number[][][] | number[][][][] } }[];
	};
	const countries = shapes.features
		.map((s) => {
			const polygons = (s.geometry.type === 'Polygon' ? [s.geometry.coordinates] : s.geometry.coordinates) as number[][][][];
			/* what has no number of its own in ISO 3166 is drawn, and is no country of the data */
			return [s.properties.name === 'Kosovo' ? 'XK' : (code.get(s.id ?? '') ?? ''), polygons.flat().flatMap(cut).map(ring).join('')] as const;
		})
		.filter(([two, path]) => two !== 'AQ' && path !== '');
	const height = Math.ceil((TOP - equalEarth(0, SOUTH)[1]) * SCALE);
	return `export const width = ${WIDTH}, height = ${height}, countries = ${JSON.stringify(countries)};`;
}

export function world(): Plugin {
	const id = 'virtual:world';
	return {
		name: 'weir-world',
		resolveId: (asked) => (asked === id ? `\0${id}` : undefined),
		load: (asked) => (asked === `\0${id}` ? source() : undefined),
	};
}
