import { cpSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { runPresets } from "../../../src/verify/kinds/presets.js";
import { expectGolden, GOLDEN_DIR, readGolden } from "../../support/golden.js";

it("our presets single and multi are the reference's", async () => {
  const comparisons = await expectGolden(runPresets, "presets");
  expect(comparisons.length).toBeGreaterThan(100);
});

it("finds a value that differs, a key that is missing and a program without a preset", async () => {
  const dir = join(mkdtempSync(join(tmpdir(), "atmorep-presets-")), "presets");
  cpSync(join(GOLDEN_DIR, "presets"), dir, { recursive: true });
  const train = JSON.parse(readFileSync(join(dir, "train.json"), "utf8"));
  train.fields[0][4][1] = 17;
  train.lr_max *= 1 + 1e-11;
  train.new_key = 1;
  writeFileSync(join(dir, "train.json"), JSON.stringify(train));
  const golden = await readGolden("presets");
  const values = { ...golden.values, train_other: {} };
  const comparisons = await runPresets({ ...golden, dir, values }, { engine: "wasm" });
  const failed = comparisons.filter(({ ok }) => !ok).map(({ tensor }) => tensor);
  expect(failed).toEqual(["train.fields", "train.lr_max", "train.new_key", "train_other"]);
});
