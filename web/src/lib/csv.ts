/* Tables as CSV (RFC 4180), for spreadsheets. */

type Cell = string | number | null;

/* Text that begins like a formula would be one in a spreadsheet, and what is in a flow is a stranger's. */
function cell(v: Cell): string {
	if (v === null) return '';
	if (typeof v === 'number') return String(v);
	const s = /^[=+\-@\t\r]/.test(v) ? `'${v}` : v;
	return /[",\r\n]/.test(s) ? `"${s.replaceAll('"', '""')}"` : s;
}

export function table(head: readonly string[], rows: readonly (readonly Cell[])[]): string {
	return [head, ...rows].map((r) => `${r.map(cell).join(',')}\r\n`).join('');
}
