import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type Dataset, writeNetcdf3, writeNetcdf4 } from "../data/importFixtures.js";
import { runCli } from "../support/inProcess.js";
import { tempDir } from "../support/tempDir.js";

const sample = (path: string, ...more: string[]) =>
  runCli("data", "sample", path, "--res", "15", "--levels", "96,137", "--days", "2", ...more);

describe("data sample and data info", () => {
  test("make a store and describe it", async () => {
    const path = join(tempDir(), "waves.zarr");
    const made = await sample(path, "--region", "60,-30,0,30", "--seed", "3");
    expect(made.code).toBe(0);
    expect(made.stdout).toContain("data      [time, field, level, lat, lon] = [8, 3, 2, 5, 5]");
    expect(made.stderr).toContain("never quote skill");
    const { code, stdout } = await runCli("data", "info", path);
    expect(code).toBe(0);
    for (const line of [
      /fields {5}velocity_u, velocity_v, temperature on levels 96, 137/,
      /times {6}8, 2021-01-01T00:00 to 2021-01-02T18:00, every 6 h/,
      /5 x 5 points, 15 x 15 degrees, regional: latitude 60 to 0, longitude 330 to 390/,
      /normalised global and local/,
      /velocity_u +96 /,
    ]) {
      expect(stdout).toMatch(line);
    }
    const json = JSON.parse((await runCli("data", "info", path, "--no-values", "--json")).stdout);
    expect(json).toMatchObject({ levels: [96, 137], values: null, grid: { rows: 5, isGlobal: false } });
  });

  test.each([
    ["a region of three sides", ["--region", "60,0,10"], /four sides|--region/],
    ["levels that are no numbers", ["--levels", "a"], /not a number/],
  ])("%s exits 2 and writes nothing", async (_, more, message) => {
    const dir = tempDir();
    const { code, stderr } = await sample(join(dir, "w.zarr"), ...more);
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
    expect(readdirSync(dir)).toEqual([]);
  });

  test("info of what is no store exits 2", async () => {
    expect(await runCli("data", "info", tempDir())).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("not a Zarr store"),
    });
    const none = await runCli("data", "info", join(tempDir(), "none.zarr"), "--json");
    expect(none.code).toBe(2);
    expect(JSON.parse(none.stderr).error).toMatchObject({ code: "input" });
  });
});

describe("data normalize", () => {
  test("writes the arrays from the dates asked for and says so in the store", async () => {
    const path = join(tempDir(), "waves.zarr");
    await sample(path);
    const { code, stdout } = await runCli("data", "normalize", path, "--dates", "2021-01-01..2021-01-01T12");
    expect(code).toBe(0);
    expect(stdout).toContain("global_norm, norm, global_norm_sfc, norm_sfc from 3 steps of 1 months");
    const info = JSON.parse((await runCli("data", "info", path, "--no-values", "--json")).stdout);
    expect(info.normalization).toMatchObject({ period: ["2021-01-01T00:00", "2021-01-01T12:00"], missingMonths: [] });
  });

  test("by calendar month tells the years, the months without a step, and data info what stands in the store", async () => {
    const path = join(tempDir(), "waves.zarr");
    await sample(path);
    const args = ["--dates", "2021-01-01..2021-01-01", "--by", "calendar-month"];
    const { code, stdout, stderr } = await runCli("data", "normalize", path, ...args);
    expect(code).toBe(0);
    // the bare end is the last hour of its day
    expect(stdout).toContain("from 4 steps of 1 calendar months, 2021");
    expect(stdout).toContain("normalization_period 2021-01-01T00:00 to 2021-01-01T18:00");
    expect(stderr).toContain("no step lies in month 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12");
    const info = (await runCli("data", "info", path, "--no-values")).stdout;
    expect(info).toMatch(/normalised global and local, from .*T18:00, by calendar month \(2021\)/);
    const season = await runCli("data", "normalize", path, "--by", "season");
    expect(season).toMatchObject({ code: 2, stderr: expect.stringContaining("month, calendar-month") });
  });

  test.each([
    ["dates that are none", "2021-01-01", /two ISO times/],
    ["dates without a step", "1990-01-01..1990-02-01", /no step of the store lies in the dates/],
  ])("%s exit 2", async (_, dates, message) => {
    const path = join(tempDir(), "waves.zarr");
    await sample(path);
    const { code, stderr } = await runCli("data", "normalize", path, "--dates", dates);
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
  });
});

describe("data import", () => {
  const dataset = (missing: boolean): Dataset => ({
    dims: { time: 3, level: 2, latitude: 3, longitude: 3 },
    variables: [
      { name: "time", dims: ["time"], type: "double", values: [0, 1, 2], attrs: { units: "hours since 2020-02-29" } },
      { name: "level", dims: ["level"], type: "double", values: [105, 137] },
      { name: "latitude", dims: ["latitude"], type: "float", values: [52, 51, 50] },
      { name: "longitude", dims: ["longitude"], type: "float", values: [-1, 0, 1] },
      {
        name: "u",
        dims: ["time", "level", "latitude", "longitude"],
        type: "float",
        values: Array.from({ length: 54 }, (_, i) => (missing && i >= 18 && i < 27 ? -9999 : i)),
        attrs: { _FillValue: -9999, units: "m s**-1" },
      },
    ],
  });

  test("builds a store that the other commands read", async () => {
    const dir = tempDir();
    const input = await writeNetcdf4(join(dir, "u.nc"), dataset(false));
    const out = join(dir, "my.zarr");
    const args = ["--field", "wind=u", "--levels", "137", "--time-chunk", "2", "--attr", "source=a test"];
    const made = await runCli("data", "import", input, "--out", out, ...args);
    expect(made.stderr).toContain(`data info ${out}`);
    expect(made.code).toBe(0);
    expect(made.stdout).toContain("[3, 1, 1, 3, 3]: wind on 137");
    const { stdout } = await runCli("data", "info", out);
    expect(stdout).toMatch(/wind +137 +9\.000 +31\.00 +53\.00 +0 +none/);
    expect(stdout).toContain("longitude 359 to 361");
    expect(stdout).toContain("source     a test");
    const again = await runCli("data", "import", input, "--out", out);
    expect(again).toMatchObject({ code: 2, stderr: expect.stringContaining("--overwrite") });
    expect((await runCli("data", "normalize", out, "--dates", "2020-02-29..2020-02-29T01")).code).toBe(0);
    for (const [dates, count] of [
      ["2020-02-29..2020-02-29", 3],
      ["2020-02-29..2020-02-29T01", 2],
    ] as const) {
      const cut = await runCli("data", "import", input, "--out", out, "--overwrite", "--json", "--dates", dates);
      expect(JSON.parse(cut.stdout).data[0]).toBe(count);
    }
  });

  test("fills a missing step and tells which", async () => {
    const dir = tempDir();
    const input = writeNetcdf3(join(dir, "u.nc"), dataset(true));
    const refused = await runCli("data", "import", input, "--out", join(dir, "my.zarr"), "--missing", "refuse");
    expect(refused).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("velocity_u 105 at 2020-02-29T01:00: values are missing"),
    });
    expect(readdirSync(dir)).toEqual(["u.nc"]);
    const { code, stdout } = await runCli(
      "data",
      "import",
      input,
      "--out",
      join(dir, "my.zarr"),
      "--json",
      "--fill-time",
    );
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ filled: { "velocity_u 105": [1] }, levels: [105, 137] });
    const text = (await runCli("data", "import", input, "--out", join(dir, "b.zarr"), "--fill-time", "2")).stdout;
    expect(text).toContain("filled    velocity_u 105: time steps 1");
    const kept = (await runCli("data", "import", input, "--out", join(dir, "c.zarr"), "--unit", "velocity_u=km/h"))
      .stdout;
    expect(kept).toContain(
      'missing   velocity_u 105: 33.3 % of the values are NaN; train with "missing_values": "skip"',
    );
    expect(kept).toContain("u: converted from km/h to m s**-1");
  });

  test.each([
    ["no --out", [], /--out/],
    ["a box of three sides", ["--out", "o.zarr", "--box", "1,2,3"], /four numbers/],
    ["a box upside down", ["--out", "o.zarr", "--box", "10,0,20,5"], /North must lie above South/],
    ["a unit without a field", ["--out", "o.zarr", "--unit", "K"], /FIELD=UNIT/],
    ["an overlap that is neither", ["--out", "o.zarr", "--combine", "both"], /first, last/],
    ["an attribute without a value", ["--out", "o.zarr", "--attr", "source"], /KEY=TEXT/],
    ["a time that is none", ["--out", "o.zarr", "--norm-until", "soon"], /not an ISO time/],
    ["a field without a source", ["--out", "o.zarr", "--field", "u"], /not a field and its source/],
    ["a compressor that is not there", ["--out", "o.zarr", "--compressor", "rar"], /none, zlib/],
    ["a file that is not there", ["--out", "o.zarr"], /there is no such file/],
  ])("%s exits 2 and writes nothing", async (_, args, message) => {
    const dir = tempDir();
    const placed = args.map((arg) => (arg === "o.zarr" ? join(dir, arg) : arg));
    const { code, stderr } = await runCli("data", "import", join(dir, "none.nc"), ...placed);
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
    expect(existsSync(join(dir, "o.zarr"))).toBe(false);
  });
});
