/**
 * Runs tutorials through Jupyter, as a reader's "run all" does.
 *
 *   node scripts/notebooks.mjs --check [FILE...]   fails on an error, or if a number of the last cell is not the committed one
 *   node scripts/notebooks.mjs --write [FILE...]   stores the outputs in the notebooks
 *
 * --jobs N runs N of them at a time (default 1). ATMOREP_TEST_PYTHON names a Python with jupyterlab and nbclient; default the one that `atmorep lab` makes. All of
 * notebooks/ if no file is named. The notebooks run in a copy of the checkout made of links, with results/ and models/ of
 * its own and ../shared beside it (ATMOREP_SHARED names another place), and with the same run ids each time: what they
 * show is the same each time.
 */
import { execFile } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, delimiter, dirname, join, resolve } from "node:path";
import { parseArgs, promisify } from "node:util";
import { build, ROOT } from "../bin/build.js";

const EXPECT_TYPE = "application/vnd.atmorep.expect+json";
const MOST_BYTES = 1_000_000;
const OWN = ["notebooks", "results", "models", ".git", ".cache"];

const { values: flags, positionals } = parseArgs({
  options: {
    check: { type: "boolean" },
    write: { type: "boolean" },
    timeout: { type: "string", default: "600" },
    jobs: { type: "string", default: "1" },
  },
  allowPositionals: true,
});
if (flags.check === flags.write) throw new Error("usage: node scripts/notebooks.mjs --check|--write [FILE...]");

const all = readdirSync(join(ROOT, "notebooks")).filter((name) => name.endsWith(".ipynb"));
const files =
  positionals.length > 0 ? positionals.map((file) => resolve(file)) : all.map((name) => join(ROOT, "notebooks", name));
const venv = join(ROOT, ".venv", process.platform === "win32" ? "Scripts/python.exe" : "bin/python");
const python = process.env.ATMOREP_TEST_PYTHON ?? venv;
if (!existsSync(python))
  throw new Error(`no Python with Jupyter: ${python}. Name one in ATMOREP_TEST_PYTHON, or run: npx atmorep lab`);
build();

/** A checkout of links with an own results/, models/ and notebooks/. @returns its folder of notebooks */
function makeCopy(folder) {
  const copy = join(folder, "atmorep");
  mkdirSync(join(copy, "notebooks"), { recursive: true });
  for (const name of readdirSync(ROOT)) if (!OWN.includes(name)) symlinkSync(join(ROOT, name), join(copy, name));
  for (const name of ["results", "models"]) mkdirSync(join(copy, name));
  const shared = resolve(process.env.ATMOREP_SHARED ?? join(ROOT, "..", "shared"));
  if (existsSync(shared)) symlinkSync(realpathSync(shared), join(folder, "shared"));
  for (const name of all) copyFileSync(join(ROOT, "notebooks", name), join(copy, "notebooks", name));
  return join(copy, "notebooks");
}

/** The notebook with the outputs of one execution from top to bottom. @throws Error with the cell's error */
async function execute(file) {
  const folder = mkdtempSync(join(tmpdir(), "tutorial-"));
  try {
    const path = join(makeCopy(folder), basename(file));
    copyFileSync(file, path);
    const output = join(folder, "executed.ipynb");
    const args = [join(ROOT, "assets/lab/run_notebook.py"), path, "--output", output, "--timeout", flags.timeout];
    const env = {
      ...process.env,
      JUPYTER_PATH: join(ROOT, "assets", "kernelspec"),
      PATH: [dirname(process.execPath), dirname(resolve(python)), process.env.PATH].join(delimiter),
      ATMOREP_RUN_ID_SEED: basename(file),
    };
    await promisify(execFile)(python, args, { env, encoding: "utf8", maxBuffer: 1 << 28 }).catch(({ stderr, code }) => {
      throw new Error(stderr?.trim().split("\n").slice(-30).join("\n") || `exit status ${code}`);
    });
    return JSON.parse(readFileSync(output, "utf8"));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The numbers of a notebook's `expect` cells. */
function expected(notebook) {
  const outputs = notebook.cells.flatMap((cell) => cell.outputs ?? []);
  return Object.assign({}, ...outputs.map((output) => output.data?.[EXPECT_TYPE] ?? {}));
}

/** What differs between the numbers that are committed and those found now. */
function differences(committed, now) {
  const names = [...new Set([...Object.keys(committed), ...Object.keys(now)])];
  if (names.length === 0) return ["has no expect cell"];
  return names.flatMap((name) => {
    const [was, is] = [committed[name], now[name]];
    if (!was) return [`"${name}" is not among the committed outputs: run with --write`];
    if (!is) return [`"${name}" is among the committed outputs only`];
    const scale = is.expected === 0 ? 1 : Math.abs(is.expected);
    if (Math.abs(is.found - was.found) <= 2 * is.tolerance * scale) return [];
    return [`"${name}": ${is.found}, committed ${was.found}`];
  });
}

/** What may not be in a committed notebook. */
function faults(notebook, text) {
  const code = notebook.cells.filter((cell) => cell.cell_type === "code" && cell.source.length > 0);
  return [
    ...(text.length > MOST_BYTES ? [`${text.length} bytes, more than ${MOST_BYTES}`] : []),
    ...(code.some((cell) => cell.execution_count === null) ? ["has cells that were not executed"] : []),
    ...(code.some((cell) => cell.outputs.some((output) => output.output_type === "error")) ? ["shows an error"] : []),
    ...(text.includes(`${tmpdir()}/tutorial-`) || text.includes(ROOT) ? ["names a folder of this machine"] : []),
  ];
}

let failed = 0;

async function run(file) {
  const start = performance.now();
  const found = [];
  try {
    const notebook = await execute(file);
    const text = `${JSON.stringify(notebook, null, 1)}\n`;
    found.push(...faults(notebook, text));
    if (flags.check) {
      const committed = readFileSync(file, "utf8");
      found.push(
        ...faults(JSON.parse(committed), committed),
        ...differences(expected(JSON.parse(committed)), expected(notebook)),
      );
    } else {
      if (Object.keys(expected(notebook)).length === 0) found.push("has no expect cell");
      if (found.length === 0) writeFileSync(file, text);
    }
  } catch (error) {
    found.push(error.message);
  }
  if (found.length > 0) failed++;
  console.log(
    `${((performance.now() - start) / 1000).toFixed(0).padStart(4)} s  ${found.length > 0 ? "FAILED" : "passed"}  ${basename(file)}`,
  );
  for (const fault of found) console.log(`  ${fault}`);
}

const waiting = [...files];
const worker = async () => {
  for (let file = waiting.shift(); file; file = waiting.shift()) await run(file);
};
await Promise.all(Array.from({ length: Math.max(1, Number(flags.jobs)) }, worker));
console.log(`${files.length - failed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;
