/* What the first view costs, compressed: fails above the budget of 150 kB. */
import { readdirSync, readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

const BUDGET = 150_000;
const dist = new URL('../dist/', import.meta.url);
let sum = 0;
for (const f of ['index.html', ...readdirSync(new URL('assets/', dist)).map((n) => `assets/${n}`)]) {
	const data = readFileSync(new URL(f, dist));
	const n = f.endsWith('.woff2') ? data.length : gzipSync(data, { level: 9 }).length;
	sum += n;
	console.log(String(n).padStart(8), f);
}
console.log(String(sum).padStart(8), `of ${BUDGET}`);
if (sum > BUDGET) process.exit(1);
