/**
 * Writes docs/imports.md and its two pictures: who imports whom, here and in an older commit.
 *
 *   node scripts/imports/write.mjs [--before REV]
 *
 * It needs the history of the repository, and no Graphviz.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { ROOT } from "../../bin/build.js";
import { checkOut } from "../checkout.mjs";
import { graphOf } from "./graph.mjs";
import { matrixSvg } from "./matrix.mjs";

/** The last commit in which training, evaluation, api and data held what are rooms of their own now. */
const BEFORE = "1ded57d";

const { before: revision } = parseArgs({ options: { before: { type: "string", default: BEFORE } } }).values;

function graphOfCommit(commit) {
  const folder = mkdtempSync(join(tmpdir(), "atmorep-imports-"));
  try {
    return graphOf(checkOut(commit, folder));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const total = ({ rooms }, key) => rooms.reduce((sum, room) => sum + room[key], 0);
const table = (heading, rows) =>
  [heading, heading.map((_, i) => (i === 0 ? "---" : "---:")), ...rows]
    .map((row) => `| ${row.join(" | ")} |`)
    .join("\n");
const rings = (found) =>
  found.length === 0 ? "0" : `${found.length}, of ${found.map((ring) => ring.length).join(", ")}`;

function summary(before, now) {
  const row = (what, value) => [what, value(before), value(now)];
  return table(
    ["", `${revision}`, "now"],
    [
      row("rooms", ({ rooms }) => rooms.length),
      row("files", (graph) => total(graph, "files")),
      row("lines", (graph) => total(graph, "lines")),
      row("most files at one level of a room", ({ rooms }) => {
        const { name, widest } = rooms.reduce((a, b) => (b.widest > a.widest ? b : a));
        return `${widest} (${name})`;
      }),
      row("pairs of rooms that import each other", ({ mutual }) => mutual.length),
      row("rings of rooms", ({ roomRings }) => rings(roomRings)),
      row("rings of files", ({ fileRings }) => rings(fileRings)),
      row("rings of files without imports of types", ({ valueRings }) => rings(valueRings)),
    ],
  );
}

function roomTable(before, now) {
  const names = [...now.rooms, ...before.rooms.filter(({ name }) => !now.rooms.some((room) => room.name === name))];
  const cells = ({ rooms }, name) => {
    const found = rooms.find((room) => room.name === name);
    return found ? [found.files, found.widest, found.lines] : ["", "", ""];
  };
  return table(
    ["room", `files, ${revision}`, "at one level", "lines", "files, now", "at one level", "lines"],
    names.map(({ name }) => [name, ...cells(before, name), ...cells(now, name)]),
  );
}

function lists({ mutual, fileRings }) {
  const pairs = mutual.map(([a, b]) => `- ${a} and ${b}`);
  const files = fileRings.map((ring) => `- ${ring.join(", ")}`);
  const block = (title, lines) => (lines.length > 0 ? `${title}:\n\n${lines.join("\n")}\n\n` : "");
  return block("Rooms that import each other now", pairs) + block("Rings of files now", files);
}

const [before, now] = [graphOfCommit(revision), graphOf(ROOT)];
mkdirSync(join(ROOT, "docs", "images"), { recursive: true });
writeFileSync(join(ROOT, "docs", "images", "imports-before.svg"), matrixSvg(before, `Commit ${revision}`));
writeFileSync(join(ROOT, "docs", "images", "imports.svg"), matrixSvg(now, "Now"));
writeFileSync(
  join(ROOT, "docs", "imports.md"),
  `# Who imports whom

Written by \`npm run imports\`: \`src/\` now beside commit ${revision}. A ring is a group of which each reaches each by imports; imports of types
count unless said otherwise. Rooms stand in the order of \`.dependency-cruiser.mjs\`, in which imports point one way.

${summary(before, now)}

![Rooms and their imports now](images/imports.svg)

![Rooms and their imports in commit ${revision}](images/imports-before.svg)

${lists(now)}## Rooms

${roomTable(before, now)}
`,
);
console.log(`docs/imports.md: ${now.mutual.length} mutual imports, ${now.fileRings.length} rings of files`);
