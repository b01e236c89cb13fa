import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readCase } from "../../../src/verify/case.js";
import { runner } from "../../../src/verify/kinds/run.js";
import { corruptTensors, goldenCopy } from "../../support/corrupt.js";
import { expectGolden, GOLDEN_DIR, goldenCases } from "../../support/golden.js";

test("the golden folder has runs", () => expect(goldenCases("run")).toContain("run_bert"));

test.each(goldenCases("run"))("%s", async (name) => {
  await expectGolden(runner, name);
});

test.each([
  ["run_bert", /^mod\.tails\.1\.tail_nets\.3\.1\.bias$/],
  ["run_bert", /^val\.1\.target\.1$/],
  ["run_bert", /^val\.0\.pred\.0\.std$/],
  ["run_bert", /^val\.1\.count\.0\.1$/],
  ["run_bert", /^val\.1\.window\.0\.lat$/],
  ["run_forecast", /^val\.0\.pred\.1\.ens$/],
  ["run_forecast", /^val\.1\.source\.0$/],
  ["run_temporal", /^val\.0\.idx\.0\.1$/],
])("%s: a change of %s is noticed", async (name, pattern) => {
  const dir = goldenCopy(name);
  expect(corruptTensors(dir, name, pattern)).toBe(1);
  const comparisons = await runner(await readCase(dir, name), { engine: "wasm" });
  expect(comparisons.filter(({ ok }) => !ok)).not.toEqual([]);
});

test("a changed console line is noticed", async () => {
  const dir = goldenCopy("run_bert");
  const golden = await readCase(GOLDEN_DIR, "run_bert");
  const text = readFileSync(join(golden.dir, "console.log"), "utf8");
  writeFileSync(join(dir, "run_bert", "console.log"), text.replace("1.16342", "1.16343"));
  const comparisons = await runner(await readCase(dir, "run_bert"), { engine: "wasm" });
  expect(comparisons.filter(({ ok }) => !ok).map(({ tensor }) => tensor)).toEqual([
    "console.log: epoch: 0 [2/8 (25%)]\tLoss: 1.16343 : 1.0",
  ]);
});
