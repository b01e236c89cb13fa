/** `atmorep notebook new` */
import { existsSync } from "node:fs";
import { dirname, resolve } from "node:path";
import type { Command } from "commander";
import { AtmorepError } from "../../errors.js";
import { writeFileAtomic } from "../../formats/atomic.js";
import { starterNotebook } from "../lab/starter.js";
import { print, withExamples } from "../output.js";

export function registerNotebook(program: Command): void {
  const notebook = program.command("notebook").description("write a notebook to begin with");
  const create = notebook
    .command("new")
    .description("write a starter notebook: configuration, batch, masks, a short training, scores")
    .argument("[FILE]", "FILE.ipynb", "notebook.ipynb")
    .action(newAction);
  withExamples(create, ["notebook new", "notebook new my-run.ipynb"]);
  withExamples(notebook, ["notebook new my-run.ipynb"]);
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
