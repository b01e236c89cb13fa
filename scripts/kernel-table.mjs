/**
 * Measures Jupyter kernels and writes the table of docs/kernel.md:
 * `node scripts/kernel-table.mjs PYTHON [--lines N] [--deno DENO] [--only KERNEL,...]`.
 * PYTHON has nbclient, ipykernel 7 and jupyter-kernel-test 0.7; DENO is Deno's program (PyPI and npm: `deno`), left out
 * if not given. tslab and Deno are measured as they come. Rows of kernels that are not named stay as they are.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join, resolve } from "node:path";
import { parseArgs } from "node:util";

const usage = "usage: node scripts/kernel-table.mjs PYTHON [--lines N] [--deno DENO] [--only KERNEL,...]";
const text = { type: "string" };
const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: { lines: { ...text, default: "1000000" }, deno: text, only: text },
});
const [python] = positionals;
if (python === undefined) throw new Error(usage);

const root = resolve(import.meta.dirname, "..");
const folder = mkdtempSync(join(tmpdir(), "kernels-"));
const { lines } = flags;
/** seconds for each script */
const LIMIT_S = 90;
const today = new Date().toISOString().slice(0, 10);

/** A kernelspec as the kernel's own installer writes it. */
function writeSpec(name, argv) {
  const spec = join(folder, "kernels", name);
  mkdirSync(spec, { recursive: true });
  writeFileSync(join(spec, "kernel.json"), JSON.stringify({ argv, display_name: name, language: "typescript" }));
}

const env = {
  ...process.env,
  JUPYTER_PATH: [join(root, "assets", "kernelspec"), folder].join(delimiter),
  PATH: [dirname(process.execPath), dirname(resolve(python)), process.env.PATH].join(delimiter),
};

/** What one script prints about a kernel, or why there is nothing. */
function measure(script, args) {
  const { stdout } = spawnSync(python, [join(root, "test/jupyter", script), ...args], {
    env,
    cwd: root,
    encoding: "utf8",
    timeout: LIMIT_S * 1000,
  });
  try {
    return JSON.parse(stdout.trim().split("\n").at(-1));
  } catch {
    return undefined;
  }
}

/** "13 of 13", or with the names of those that fail; tests that cannot be asked of a kernel are not counted. */
function suiteCell(suite) {
  if (suite === undefined) return "does not end";
  const { passed, failed, skipped } = suite;
  const parts = [`${passed} of ${passed + failed.length}`];
  if (failed.length > 0) parts.push(`fails ${failed.join(", ")}`);
  if (skipped.length > 0) parts.push(`cannot be asked: ${skipped.join(", ")}`);
  return parts.join("; ");
}

function rowOf(kernel, name, typescript) {
  const burst = measure("burst.py", [kernel, lines]);
  const times = measure("times.py", [kernel]);
  const suite = suiteCell(measure("suite.py", ["--count", kernel]));
  const delivered = burst === undefined ? `not ended after ${LIMIT_S} s` : `${burst.delivered} of ${lines}`;
  const obeyed = times === undefined ? "-" : `${times.interrupted} of ${times.tried}, slowest ${times.slowest} s`;
  const cells = [
    name,
    typescript,
    suite,
    delivered,
    burst?.seconds,
    burst?.kernelMB,
    times?.start,
    times?.cell,
    obeyed,
    today,
  ];
  return `| ${cells.map((cell) => cell ?? "-").join(" | ")} |`;
}

const HEAD = [
  "kernel",
  "TypeScript",
  "official tests passed",
  "lines delivered of a burst",
  "seconds",
  "memory, MB",
  "start, s",
  "small cell, ms",
  "interrupts obeyed",
  "measured",
];
/** Of an installed package. */
const versionOf = (name) => JSON.parse(readFileSync(join(root, "node_modules", name, "package.json"), "utf8")).version;

const path = join(root, "docs", "kernel.md");
const [before, table = ""] = readFileSync(path, "utf8").split("<!-- table -->\n");
const kernels = [
  ["atmorep", "this kernel", versionOf("typescript")],
  ["tslab", "tslab 1.0.22", versionOf("@tslab/typescript-for-tslab")],
  ["python3", "ipykernel 7"],
];
writeSpec("tslab", [
  process.execPath,
  join(root, "node_modules", "tslab", "bin", "tslab"),
  "kernel",
  "--config-path={connection_file}",
]);
if (flags.deno !== undefined) {
  const versions = execFileSync(flags.deno, ["--version"], { encoding: "utf8" });
  const [version, typescript] = [/^deno (\S+)/m, /^typescript (\S+)/m].map((line) => line.exec(versions)?.[1]);
  writeSpec("deno", [resolve(flags.deno), "jupyter", "--kernel", "--conn", "{connection_file}"]);
  kernels.splice(2, 0, ["deno", `Deno ${version}`, typescript]);
}
const only = flags.only?.split(",");
const rows = table.split("\n").filter((line) => line.startsWith("| ") && !/^\| (?:kernel|---) /.test(line));
try {
  for (const [kernel, name, typescript] of kernels.filter(([kernel]) => only?.includes(kernel) ?? true)) {
    const row = rowOf(kernel, name, typescript);
    const own = rows.findIndex((line) => line.startsWith(`| ${name.split(" ")[0]} `));
    if (own < 0) rows.push(row);
    else rows[own] = row;
    process.stdout.write(`${row}\n`);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
const lineOf = (cells) => `| ${cells.join(" | ")} |`;
const head = [lineOf(HEAD), lineOf(HEAD.map(() => "---"))];
writeFileSync(path, `${before}<!-- table -->\n${[...head, ...rows].join("\n")}\n`);
