/* Which field an error of the server belongs to. Pure. */

/** Of the fields that are there, the one that shows what is wrong at path: itself, or the nearest that holds it. */
export function nearest(path: string, fields: Iterable<string>): string | null {
	let best: string | null = null;
	for (const f of fields)
		if (path === f || (path.startsWith(f) && /^[[.]/.test(path.slice(f.length)))) if (best === null || f.length > best.length) best = f;
	return best;
}
