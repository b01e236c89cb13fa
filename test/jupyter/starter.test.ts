/** Notebooks as commands run them: the starter's cells, a tutorial, and a project of the user's own. */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join, resolve } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";

const python = process.env.ATMOREP_TEST_PYTHON ?? "";
const env = {
  ...process.env,
  JUPYTER_PATH: resolve("assets/kernelspec"),
  PATH: [dirname(process.execPath), dirname(python), process.env.PATH].join(delimiter),
};

let folder = "";
beforeAll(() => {
  expect(python, "ATMOREP_TEST_PYTHON names a Python with Jupyter").not.toBe("");
  folder = mkdtempSync(join(tmpdir(), "starter-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function runNotebook(file: string) {
  return spawnSync(python, ["assets/lab/run_notebook.py", file, "--inplace"], { env, encoding: "utf8" });
}

it.each([
  ["no JSON", "{"],
  ["a list", "[]"],
  ["cells that are none", '{"nbformat":4,"nbformat_minor":5,"metadata":{},"cells":[1]}'],
  [
    "a cell without a source",
    '{"nbformat":4,"nbformat_minor":5,"metadata":{},"cells":[{"cell_type":"code","metadata":{}}]}',
  ],
  ["another version", '{"nbformat":"\\u001b[2J","metadata":{},"cells":[]}'],
  ["too deep", `{"nbformat":4,"nbformat_minor":5,"metadata":${'{"a":'.repeat(5000)}1${"}".repeat(5000)},"cells":[]}`],
])("what is no notebook (%s) is one message and exit 2", (_, text) => {
  const file = join(folder, "none.ipynb");
  writeFileSync(file, text);
  const { status, stderr } = runNotebook(file);
  expect(stderr).toMatch(/^error: .*none\.ipynb: not a notebook that Jupyter can read; found /);
  expect(stderr.trim().split("\n")).toHaveLength(1);
  expect(status).toBe(2);
  expect(readFileSync(file, "utf8")).toBe(text);
});

interface Cell {
  cell_type: string;
  outputs?: { output_type: string }[];
}

it("the notebook that `notebook new` writes runs from the top, with an output of every cell", () => {
  const file = join(folder, "own.ipynb");
  const made = spawnSync(process.execPath, ["bin/atmorep.js", "notebook", "new", file], { encoding: "utf8" });
  expect(made.status, made.stderr).toBe(0);
  const { status, stderr } = runNotebook(file);
  expect(status, stderr).toBe(0);
  const cells: Cell[] = JSON.parse(readFileSync(file, "utf8")).cells;
  const code = cells.filter(({ cell_type }) => cell_type === "code");
  expect(code.length).toBeGreaterThan(4);
  for (const { outputs } of code) expect(outputs?.length).toBeGreaterThan(0);
});

it("a notebook in a project of the user's own imports the package that is installed there", () => {
  const project = join(folder, "project");
  mkdirSync(join(project, "node_modules"), { recursive: true });
  writeFileSync(join(project, "package.json"), '{ "name": "own", "type": "module" }');
  symlinkSync(resolve("."), join(project, "node_modules", "atmorep"));
  const source = [
    'import * as atmorep from "atmorep";\nimport * as nb from "atmorep/notebook";\n',
    'const { config } = atmorep.resolveConfig({ preset: "storm" });\n',
    "console.log([typeof atmorep.train, typeof nb.train, config.BERT_strategy].join());\nnb.config(config)",
  ];
  const cells = [{ cell_type: "code", metadata: {}, execution_count: null, outputs: [], source }];
  const file = join(project, "own.ipynb");
  writeFileSync(file, JSON.stringify({ nbformat: 4, nbformat_minor: 4, metadata: {}, cells }));
  const { status, stdout, stderr } = runNotebook(file);
  expect(status, stderr).toBe(0);
  expect(stdout).toContain("function,function,temporal_interpolation\n");
});
