import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { knownNames } from "../../src/checks/knownNames.js";
import { PACKAGE_ROOT, presets, readPreset } from "../../src/config/presets.js";
import { resolveConfig } from "../../src/config/resolve.js";
import { configWarnings, validateConfig } from "../../src/config/validate.js";

describe("presets", () => {
  it("are the files of configs/, each with a line of description", () => {
    const files = readdirSync(join(PACKAGE_ROOT, "configs")).filter((name) => name !== "schema.json");
    expect(
      presets()
        .map(({ name }) => `${name}.json`)
        .sort(),
    ).toEqual(files.sort());
    expect(presets().every(({ doc }) => doc.length > 20 && !doc.includes("\n"))).toBe(true);
  });

  it.each(presets().map(({ name }) => name))("%s is sound, and nothing about it is odd", (name) => {
    const { config } = resolveConfig({ preset: name });
    expect(readPreset(name).warnings).toEqual([]);
    expect(validateConfig(config, knownNames())).toEqual([]);
    expect(configWarnings(config).filter((warning) => !warning.includes("turn of the year"))).toEqual([]);
  });

  it.each(presets())("$name names the JSON Schema, which no run's configuration does", ({ name, file }) => {
    expect(readFileSync(file, "utf8")).toContain('"$schema": "./schema.json",');
    expect(Object.keys(readPreset(name).values)).not.toContain("$schema");
    const { config, origins } = resolveConfig({ preset: name });
    expect([...Object.keys(config), ...Object.keys(origins)]).not.toContain("$schema");
  });

  it.each(presets().map(({ name }) => name))("%s names no place of one machine", (name) => {
    expect(resolveConfig({ preset: name }).config.file_path).toMatch(
      /^((assets|data)\/[\w.]+\.zarr|https:\/\/storage\.googleapis\.com\/[\w./-]+)$/,
    );
  });

  it.each(["storm", "era5-slice", "waves", "wb2-64x32", "arco-model-levels"])(
    "%s writes results and keeps training apart from validation",
    (name) => {
      const { config } = resolveConfig({ preset: name });
      expect(configWarnings(config)).toEqual([]);
      expect(config.log_test_num_ranks).toBe(1);
      expect(config.dates_train).not.toBeNull();
      expect(config.dates_val).not.toBeNull();
    },
  );

  it.each(["single", "multi"])("%s writes no results, as the reference", (name) => {
    const { config } = resolveConfig({ preset: name });
    expect(config.log_test_num_ranks).toBe(0);
    expect(configWarnings(config)).toEqual([expect.stringContaining("turn of the year")]);
  });
});
