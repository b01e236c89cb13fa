/** `presets`: our presets resolve to the configurations that the original's programs write. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { resolveConfig } from "../../config/resolve.js";
import { readConfigFile } from "../../config/text/files.js";
import { compareJson } from "../compare.js";
import type { Comparison, KindRunner } from "../types.js";

/** the original's program to our preset */
const PRESET_OF: Readonly<Record<string, string>> = { train: "single", train_multi: "multi" };

/** Paths, ids, seeds and what a process is told by its launcher. */
const ASIDE = new Set([
  "file_path",
  "wandb_id",
  "torch_seed",
  "rng_seed",
  "par_rank",
  "par_size",
  "num_accs_per_task",
  "slurm_job_id",
]);

/** Compares every key of each configuration of the case; numbers to 1e-12 relative, the rest exactly. */
export const runPresets: KindRunner = async (golden) =>
  Object.keys(golden.values).flatMap((program) => {
    const file = join(golden.dir, `${program}.json`);
    const preset = PRESET_OF[program];
    if (preset === undefined || !existsSync(file)) {
      return [failure(program, preset === undefined ? "no preset stands for this program" : "the file is missing")];
    }
    const expected = readConfigFile(file).values;
    const { config } = resolveConfig({ preset });
    return Object.keys(expected)
      .filter((key) => !ASIDE.has(key))
      .map((key) =>
        compareValue(`${program}.${key}`, withoutPretrained(key, config[key]), withoutPretrained(key, expected[key])),
      );
  });

/** The pre-trained run of each field is not compared, that it has one is. */
function withoutPretrained(key: string, value: unknown): unknown {
  if (key !== "fields" || !Array.isArray(value)) return value;
  return value.map(([name, embedding, ...rest]) => [
    name,
    embedding.map((item: unknown, i: number) => (i === 4 ? "pre-trained" : item)),
    ...rest,
  ]);
}

function compareValue(name: string, actual: unknown, expected: unknown): Comparison {
  return closeValues(actual, expected) ? compareJson(name, expected, expected) : compareJson(name, actual, expected);
}

function closeValues(a: unknown, b: unknown): boolean {
  if (typeof a === "number" && typeof b === "number") return Math.abs(a - b) <= 1e-12 * Math.abs(b);
  if (Array.isArray(a) && Array.isArray(b))
    return a.length === b.length && a.every((item, i) => closeValues(item, b[i]));
  return a === b;
}

const failure = (tensor: string, detail: string): Comparison => ({
  tensor,
  ok: false,
  maxError: Infinity,
  ratio: Infinity,
  detail,
});
