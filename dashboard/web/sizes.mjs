// How much a browser must load, compressed as it is sent: for each page what its chunk
// and the frame bring with them. It ends with 1 where a page is too large.
import { readFileSync, readdirSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

const KiB = 1024;
const most = { js: 150 * KiB, css: 15 * KiB, woff2: 200 * KiB };

const manifest = JSON.parse(readFileSync('dist/.vite/manifest.json', 'utf8'));
const sizes = new Map();
function size(file) {
	if (!sizes.has(file)) sizes.set(file, gzipSync(readFileSync(`dist/${file}`), { level: 9 }).length);
	return sizes.get(file);
}

/** The files that a chunk needs, those of its static imports too. */
function needs(key, files = new Set()) {
	const chunk = manifest[key];
	if (files.has(chunk.file)) return files;
	files.add(chunk.file);
	for (const css of chunk.css ?? []) files.add(css);
	for (const other of chunk.imports ?? []) needs(other, files);
	return files;
}

const sum = (files, kind) =>
	[...files].filter((f) => f.endsWith(`.${kind}`)).reduce((n, f) => n + size(f), 0);
const entry = Object.keys(manifest).find((key) => manifest[key].isEntry);
/** What a chunk loads later, and the chunks that it is made of. */
function later(key, seen = new Set()) {
	if (seen.has(key)) return [];
	seen.add(key);
	const { dynamicImports = [], imports = [] } = manifest[key];
	return [...dynamicImports, ...imports.flatMap((other) => later(other, seen))];
}
const pages = [...new Set(later(entry))].filter((key) => key.startsWith('src/pages/'));
let bad = pages.length === 0;
for (const page of pages) {
	const files = needs(page, needs(entry));
	const js = sum(files, 'js');
	const css = sum(files, 'css');
	const wrong = js > most.js || css > most.css;
	bad ||= wrong;
	console.log(
		`${page.padEnd(34)} ${String(js).padStart(7)} js ${String(css).padStart(6)} css${wrong ? '  too much' : ''}`,
	);
}
const all = readdirSync('dist/assets').map((file) => `assets/${file}`);
const fonts = sum(all, 'woff2');
bad ||= fonts > most.woff2;
console.log(
	`all of them: ${sum(all, 'js')} js, ${sum(all, 'css')} css, ${fonts} fonts; at most ${most.js} js and ${most.css} css for a page`,
);
process.exitCode = bad ? 1 : 0;
