/**
 * Measures Jupyter kernels and writes the table of docs/kernel.md: `node scripts/kernel-table.mjs PYTHON [LINES]`.
 * PYTHON has nbclient, ipykernel 7 and jupyter-kernel-test 0.7. tslab is measured as it comes.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join, resolve } from "node:path";

const [python, lines = "1000000"] = process.argv.slice(2);
if (python === undefined) throw new Error("usage: node scripts/kernel-table.mjs PYTHON [LINES]");

const root = resolve(import.meta.dirname, "..");
const folder = mkdtempSync(join(tmpdir(), "kernels-"));

/** A kernelspec of tslab as its own installer writes it. */
function writeTslab() {
  const spec = join(folder, "kernels", "tslab");
  mkdirSync(spec, { recursive: true });
  const program = join(root, "node_modules", "tslab", "bin", "tslab");
  const argv = [process.execPath, program, "kernel", "--config-path={connection_file}"];
  writeFileSync(join(spec, "kernel.json"), JSON.stringify({ argv, display_name: "tslab", language: "typescript" }));
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
    timeout: 180_000,
  });
  try {
    return JSON.parse(stdout.trim().split("\n").at(-1));
  } catch {
    return undefined;
  }
}

const rows = [
  ["kernel", "lines delivered of a burst", "seconds", "memory, MB", "start, s", "small cell, ms", "interrupts obeyed"],
  ["---", "---", "---", "---", "---", "---", "---"],
];
try {
  writeTslab();
  for (const [kernel, name] of [
    ["atmorep", "this kernel"],
    ["tslab", "tslab 1.0.22"],
    ["python3", "ipykernel 7"],
  ]) {
    const burst = measure("burst.py", [kernel, lines]);
    const times = measure("times.py", [kernel]);
    const delivered = burst === undefined ? "does not end" : `${burst.delivered} of ${lines}`;
    const obeyed = times === undefined ? "-" : `${times.interrupted} of ${times.tried}, slowest ${times.slowest} s`;
    rows.push(
      [name, delivered, burst?.seconds, burst?.kernelMB, times?.start, times?.cell, obeyed].map((v) => v ?? "-"),
    );
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
const table = rows.map((row) => `| ${row.join(" | ")} |`).join("\n");
const path = join(root, "docs", "kernel.md");
const [before] = readFileSync(path, "utf8").split("<!-- table -->");
writeFileSync(path, `${before}<!-- table -->\n${table}\n`);
process.stdout.write(`${table}\n`);
