/* What a password is worth, roughly: a hint while it is chosen. The server judges it, by its length and by lists of common ones. */

export interface Strength {
	/** 0 nothing, 1 refused, 2 weak, 3 good, 4 strong */
	level: 0 | 1 | 2 | 3 | 4;
	why: 'none' | 'short' | 'name' | 'same' | 'weak' | 'good' | 'strong';
}

/** How many characters are left once those go that repeat or follow the one before (aaa, 123, cba). */
export function surprising(s: string): number {
	const c = [...s].map((x) => x.codePointAt(0) as number);
	return c.filter((x, i) => i === 0 || Math.abs(x - (c[i - 1] as number)) > 1).length;
}

export function strength(password: string, least: number, who = ''): Strength {
	const length = [...password].length;
	if (length === 0) return { level: 0, why: 'none' };
	if (length < least) return { level: 1, why: 'short' };
	const low = password.toLowerCase();
	if (who.length >= 3 && low.includes(who.toLowerCase())) return { level: 2, why: 'name' };
	const kinds = new Set([...low]).size;
	const news = surprising(low);
	if (kinds < 6 || news < least / 2) return { level: 2, why: 'same' };
	const score = news + (/\s/.test(password.trim()) ? 3 : 0) + (/[^\p{L}\s]/u.test(password) ? 2 : 0) + (password !== low ? 1 : 0);
	if (score < 15) return { level: 2, why: 'weak' };
	return score < 20 ? { level: 3, why: 'good' } : { level: 4, why: 'strong' };
}
