/** `atmorep notebook new` and `tutorials` */
import { existsSync } from "node:fs";
import { copyFile, readdir } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import type { Command } from "commander";
import { PACKAGE_ROOT } from "../../config/presets.js";
import { AtmorepError } from "../../errors.js";
import { writeDirectoryAtomic, writeFileAtomic } from "../../formats/atomic.js";
import { starterNotebook } from "../lab/starter.js";
import { print, withExamples } from "../output.js";

export function registerNotebook(program: Command): void {
  const notebook = program.command("notebook").description("write a notebook to begin with, or copy the tutorials");
  const create = notebook
    .command("new")
    .description("write a starter notebook: configuration, batch, masks, a short training, scores")
    .argument("[FILE]", "FILE.ipynb", "notebook.ipynb")
    .action(newAction);
  withExamples(create, ["notebook new", "notebook new my-run.ipynb"]);
  const tutorials = notebook
    .command("tutorials")
    .description("copy the tutorials to a folder of yours, which must not be there yet")
    .argument("[DIR]", "folder to make", "atmorep-tutorials")
    .action(tutorialsAction);
  withExamples(tutorials, ["notebook tutorials", "notebook tutorials my-tutorials"]);
  withExamples(notebook, ["notebook new my-run.ipynb", "notebook tutorials"]);
}

async function tutorialsAction(folder: string): Promise<void> {
  const path = resolve(folder);
  if (existsSync(path)) {
    throw new AtmorepError("usage", "the folder exists", { where: path, fix: "Give another name." });
  }
  const source = join(PACKAGE_ROOT, "notebooks");
  const names = (await readdir(source)).filter((name) => /\.(ipynb|md)$/.test(name));
  const fill = async (aside: string) => {
    for (const name of names) await copyFile(join(source, name), join(aside, name));
  };
  await writeDirectoryAtomic(path, fill, { replace: false });
  print(`wrote ${path}`);
  print(`Open them: npx atmorep lab ${folder}`);
}

async function newAction(file: string): Promise<void> {
  const path = resolve(file.endsWith(".ipynb") ? file : `${file}.ipynb`);
  if (existsSync(path)) {
    throw new AtmorepError("usage", "the file exists", { where: path, fix: "Give another name." });
  }
  if (!existsSync(dirname(path))) {
    throw new AtmorepError("usage", "no such folder", { where: dirname(path), fix: "Make the folder first." });
  }
  await writeFileAtomic(path, starterNotebook());
  print(`wrote ${path}`);
  print(`Open it: npx atmorep lab ${path}; run it: npx atmorep run ${path}`);
}
