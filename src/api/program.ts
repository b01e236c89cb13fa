/** The program and the machine it runs on. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { StepBenchmark, StepBenchmarkOptions } from "../bench/step.js";
import { PACKAGE_ROOT } from "../config/presets.js";
import type { RunConfig } from "../config/types.js";
import type { Check } from "../doctor/index.js";
import type { CaseResult } from "../verify/run.js";

/** Packages whose version a result may depend on. */
const NAMED = ["@tensorflow/tfjs-core", "@tensorflow/tfjs-backend-wasm", "zarrita", "vega"];

/**
 * Versions of the program, of Node and of the libraries that results may depend on.
 * @example console.table(versions());
 */
export function versions(): Record<string, string> {
  const own = JSON.parse(readFileSync(`${PACKAGE_ROOT}/package.json`, "utf8"));
  const { resolve } = createRequire(import.meta.url);
  const libraries = NAMED.map((name) => [name, versionOf(name, resolve.paths(name) ?? [])]);
  return {
    atmorep: own.version,
    node: process.versions.node,
    platform: `${process.platform} ${process.arch}`,
    ...Object.fromEntries(libraries),
  };
}

/** Reads the package's file: some packages do not export it. */
function versionOf(name: string, folders: readonly string[]): string {
  for (const folder of folders) {
    try {
      return JSON.parse(readFileSync(`${folder}/${name}/package.json`, "utf8")).version;
    } catch {
      // the next folder up
    }
  }
  return "not installed";
}

/**
 * Checks this machine: engine, threads, kernel, memory, each with what to do about what is missing.
 * @example (await doctor()).filter(({ status }) => status === "problem");
 */
export async function doctor(): Promise<Check[]> {
  return (await import("../doctor/index.js")).diagnose();
}

/**
 * Runs the cases of a golden folder one after the other.
 * @param cases patterns such as `mask_*`; all if there is none
 * @throws AtmorepError (input, usage) if the folder holds no case, or a pattern matches none
 * @example for await (const { name, ok } of verify("test/golden", ["mask_*"])) console.log(name, ok);
 */
export async function* verify(
  dir: string,
  cases: readonly string[] = [],
  engine: "auto" | "native" | "wasm" = "auto",
): AsyncGenerator<CaseResult> {
  const { selectCases, verifyCase } = await import("../verify/index.js");
  for (const name of await selectCases(dir, cases)) yield await verifyCase(dir, name, { engine });
}

/**
 * Times the train step of a configuration on random data.
 * @throws AtmorepError (config) if the configuration has faults
 * @example (await bench(config, { repeats: 5 })).step.median;
 */
export async function bench(config: RunConfig, options: StepBenchmarkOptions = {}): Promise<StepBenchmark> {
  return (await import("../bench/step.js")).benchStep(config, options);
}
