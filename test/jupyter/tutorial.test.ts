/** What tutorial 01 leaves, beside what its command line leaves: the same bytes, times aside. */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const python = process.env.ATMOREP_TEST_PYTHON ?? "";
/** enough for a validation within and one at the end; the tutorial's own number takes a minute more */
const steps = process.env.ATMOREP_TUTORIAL_STEPS ?? "510";

let folder = "";
beforeAll(() => {
  expect(python, "ATMOREP_TEST_PYTHON names a Python with Jupyter").not.toBe("");
  folder = mkdtempSync(join(tmpdir(), "tutorial-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Cell {
  cell_type: string;
  source: string[];
}

/** The cells of tutorial 01 up to its training, and the command line that it says gives the same. */
function tutorial() {
  const notebook = JSON.parse(readFileSync("notebooks/01-first-run.ipynb", "utf8"));
  const cells: Cell[] = notebook.cells;
  const training = cells.findIndex(({ source }) => source.join("").includes("await nb.train(config"));
  const command = /^npx atmorep (train .*)$/m.exec(cells.map(({ source }) => source.join("")).join("\n"))?.[1] ?? "";
  const shortened = cells.slice(0, training + 1).map((cell) => ({
    ...cell,
    source: cell.source.map((line) => line.replace(/maxSteps: \d+/, `maxSteps: ${steps}`)),
  }));
  const args = command.replace(/--max-steps \d+/, `--max-steps ${steps}`).split(" ");
  return { notebook: { ...notebook, cells: shortened }, args };
}

function filesBelow(root: string): string[] {
  const entries = ["results", "models"].flatMap((dir) =>
    readdirSync(join(root, dir), { recursive: true, withFileTypes: true }),
  );
  return entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name).slice(root.length + 1))
    .sort();
}

/** The file without times of day and speeds. */
function withoutTimes(path: string): Buffer | string {
  const bytes = readFileSync(path);
  if (path.endsWith("metrics.jsonl")) return bytes.toString().replaceAll(/"time":"[^"]*"/g, '"time":""');
  if (!path.endsWith("console.log")) return bytes;
  return bytes
    .toString()
    .replaceAll(/\d\d:\d\d:\d\d/g, "")
    .replaceAll(/\([\d.]+ s\/sec\)/g, "");
}

describe("tutorial 01 and its command line", () => {
  it("leave the same files, byte for byte", () => {
    const { notebook, args } = tutorial();
    expect(args).toContain("wasm");
    mkdirSync(join(folder, "tutorial", "notebooks"), { recursive: true });
    const file = join(folder, "tutorial", "notebooks", "01-first-run.ipynb");
    writeFileSync(file, JSON.stringify(notebook));
    const env = {
      ...process.env,
      JUPYTER_PATH: resolve("assets/kernelspec"),
      PATH: [dirname(process.execPath), dirname(python), process.env.PATH].join(delimiter),
    };
    const run = spawnSync(python, ["assets/lab/run_notebook.py", file], { env, encoding: "utf8" });
    expect(run.status, run.stderr).toBe(0);
    const [id] = readdirSync(join(folder, "tutorial", "results")).map((name) => name.slice("id".length));

    const program = [resolve("bin/atmorep.js"), ...args, "--run-id", id, "--out", join(folder, "program")];
    const { status, stderr } = spawnSync(process.execPath, program, { encoding: "utf8", maxBuffer: 1 << 26 });
    expect(status, stderr).toBe(0);

    const names = filesBelow(join(folder, "tutorial"));
    expect(filesBelow(join(folder, "program"))).toEqual(names);
    expect(names.length).toBeGreaterThan(20);
    const different = names.filter((name) => {
      const [a, b] = ["tutorial", "program"].map((side) => withoutTimes(join(folder, side, name)));
      return Buffer.compare(Buffer.from(a), Buffer.from(b)) !== 0;
    });
    expect(different).toEqual([]);
  });
});
