import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const python = process.env.ATMOREP_TEST_PYTHON ?? "";
const env = {
  ...process.env,
  JUPYTER_PATH: resolve("assets/kernelspec"),
  PATH: `${dirname(process.execPath)}:${dirname(python)}:${process.env.PATH}`,
};

function run(args: readonly string[]) {
  return spawnSync(python, args, { env, encoding: "utf8" });
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

  it("100,000 lines of one cell arrive complete, in bounded memory", () => {
    const { stdout, stderr } = run(["test/jupyter/burst.py", "atmorep", "100000"]);
    const result = JSON.parse(stdout || `{"error": ${JSON.stringify(stderr)}}`);
    expect(result).toMatchObject({ complete: true });
    expect(result.kernelMB).toBeLessThan(600);
  });

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
