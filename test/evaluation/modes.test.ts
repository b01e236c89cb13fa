import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { PACKAGE_ROOT } from "../../src/config/presets.js";
import { EVALUATION_MODES, evaluationMode } from "../../src/evaluation/modes.js";
import { OPTION_KEYS } from "../../src/evaluation/options.js";
import { evaluationOptions, modesOf } from "../../src/evaluation/readOptions.js";

it("reads every option in some mode", () => {
  for (const key of OPTION_KEYS) expect(modesOf(key), key).not.toEqual([]);
});

it("documents every mode with its options", () => {
  const page = readFileSync(`${PACKAGE_ROOT}/docs/evaluation.md`, "utf8");
  for (const [name, { options }] of Object.entries(EVALUATION_MODES)) {
    const row = page.split("\n").find((line) => line.startsWith(`| \`${name}\``));
    expect(row, name).toBeDefined();
    for (const key of options) expect(row, `${name} ${key}`).toContain(`\`${key}\``);
  }
});

it("takes a mode's own options, and says whose the others are", () => {
  expect(evaluationOptions(["position=[50, 8]"], "fixed_location")).toMatchObject({ position: [50, 8], months: null });
  expect(() => evaluationOptions(["token_overlap=[1,1]"], "BERT")).toThrow(
    /BERT has no such option.*token_overlap belongs to global_forecast and global_forecast_range/,
  );
});

it("checks options one by one, then together", () => {
  expect(() => evaluationOptions(["position=[91, 8]"], "fixed_location")).toThrow(/position\[0\].*out of range/);
  expect(() => evaluationOptions(["date_start=2021-02-10T12"], "global_forecast_range")).toThrow(
    /date_end: a range needs its dates/,
  );
  expect(() => evaluationOptions(["date_start=2021-01-01T00", "date_end=soon"], "global_forecast_range")).toThrow(
    /not a time/,
  );
  expect(evaluationOptions([], "global_forecast").date_end).toBeNull();
});

it("names the nearest mode", () => {
  expect(() => evaluationMode("forcast")).toThrow(/Did you mean forecast/);
});
