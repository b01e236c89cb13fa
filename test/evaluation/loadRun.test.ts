import { afterAll, expect, it } from "vitest";
import { resolveConfig, resolveStorePath } from "../../src/config/resolve.js";
import { openStore } from "../../src/data/store.js";
import { checkForEvaluation } from "../../src/evaluation/loadRun.js";

const storm = (set: Record<string, unknown> = {}) => resolveConfig({ preset: "storm", set });
const { config, folder } = storm();
const store = await openStore(resolveStorePath(config.file_path, folder));
afterAll(() => store.close());

it("finds nothing odd about times that were not trained on", () => {
  expect(checkForEvaluation(config, store)).toEqual([]);
});

it("warns of times that were trained on", () => {
  const seen = storm({ dates_val: config.dates_train }).config;
  expect(checkForEvaluation(seen, store)).toEqual([
    "dates_val[0]: the evaluation overlaps the training period, so its scores flatter the model",
  ]);
});

it("lets pass what only training reads", () => {
  expect(checkForEvaluation(storm({ batch_size: 10 ** 6, lr_max: -1 }).config, store)).toEqual([]);
});

it("refuses other faults", () => {
  expect(() => checkForEvaluation(storm({ dates_val: config.dates_train, dropout_rate: 2 }).config, store)).toThrow(
    /dropout_rate/,
  );
  expect(() => checkForEvaluation(storm({ "fields[0][2]": [7] }).config, store)).toThrow(/no such level/);
});
