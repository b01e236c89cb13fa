/** A source without import through the commands: shown, mapped, normalised, trained on, evaluated. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { writeNetcdf3 } from "../data/importFixtures.js";
import { atmorep } from "../support/cli.js";
import { TINY_NETWORK } from "../support/tinyRun.js";

const folder = mkdtempSync(join(tmpdir(), "atmorep-sources-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const env = { ...process.env, XDG_CACHE_HOME: join(folder, "cache") };
const run = (...args: string[]) => atmorep(args, folder, env);

const [T, Y, X] = [90, 12, 24];

/** Pressure every 6 hours from 1996-01-01, in two files. */
function writeFiles(): void {
  for (const [name, from, to] of [
    ["msl-1.nc", 0, 50],
    ["msl-2.nc", 50, T],
  ] as const) {
    const hours = Array.from({ length: to - from }, (_, t) => 6 * (t + from));
    const values = hours.flatMap((h) =>
      Array.from({ length: Y * X }, (_, p) => 1e5 + 900 * Math.sin(h / 40 + p / 7) + 300 * Math.cos(p)),
    );
    writeNetcdf3(join(folder, name), {
      dims: { time: hours.length, lat: Y, lon: X },
      variables: [
        { name: "time", dims: ["time"], type: "double", values: hours, attrs: { units: "hours since 1996-01-01" } },
        { name: "lat", dims: ["lat"], type: "double", values: Array.from({ length: Y }, (_, y) => 82.5 - 15 * y) },
        { name: "lon", dims: ["lon"], type: "double", values: Array.from({ length: X }, (_, x) => 15 * x) },
        { name: "msl", dims: ["time", "lat", "lon"], type: "float", values, attrs: { units: "Pa" } },
      ],
    });
  }
}

const CONFIG = {
  fields: [["mean_sea_level_pressure", [1, 32, [], 0], [0], [4, 2, 2], [3, 3, 3], [0.5, 0.9, 0.4, 0.3]]],
  n_size: [12, 90, 90],
  dates_train: [["1996-01-01", "1996-01-15"]],
  dates_val: [["1996-01-16", "1996-01-22"]],
  batch_size: 2,
  batch_size_validation: 2,
  num_samples_per_epoch: 10,
  num_samples_validate: 2,
  num_epochs: 1,
  ...TINY_NETWORK,
  losses: ["mse_ensemble"],
  num_loader_workers: 2,
  torch_seed: 1,
  rng_seed: 1,
};

it("goes from files to a trained and evaluated run without an import", async () => {
  writeFiles();
  writeFileSync(join(folder, "c.json"), JSON.stringify(CONFIG));

  const info = await run("data", "info", "msl-*.nc");
  expect(info.stdout).toContain("2 files (NetCDF-3), read as a view");
  expect(info.stdout).toContain("mean_sea_level_pressure = msl");
  expect(info.stdout).toContain("90, 1996-01-01T00:00 to 1996-01-23T06:00");

  expect((await run("data", "info", "msl-*.nc", "--map", "msl.json")).code).toBe(0);
  const mapping = { source: "msl-*.nc", fields: {}, surface: { mean_sea_level_pressure: "msl" } };
  expect(JSON.parse(readFileSync(join(folder, "msl.json"), "utf8"))).toEqual(mapping);
  const shown = await run("data", "info", "msl-*.nc", "--map");
  expect(JSON.parse(shown.stdout)).toEqual(mapping);
  const again = await run("data", "info", "msl-*.nc", "--map", "msl.json");
  expect([again.code, again.stderr]).toEqual([2, expect.stringContaining("something at this path already")]);

  const fits = await run("data", "info", "msl.json", "--config", "c.json", "--no-values");
  expect(fits.code).toBe(0);
  expect((await run("config", "validate", "c.json", "--data", "msl.json")).stdout).toContain("no faults");

  const trained = await run("train", "c.json", "--data", "msl-*.nc", "--engine", "wasm", "--run-id", "aaaaaaaa");
  expect(trained.stderr).toContain("no normalisation of its own; computing it by calendar month from 60 of 60");
  expect(trained.code).toBe(0);
  const evaluated = await run("evaluate", "aaaaaaaa", "--engine", "wasm");
  expect(evaluated.code).toBe(0);
  // found again, not computed a second time
  expect(evaluated.stderr).not.toContain("computing it");

  const normalized = await run(
    "data",
    "normalize",
    "msl.json",
    "--dates",
    "1996-01-01..1996-01-15",
    "--out",
    "st.zarr",
  );
  expect(normalized.stdout).toContain("by calendar month from 60 steps");
  const other = await run(
    ...["train", "c.json", "--data", "msl.json", "--set", "statistics=st.zarr"],
    ...["--engine", "wasm", "--run-id", "bbbbbbbb"],
  );
  expect(other.code).toBe(0);
  const loss = (text: string) => /test loss = ([\d.]+)/.exec(text)?.[1];
  expect(loss(trained.stdout)).toBeDefined();
  expect(loss(other.stdout)).toBe(loss(trained.stdout));
}, 300_000);

it("says what is wrong with a place", async () => {
  const none = await run("data", "info", "nothing-*.nc");
  expect([none.code, none.stderr]).toEqual([2, expect.stringContaining("no file fits the pattern")]);
  const layout = await run("data", "info", "assets/storm_199601.zarr", "--map");
  expect([layout.code, layout.stderr]).toEqual([2, expect.stringContaining("needs no mapping")]);
});
