/** Validation and evaluation dealt over processes: the same numbers and files as one process's. */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { readMetrics } from "../../src/runs/metrics.js";
import { LAUNCHER, type Outcome, runProgram } from "../support/cli.js";
import { tempDir } from "../support/tempDir.js";
import { writeTinyConfig } from "../support/tinyProgram.js";
import { ENV, OPEN_MPI } from "./training.js";

const run = (size: number, args: readonly string[]): Promise<Outcome> => {
  const [program, ...rest] = size === 1 ? [] : [...OPEN_MPI, String(size)];
  const command = [...(program ? [program, ...rest] : []), process.execPath, LAUNCHER, ...args];
  return runProgram(command[0], command.slice(1), undefined, ENV);
};

/** Every file below a folder, by its path. */
function filesOf(dir: string, below = ""): Map<string, Buffer> {
  return new Map(
    readdirSync(join(dir, below)).flatMap((name): [string, Buffer][] => {
      const path = join(below, name);
      if (statSync(join(dir, path)).isDirectory()) return [...filesOf(dir, path)];
      return [[path, readFileSync(join(dir, path))]];
    }),
  );
}
const stores = (dir: string) => [...filesOf(dir)].filter(([path]) => path.includes(".zarr") || path.includes("scores"));

// 5 batches: two full rounds and half a one of two processes, one round and two of three
const SET = { num_samples_validate: 10, test_initial: true, log_test_num_ranks: 1, attention: true };

it.each(["run", "batch"])(
  "validation of 1, 2 and 3 processes, masks by %s",
  async (streams) => {
    const outs = [1, 2, 3].map(() => tempDir());
    const first = [];
    for (const [k, out] of outs.entries()) {
      const config = writeTinyConfig(out, { ...SET, mask_streams: streams });
      const args = ["train", config, "--out", out, "--seed", "3", "--run-id", "validate", "--engine", "wasm"];
      const { code, stderr } = await run(k + 1, [...args, "--max-steps", "1"]);
      expect(code, stderr).toBe(0);
      const [{ time: _, ...row }] = await readMetrics(join(out, "results", "idvalidate", "metrics.jsonl"));
      first.push(row);
    }
    expect(first[0]["val. loss BERT"]).toBeGreaterThan(0);
    expect(first[1]).toEqual(first[0]);
    expect(first[2]).toEqual(first[0]);
    if (streams === "run") return;
    const files = [];
    for (const size of [1, 2, 3]) {
      const id = `evaluat${size}`;
      const args = ["evaluate", "validate", "--out", outs[0], "--run-id", id, "--engine", "wasm"];
      const { code, stdout, stderr } = await run(size, args);
      expect(code, stderr).toBe(0);
      expect(stdout.match(/^run validate@/gm)).toHaveLength(1);
      const named = stores(join(outs[0], "results", `id${id}`));
      files.push(new Map(named.map(([path, bytes]) => [path.replaceAll(id, "ID"), bytes])));
    }
    expect(files[0].size).toBeGreaterThan(5);
    expect(files[1]).toEqual(files[0]);
    expect(files[2]).toEqual(files[0]);
  },
  900_000,
);
