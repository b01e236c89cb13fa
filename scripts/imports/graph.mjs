/** Who imports whom in a checkout: files, lines and imports by room, mutual imports and rings. */
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { ROOMS } from "../../.dependency-cruiser.mjs";
import { ROOT } from "../../bin/build.js";

/** src/step/adamw.ts stands in `step`, src/errors.ts in `errors.ts`. */
const roomOf = (file) => file.split("/")[1];

/** Every import of a file of src by another, as dependency-cruiser finds them: types count, and imports at run time. */
function importsOf(folder) {
  const program = join(ROOT, "node_modules", "dependency-cruiser", "bin", "dependency-cruise.mjs");
  const args = [program, "src", "--config", join(ROOT, ".dependency-cruiser.mjs"), "--output-type", "json"];
  const done = spawnSync(process.execPath, args, { cwd: folder, encoding: "utf8", maxBuffer: 2 ** 28 });
  if (!done.stdout) throw new Error(`dependency-cruiser failed in ${folder}:\n${done.stderr}`);
  return JSON.parse(done.stdout).modules.flatMap(({ source, dependencies }) =>
    dependencies
      .filter(({ resolved }) => resolved.startsWith("src/"))
      .map(({ resolved, dependencyTypes }) => ({
        from: source,
        to: resolved,
        typesOnly: dependencyTypes.includes("type-only"),
      })),
  );
}

/** Groups of names that reach each other (Tarjan 1972), those of one name left out. */
export function rings(names, edges) {
  const targets = new Map(names.map((name) => [name, []]));
  for (const { from, to } of edges) targets.get(from)?.push(to);
  const [index, low, stack, found] = [new Map(), new Map(), [], []];
  const visit = (name) => {
    index.set(name, index.size);
    low.set(name, index.get(name));
    stack.push(name);
    for (const to of targets.get(name) ?? []) {
      if (!index.has(to)) visit(to);
      if (stack.includes(to)) low.set(name, Math.min(low.get(name), low.get(to)));
    }
    if (low.get(name) !== index.get(name)) return;
    const ring = stack.splice(stack.indexOf(name));
    if (ring.length > 1) found.push(ring.sort());
  };
  for (const name of names) if (!index.has(name)) visit(name);
  return found.sort((a, b) => b.length - a.length || a[0].localeCompare(b[0]));
}

/** @param folder a checkout with node_modules */
export function graphOf(folder) {
  const files = readdirSync(join(folder, "src"), { recursive: true })
    .filter((path) => path.endsWith(".ts"))
    .map((path) => ({
      path: `src/${path}`,
      lines: readFileSync(join(folder, "src", path), "utf8").split("\n").length - 1,
    }));
  const imports = importsOf(folder);
  const found = new Set(files.map(({ path }) => roomOf(path)));
  const listed = ROOMS.flat();
  const names = [...listed.filter((name) => found.has(name)), ...[...found].filter((name) => !listed.includes(name))];
  const rooms = names.map((name) => {
    const own = files.filter(({ path }) => roomOf(path) === name);
    const levels = new Map();
    for (const { path } of own) levels.set(dirname(path), (levels.get(dirname(path)) ?? 0) + 1);
    return {
      name,
      files: own.length,
      lines: own.reduce((sum, { lines }) => sum + lines, 0),
      widest: Math.max(...levels.values()),
    };
  });
  const between = new Map();
  for (const { from, to } of imports) {
    const [a, b] = [roomOf(from), roomOf(to)];
    if (a !== b) between.set(`${a} ${b}`, (between.get(`${a} ${b}`) ?? 0) + 1);
  }
  const count = (a, b) => between.get(`${a} ${b}`) ?? 0;
  const edges = [...between.keys()].map((key) => ({ from: key.split(" ")[0], to: key.split(" ")[1] }));
  const paths = files.map(({ path }) => path);
  return {
    rooms,
    count,
    mutual: names.flatMap((a, i) => names.slice(i + 1).flatMap((b) => (count(a, b) && count(b, a) ? [[a, b]] : []))),
    roomRings: rings(names, edges),
    fileRings: rings(paths, imports),
    valueRings: rings(
      paths,
      imports.filter(({ typesOnly }) => !typesOnly),
    ),
  };
}
