/* What the first view (the overview) costs, compressed: fails above the budget of 150 kB. Other views are fetched when they are opened. */
import { readdirSync, readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

const BUDGET = 150_000;
const dist = new URL('../dist/', import.meta.url);
const assets = readdirSync(new URL('assets/', dist));
const read = (f) => readFileSync(new URL(f, dist));

/* the scripts that a script needs before it runs */
function needs(f, found = new Set()) {
	if (found.has(f)) return found;
	found.add(f);
	for (const m of read(f).toString().matchAll(/(?:from|import)"\.\/([\w.-]+\.js)"/g)) needs(`assets/${m[1]}`, found);
	return found;
}
const entry = /src="\/(assets\/[\w.-]+\.js)"/.exec(read('index.html'))[1];
const overview = assets.find((f) => /^overview-.*\.js$/.test(f));
const first = new Set([...needs(entry), ...needs(`assets/${overview}`)]);
/* fonts with all of Latin-1 come when a name needs them */
const others = assets.map((f) => `assets/${f}`).filter((f) => !first.has(f) && (f.endsWith('.js') || /latin.*\.woff2$/.test(f)));
const files = ['index.html', ...assets.map((f) => `assets/${f}`).filter((f) => !others.includes(f))];

function show(list) {
	let sum = 0;
	for (const f of list) {
		const data = read(f);
		const n = f.endsWith('.woff2') ? data.length : gzipSync(data, { level: 9 }).length;
		sum += n;
		console.log(String(n).padStart(8), f);
	}
	return sum;
}
const sum = show(files);
console.log(String(sum).padStart(8), `of ${BUDGET}`);
console.log('later:');
show(others);
if (sum > BUDGET) process.exit(1);
