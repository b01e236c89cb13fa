// A line for docs/reliability.md of what test/python/codecs.test.ts printed: node scripts/damaged-chunks.mjs LOG DECODER
import { readFileSync } from "node:fs";

const [file, decoder] = process.argv.slice(2);
// biome-ignore lint/suspicious/noControlCharactersInRegex: colours of the terminal
const text = readFileSync(file, "utf8").replace(/\x1b\[[0-9;]*m/g, "");
const rows = [...text.matchAll(/(v[23]-\S+): (\d+) damaged, refused (\d+) \(Python (\d+)\)(?:, (\d+) with other)?/g)];
const sum = (i) => rows.reduce((total, row) => total + Number(row[i] ?? 0), 0);
console.log(
  `- damaged chunks, ${decoder}: ${rows.length} forms of arrays, ${sum(2)} chunks; ${sum(3)} refused (Python: ${sum(4)}), ` +
    `none accepted that Python refuses; other values than Python's in ${sum(5)}, all of them damaged frames of zstd`,
);
