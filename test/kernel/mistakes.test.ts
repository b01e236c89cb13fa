/**
 * Twenty mistakes that a newcomer makes, each in a cell of a real kernel with the built package: the message names the
 * thing and says what to do, and the traceback marks the cell's own line.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { KernelClient } from "./client.js";

const BEFORE = `import * as atmorep from "atmorep";
import * as nb from "atmorep/notebook";
const small = { num_samples_per_epoch: 8, num_samples_validate: 4, batch_size: 2, batch_size_validation: 2, num_epochs: 1 };
const resolve = (set: Record<string, unknown>) => atmorep.resolveConfig({ preset: "storm", seed: 1, set: { ...small, ...set } }).config;
const config = resolve({});
const prepared = await atmorep.prepare(config);
const run = await nb.train(config, { engine: "wasm", maxSteps: 1, runId: "first001" });`;

interface Mistake {
  name: string;
  cell: string;
  ename: "AtmorepError" | "TypeScriptError";
  /** what the message names */
  names: string;
  /** what the message says to do */
  fix: RegExp;
  /** the marked line, one-based */
  line: number;
}

const MISTAKES: readonly Mistake[] = [
  {
    name: "a misspelt configuration key",
    cell: 'const rate = 0.1;\natmorep.resolveConfig({ preset: "storm", set: { dropout_rat: rate } });',
    ename: "AtmorepError",
    names: "dropout_rat;",
    fix: /Did you mean dropout_rate\?/,
    line: 2,
  },
  {
    name: "an unknown preset",
    cell: 'atmorep.resolveConfig({ preset: "stromm" });',
    ename: "AtmorepError",
    names: "stromm",
    fix: /Did you mean storm\?/,
    line: 1,
  },
  {
    name: "an unknown field",
    cell: '\nawait nb.map(prepared.store, "velocity_w", 500, "1996-01-08");',
    ename: "AtmorepError",
    names: "velocity_w",
    fix: /expected one of velocity_u, velocity_v\. "atmorep data info" lists/,
    line: 2,
  },
  {
    name: "a level that the store lacks",
    cell: 'await nb.map(prepared.store, "velocity_v", 501, "1996-01-08");',
    ename: "AtmorepError",
    names: "501",
    fix: /expected one of 500/,
    line: 1,
  },
  {
    name: "an unknown strategy",
    cell: 'nb.masks(prepared, {\n  strategies: ["BERTT"],\n});',
    ename: "TypeScriptError",
    names: "BERTT",
    fix: /Did you mean '"BERT"'\?/,
    line: 2,
  },
  {
    name: "a store that is not there",
    cell: 'const gone = resolve({ file_path: "no/store.zarr" });\nawait atmorep.prepare(gone);',
    ename: "AtmorepError",
    names: "no/store.zarr",
    fix: /npx atmorep data sample DIR makes one/,
    line: 2,
  },
  {
    name: "a run that does not exist",
    cell: 'await nb.prediction("nosuch01");',
    ename: "AtmorepError",
    names: "nosuch01: there is no such run",
    fix: /List the runs with npx atmorep runs --out DIR, or listRuns\(DIR\) in a notebook/,
    line: 1,
  },
  {
    name: "a run id that is taken",
    cell: 'await nb.train(config, { engine: "wasm", maxSteps: 1, runId: "first001" });',
    ename: "AtmorepError",
    names: "first001",
    fix: /in a notebook leave runId out, or give \{ continue: ID, inPlace: true \}/,
    line: 1,
  },
  {
    name: "a forgotten await",
    cell: "const batch = atmorep.prepare(config);\nnb.describe(batch);",
    ename: "TypeScriptError",
    names: "Promise<Prepared>",
    fix: /Put await in front of the call/,
    line: 2,
  },
  {
    name: "a cell before the one that defines what it uses",
    cell: "const twice = 2;\nnb.describe(batch1);",
    ename: "TypeScriptError",
    names: "'batch1'",
    fix: /Run the cell that defines batch1 first/,
    line: 2,
  },
  {
    name: "a constant declared twice",
    cell: "const steps = 1;\nconst steps = 2;",
    ename: "TypeScriptError",
    names: "'steps'",
    fix: /Give one of the two another name/,
    line: 2,
  },
  {
    name: "a package that is not there",
    cell: 'import * as zarr from "zarita";\nzarr;',
    ename: "TypeScriptError",
    names: "zarita",
    fix: /Correct the name, or install the package in the notebook's folder: npm install zarita/,
    line: 1,
  },
  {
    name: "a misspelt import",
    cell: 'import { resolveConfg } from "atmorep";\nresolveConfg({});',
    ename: "TypeScriptError",
    names: "resolveConfg",
    fix: /Did you mean 'resolveConfig'\?/,
    line: 1,
  },
  {
    name: "a value of the wrong type",
    cell: '\nconst rate: number = "0.1";',
    ename: "TypeScriptError",
    names: "Type 'string' is not assignable to type 'number'",
    fix: /Give a value of the second type/,
    line: 2,
  },
  {
    name: "a variable called as a browser calls one",
    cell: "const window = { steps: 7 };\nconst text: string = window.steps;",
    ename: "TypeScriptError",
    names: "Type 'number' is not assignable to type 'string'",
    fix: /Give a value of the second type/,
    line: 2,
  },
  {
    name: "arrays that do not fit together",
    cell: 'nb.lines("Squares", [\n  { x: ["x", ""], y: ["y", ""], at: [0, 1, 2], lines: { squares: [0, 1] } },\n]);',
    ename: "AtmorepError",
    names: "squares",
    fix: /found 2 values; expected 3, as in "at"\. Give both from the same range/,
    line: 1,
  },
  {
    name: "an unknown loss",
    cell: 'const typo = resolve({ losses: ["mse_ensembl"] });\nawait nb.train(typo, { engine: "wasm" });',
    ename: "AtmorepError",
    names: "mse_ensembl",
    fix: /Did you mean "mse_ensemble"\?/,
    line: 2,
  },
  {
    name: "batches of no sample",
    cell: 'const empty = resolve({ batch_size: 0 });\nfor await (const event of atmorep.train(empty, { engine: "wasm" })) console.log(event.type);',
    ename: "AtmorepError",
    names: "batch_size",
    fix: /Change it to an integer of at least 1/,
    line: 2,
  },
  {
    name: "dates outside of the store",
    cell: 'const late = resolve({ dates_train: [["1997-01-01", "1997-02-01"]] });\nawait atmorep.prepare(late);',
    ename: "AtmorepError",
    names: "1997-01-01",
    fix: /1996-01-05/,
    line: 2,
  },
  {
    name: "predictions of a run that kept none",
    cell: 'const mute = await nb.train(resolve({ log_test_num_ranks: 0 }), { engine: "wasm", maxSteps: 1 });\nawait nb.prediction(mute);',
    ename: "AtmorepError",
    names: "log_test_num_ranks",
    fix: /Set it to 1 and train again/,
    line: 2,
  },
  {
    name: "a comparison of one run",
    cell: "await nb.compare(run);",
    ename: "AtmorepError",
    names: "first001",
    fix: /comparing needs at least two runs.*Name another one/,
    line: 1,
  },
  {
    name: "an unknown engine",
    cell: 'await nb.train(config, { engine: "gpu" as "wasm" });',
    ename: "AtmorepError",
    names: "gpu",
    fix: /expected auto, native, wasm/,
    line: 1,
  },
  {
    name: "a sample that the batch lacks",
    cell: "await nb.batch(prepared, { sample: 7 });",
    ename: "AtmorepError",
    names: "sample",
    fix: /found 7; expected 0 to 1\. Give one of these/,
    line: 1,
  },
  ...Object.entries<[cell: string, fix: RegExp]>({
    "a shell line": [
      "\n!ls -l data",
      /"!" before a shell line is IPython's.*await nb\.sh\("ls -l data"\).*atmorep\/notebook/,
    ],
    "a magic command": ["%timeit 1 + 1", /IPython's.*await nb\.time\(\(\) => 1 \+ 1\)/],
    "a browser's question": ['const name = prompt("Your name?");', /jupyter\.input/],
    JSX: ["const view = <div>text</div>;", /JSX.*jupyter\.html/],
    "Python's import": ["import numpy as np", /Python.*import \* as numpy/],
  }).map(
    ([name, [cell, fix]]): Mistake => ({
      ...{ name, cell, fix, ename: "TypeScriptError", names: "Here: " },
      line: cell.startsWith("\n") ? 2 : 1,
    }),
  ),
];

let kernel: KernelClient;
let folder = "";
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "mistakes-"));
  kernel = await KernelClient.start(folder);
  expect((await kernel.execute(BEFORE)).reply).toMatchObject({ status: "ok" });
});
afterAll(async () => {
  await kernel.stop();
  rmSync(folder, { recursive: true, force: true });
});

describe("a newcomer's mistake", () => {
  it.each(MISTAKES)("$name: the message says what to do", async ({ cell, ename, names, fix, line }) => {
    const { reply } = await kernel.execute(cell);
    expect(reply).toMatchObject({ status: "error", ename });
    expect(reply.evalue).toContain(names);
    expect(reply.evalue).toMatch(fix);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the escape that begins a colour
    const traceback = (reply.traceback as string[]).join("\n").replace(/\u001b\[\d+m/g, "");
    expect(traceback).toContain(`> ${line} | ${cell.split("\n")[line - 1]}`);
  });

  it("does not stop the cells that follow, and a training cell can be run again after an error", async () => {
    const cell =
      'const again = await nb.train(resolve({ losses: [loss] }), { engine: "wasm", maxSteps: 1 });\nagain.finished.step';
    await kernel.execute('let loss = "no_such_loss";');
    expect((await kernel.execute(cell)).reply).toMatchObject({ status: "error", ename: "AtmorepError" });
    await kernel.execute('loss = "mse_ensemble";');
    for (let i = 0; i < 2; i++) {
      const { reply, of } = await kernel.execute(cell);
      expect(reply).toMatchObject({ status: "ok" });
      expect(of("execute_result")[0].data).toMatchObject({ "text/plain": "1" });
    }
  });
});
