import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const python = process.env.ATMOREP_TEST_PYTHON ?? "";
/** How much of each; `.ci/full` asks for more. */
const LINES = Number(process.env.ATMOREP_LINES ?? 100_000);
const INTERRUPTS = Number(process.env.ATMOREP_INTERRUPTS ?? 20);
const CELLS = Number(process.env.ATMOREP_CELLS ?? 200);
const env = {
  ...process.env,
  JUPYTER_PATH: resolve("assets/kernelspec"),
  PATH: `${dirname(process.execPath)}:${dirname(python)}:${process.env.PATH}`,
};

function run(args: readonly string[]) {
  return spawnSync(python, args, { env, encoding: "utf8" });
}

/** The JSON that a script prints last; what it did is also printed here, for the record. */
function measured(args: readonly string[]) {
  const { stdout, stderr } = run(args);
  const line = stdout.trim().split("\n").at(-1) ?? "";
  expect(line, stderr).toMatch(/^\{/);
  process.stdout.write(`${args.slice(0, -1).join(" ")}: ${line}\n`);
  return JSON.parse(line);
}

let folder = "";
beforeAll(() => {
  expect(python, "ATMOREP_TEST_PYTHON names a Python with Jupyter").not.toBe("");
  folder = mkdtempSync(join(tmpdir(), "notebooks-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function runNotebook(cells: readonly string[]) {
  const file = join(folder, "test.ipynb");
  const code = cells.map((source) => ({ cell_type: "code", metadata: {}, execution_count: null, outputs: [], source }));
  writeFileSync(file, JSON.stringify({ nbformat: 4, nbformat_minor: 4, metadata: {}, cells: code }));
  return run(["assets/lab/run_notebook.py", file]);
}

describe("through Jupyter", () => {
  it("every official test passes, none is skipped", () => {
    const { status, stderr } = run(["test/jupyter/suite.py"]);
    expect(status, stderr).toBe(0);
    expect(stderr).toContain("Ran 13 tests");
    expect(stderr).not.toContain("skipped");
  });

  it(`${LINES} lines of one cell arrive complete, in bounded memory`, () => {
    const result = measured(["test/jupyter/burst.py", "atmorep", String(LINES)]);
    expect(result).toMatchObject({ complete: true });
    expect(result.kernelMB).toBeLessThan(600);
  });

  it(`${INTERRUPTS} interrupts in a row stop loops, timers and training, and leave runs that go on`, () => {
    const { left, ...kinds } = measured(["test/jupyter/interrupts.py", String(INTERRUPTS), folder]);
    for (const [kind, { tried, obeyed, slowest }] of Object.entries(kinds as Record<string, Record<string, number>>)) {
      expect(obeyed, kind).toBe(tried);
      // Half a second more than promised: the machine that tests may be busy.
      expect(slowest, kind).toBeLessThan(2.5);
    }
    expect(left).toEqual({ interruptedRuns: kinds.training.tried + kinds["one-call training"].tried, goesOnBy: 2 });
  });

  for (const kind of [[], ["modules"]]) {
    it(`${CELLS} cells do not make cells slower ${kind}`, () => {
      const { first, last, kernelMB } = measured(["test/jupyter/cells.py", "atmorep", String(CELLS), ...kind]);
      expect(last).toBeLessThan(2 * first + 20);
      expect(kernelMB).toBeLessThan(1000);
    });
  }

  it("a notebook without errors ends with 0 and prints its outputs", () => {
    const { status, stdout, stderr } = runNotebook(["const a = 6", 'console.log("printed"); a * 7']);
    expect(status, stderr).toBe(0);
    expect(stdout).toContain("printed\n");
    expect(stdout).toContain("42");
  });

  for (const [name, code] of [
    ["throws", 'throw new Error("fails")'],
    ["does not compile", "const a: number = 'fails'"],
    ["drops a rejected promise", 'void Promise.reject(new Error("fails"))'],
    ["throws late", 'setTimeout(() => { throw new Error("fails") }, 10); 1'],
  ]) {
    it(`a notebook whose last cell ${name} ends with 1`, () => {
      const { status } = runNotebook(["1", code]);
      expect(status).toBe(1);
    });
  }
});
