/** A changed reference number must fail, whatever the kind: the runners compare what they claim to compare. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { verifyCase } from "../../src/verify/index.js";
import { corruptTensors, goldenCopy } from "../support/corrupt.js";

const WASM = { engine: "wasm" } as const;

it.each([
  ["sampler_edge_lon", /^out\.tokens\.0$/],
  ["sampler_edge_lon", /^out\.window\.0\.lon$/],
  ["sampler_edge_lon", /^out\.token_infos\.0$/],
  ["mask_temporal", /^call0\.out\.target/],
  ["mask_bert", /^call1\.out\.sources/],
  ["mask_bert", /^call1\.out\.idx/],
  ["mask_bert_coarse", /out\.target/],
  ["net_dense_one_member", /^out\.embed\.0$/],
  ["net_dense_one_member", /^out\.encoder/],
  ["net_dense", /^out\.decoder/],
  ["net_dense", /^out\.pred\.0\.ens$/],
  ["loss_one_member", /^out\.grad/],
  ["loss_weighted", /^in\.target\.0$/],
  ["resample", /back$/],
  ["train_dense", /^grad1\.tails\.0\.tail_nets\.0\.1\.weight$/],
  ["train_dense", /^param3\.tails\.0\.tail_nets\.0\.1\.weight$/],
])("%s with one number of %s changed fails", async (name, pattern) => {
  const dir = goldenCopy(name);
  expect((await verifyCase(dir, name, WASM)).error).toBe(null);
  expect(corruptTensors(dir, name, pattern)).toBeGreaterThan(0);
  expect(await verifyCase(dir, name, WASM)).toMatchObject({ ok: false, error: null });
});

it.each([
  ["presets", "train.json", /"lr_max": ?[\d.e-]+/, '"lr_max": 0.1'],
  ["run_forecast", "console.log", /validation loss for strategy=/, "validation error for strategy="],
])("%s with %s changed fails", async (name, file, from, to) => {
  const dir = goldenCopy(name);
  const path = join(dir, name, file);
  const text = readFileSync(path, "utf8");
  expect(text).toMatch(from);
  writeFileSync(path, text.replace(from, to));
  expect(await verifyCase(dir, name, WASM)).toMatchObject({ ok: false });
});

it("run_temporal with one prediction changed fails", async () => {
  const dir = goldenCopy("run_temporal");
  expect(corruptTensors(dir, "run_temporal", /^val\..*pred/)).toBeGreaterThan(0);
  expect(await verifyCase(dir, "run_temporal", WASM)).toMatchObject({ ok: false });
});
