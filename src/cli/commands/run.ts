/** `atmorep run` */
import { existsSync, statSync } from "node:fs";
import { extname, join, relative, resolve, sep } from "node:path";
import type { Command } from "commander";
import { assertFile } from "../../budgets.js";
import { isPattern } from "../../config/resolve.js";
import { AtmorepError } from "../../errors.js";
import { ensureLab, KERNEL_CACHE, LAB_PYTHON, labVariables, ROOT } from "../lab/environment.js";
import { foreground } from "../lab/foreground.js";
import { formatTable, note, parseCount, withExamples } from "../output.js";

interface RunFlags {
  yes?: boolean;
  inplace?: boolean;
  timeout?: number;
}

export function registerRun(program: Command): void {
  const command = program
    .command("run")
    .description(
      "run notebooks, or TypeScript files, one after the other with the notebook's kernel; exit code 1 if a cell of any fails",
    )
    .argument("<FILE...>", "FILE.ipynb or FILE.ts, or patterns of them: * and ? within a name, ** for any folders")
    .option("--yes", "download Jupyter at the first use without asking")
    .option("--inplace", "write the outputs into the notebooks")
    .option("--timeout <SECONDS>", "longest time of a cell", parseCount)
    .action(runAction);
  withExamples(command, ["run notebooks/01-first-run.ipynb", "run script.ts", 'run "notebooks/*.ipynb"']);
}

const isScript = (path: string) => /^\.[mc]?ts$/.test(extname(path));
const isNotebook = (path: string) => extname(path) === ".ipynb";

async function runAction(names: readonly string[], flags: RunFlags): Promise<void> {
  const files = await filesOf(names);
  if (files.some(isNotebook)) await ensureLab(flags.yes === true);
  if (files.length === 1 && isScript(files[0])) {
    const { runScript } = await import("../../kernel/script.js");
    if (!(await runScript(files[0], ROOT, KERNEL_CACHE))) process.exitCode = 1;
  } else if (files.length === 1) process.exitCode = await runFile(files[0], flags);
  else process.exitCode = await runAll(files, flags);
}

/**
 * What the arguments name, each file once.
 * @throws AtmorepError (input, usage) before anything runs, if one names nothing, or what is neither notebook nor script
 */
async function filesOf(names: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const name of names)
    found.push(...(isPattern(name) && !existsSync(name) ? await fitting(name) : [resolve(name)]));
  for (const path of found) {
    if (!existsSync(path)) throw new AtmorepError("input", "no such file", { where: path });
    if (!isScript(path) && !isNotebook(path)) {
      throw new AtmorepError("usage", "not a notebook and not a script", {
        where: path,
        expected: "FILE.ipynb or FILE.ts",
      });
    }
    assertFile(statSync(path), path);
  }
  return [...new Set(found)];
}

/** Jupyter's copies and installed packages are nobody's notebooks, unless the pattern names their folder. */
async function fitting(pattern: string): Promise<string[]> {
  const { expandPaths } = await import("../../data/foreign/glob.js");
  const aside = (part: string) => (part.startsWith(".") && part !== "..") || part === "node_modules";
  const named = new Set(pattern.split(sep));
  const all = await expandPaths([pattern], process.cwd());
  const own = all.filter(
    (path) =>
      (isScript(path) || isNotebook(path)) &&
      !path.endsWith(".d.ts") &&
      !relative(process.cwd(), path)
        .split(sep)
        .some((part) => aside(part) && !named.has(part)),
  );
  if (own.length > 0) return own;
  throw new AtmorepError("input", "no notebook or script fits the pattern", {
    where: pattern,
    found: `${all.length} other paths`,
    expected: "FILE.ipynb or FILE.ts",
  });
}

/** Runs one file in a process of its own. @returns its exit code */
function runFile(path: string, flags: RunFlags): Promise<number> {
  if (isScript(path)) return foreground(process.execPath, [join(ROOT, "bin", "atmorep.js"), "run", path]);
  const args = [join(ROOT, "assets", "lab", "run_notebook.py"), path];
  if (flags.inplace === true) args.push("--inplace");
  if (flags.timeout !== undefined) args.push("--timeout", String(flags.timeout));
  return foreground(LAB_PYTHON, args, { env: labVariables() });
}

/** Runs all, also after one has failed; a signal ends the file at work and leaves the others. @returns the exit code */
async function runAll(files: readonly string[], flags: RunFlags): Promise<number> {
  const rows: string[][] = [];
  let stopped: number | null = null;
  for (const [i, file] of files.entries()) {
    const name = relative(process.cwd(), file);
    if (stopped !== null) {
      rows.push([name, "not run", ""]);
      continue;
    }
    note(`${name} (${i + 1} of ${files.length})`);
    const begin = performance.now();
    const code = await runFile(file, flags);
    if (code > 128) stopped = code;
    const outcome = code === 0 ? "done" : code > 128 ? "stopped" : "failed";
    rows.push([name, outcome, `${((performance.now() - begin) / 1000).toFixed(1)} s`]);
  }
  for (const line of ["", ...formatTable(rows, [2])]) note(line);
  const done = rows.filter(([, outcome]) => outcome === "done").length;
  note(`${done} of ${files.length} ran without an error`);
  return stopped ?? (done === files.length ? 0 : 1);
}
