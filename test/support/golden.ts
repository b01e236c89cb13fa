/** Golden cases for tests: the copy in `test/golden`. */
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";
import { readCase } from "../../src/verify/case.js";
import type { Comparison, GoldenCase, KindRunner } from "../../src/verify/types.js";

export const GOLDEN_DIR = fileURLToPath(new URL("../golden", import.meta.url));

/** Names of the cases whose kind is `kind`, from `test/golden`. */
export function goldenCases(kind: string): string[] {
  return readdirSync(GOLDEN_DIR)
    .filter((name) => name.split("_")[0] === kind)
    .sort();
}

export function readGolden(name: string): Promise<GoldenCase> {
  return readCase(GOLDEN_DIR, name);
}

/** Runs one case and fails with the worst comparison. */
export async function expectGolden(runner: KindRunner, name: string): Promise<Comparison[]> {
  const comparisons = await runner(await readGolden(name), { engine: "wasm" });
  expect(comparisons.length).toBeGreaterThan(0);
  const failed = comparisons.filter((c) => !c.ok).sort((a, b) => b.ratio - a.ratio);
  expect(failed.slice(0, 5)).toEqual([]);
  return comparisons;
}
