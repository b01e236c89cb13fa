/** `atmorep lab` and `atmorep run` */
import { spawn } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { basename, dirname, extname, join, resolve } from "node:path";
import type { Command } from "commander";
import { assertFile } from "../../budgets.js";
import { AtmorepError } from "../../errors.js";
import { ensureLab, INSTALLED, KERNEL_CACHE, LAB_PYTHON, labVariables, ROOT } from "../lab/environment.js";
import { note, parseCount, withExamples } from "../output.js";
import { EXIT_CODES } from "../signals.js";

export function registerLab(program: Command): void {
  const command = program
    .command("lab")
    .description("open JupyterLab on the tutorials, with the TypeScript kernel")
    .argument(
      "[PATH]",
      "folder or notebook to open; if not given the tutorials, of an installed package the current folder",
    )
    .option("--yes", "download JupyterLab at the first use without asking")
    .option("--no-browser", "print the address instead of opening a browser")
    .option("--port <N>", "port to begin with", parseCount)
    .action(labAction);
  withExamples(command, ["lab", "lab --yes --no-browser", "lab notebooks/01-first-run.ipynb"]);
}

export function registerRun(program: Command): void {
  const command = program
    .command("run")
    .description("run a notebook, or a TypeScript file, with the notebook's kernel; exit code 1 if a cell fails")
    .argument("<FILE>", "FILE.ipynb or FILE.ts")
    .option("--yes", "download Jupyter at the first use without asking")
    .option("--inplace", "write the outputs into the notebook")
    .option("--timeout <SECONDS>", "longest time of a cell", parseCount)
    .action(runAction);
  withExamples(command, ["run notebooks/01-first-run.ipynb", "run script.ts"]);
}

/** Runs a program in the foreground; signals reach it as they reach this process. @returns its exit code */
function foreground(args: readonly string[], cwd?: string): Promise<number> {
  return new Promise((done, reject) => {
    const child = spawn(LAB_PYTHON, args, { cwd, env: labVariables(), stdio: "inherit" });
    const pass = (signal: NodeJS.Signals) => child.kill(signal);
    let interrupted = false;
    // The terminal sends its interrupt to both; this process waits for the other's end.
    process.on("SIGINT", () => {
      interrupted = true;
    });
    process.on("SIGTERM", pass);
    child.once("error", reject);
    child.once("exit", (code, signal) => {
      // Python that is still starting knows no exit code of its own for it
      const stopped = signal === "SIGINT" || (interrupted && code !== 0);
      done(stopped ? EXIT_CODES.SIGINT : (code ?? 1));
    });
  });
}

/**
 * Arguments of Python that start JupyterLab.
 * @param path folder, or notebook whose folder is served
 */
export function labArguments(path: string, flags: { browser: boolean; port?: number }): string[] {
  const isFolder = statSync(path).isDirectory();
  const root = isFolder ? path : dirname(path);
  const args = ["-m", "jupyterlab", "--ServerApp.ip=127.0.0.1", `--ServerApp.root_dir=${root}`];
  if (!isFolder) args.push(`--LabApp.default_url=/lab/tree/${encodeURIComponent(basename(path))}`);
  // Its search for language servers starts npm, which writes into the home folder.
  args.push("--LanguageServerManager.autodetect=False");
  // In containers there is often no other user; the server listens on this machine only, and asks for its token.
  if (process.getuid?.() === 0) args.push("--allow-root");
  if (!flags.browser) args.push("--no-browser");
  if (flags.port !== undefined) args.push(`--ServerApp.port=${flags.port}`);
  return args;
}

/** A checkout's tutorials; a package's lie in a folder that is npm's, from where they are copied. */
function startFolder(): string {
  if (!INSTALLED) return join(ROOT, "notebooks");
  note('The tutorials are copied to a folder of yours by "npx atmorep notebook tutorials".');
  return process.cwd();
}

async function labAction(
  path: string | undefined,
  flags: { yes?: boolean; browser: boolean; port?: number },
): Promise<void> {
  const given = path === undefined ? startFolder() : resolve(path);
  if (!existsSync(given)) throw new AtmorepError("input", "no such folder or notebook", { where: given });
  await ensureLab(flags.yes === true);
  const args = labArguments(given, flags);
  note(`JupyterLab opens ${given}, for this machine only; its address with the token follows. Ctrl-C ends it.`);
  process.exitCode = await foreground(args, statSync(given).isDirectory() ? given : dirname(given));
}

async function runAction(file: string, flags: { yes?: boolean; inplace?: boolean; timeout?: number }): Promise<void> {
  const path = resolve(file);
  if (!existsSync(path)) throw new AtmorepError("input", "no such file", { where: path });
  assertFile(statSync(path), path);
  if (/^\.[mc]?ts$/.test(extname(path))) {
    const { runScript } = await import("../../kernel/script.js");
    if (!(await runScript(path, ROOT, KERNEL_CACHE))) process.exitCode = 1;
    return;
  }
  if (extname(path) !== ".ipynb") {
    throw new AtmorepError("usage", "not a notebook and not a script", {
      where: path,
      expected: "FILE.ipynb or FILE.ts",
    });
  }
  await ensureLab(flags.yes === true);
  const args = [join(ROOT, "assets", "lab", "run_notebook.py"), path];
  if (flags.inplace === true) args.push("--inplace");
  if (flags.timeout !== undefined) args.push("--timeout", String(flags.timeout));
  process.exitCode = await foreground(args);
}
