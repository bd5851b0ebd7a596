/** Scrolls a row of links sideways, where not all of them fit, so that the present one is in sight. */
export function showPresent(row: HTMLElement | null): void {
	const here = row?.querySelector('[aria-current]')?.getBoundingClientRect();
	if (row === null || here === undefined) return;
	const all = row.getBoundingClientRect();
	row.scrollLeft += here.left + here.width / 2 - all.left - all.width / 2;
}
