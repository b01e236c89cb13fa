/** `atmorep lab` */
import { existsSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import type { Command } from "commander";
import { AtmorepError } from "../../errors.js";
import { ensureLab, INSTALLED, LAB_PYTHON, labVariables, ROOT } from "../lab/environment.js";
import { foreground } from "../lab/foreground.js";
import { note, parseCount, withExamples } from "../output.js";

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
  const cwd = statSync(given).isDirectory() ? given : dirname(given);
  process.exitCode = await foreground(LAB_PYTHON, args, { cwd, env: labVariables() });
}
