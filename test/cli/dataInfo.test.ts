import { readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { TinyOptions } from "../data/support.js";
import { STORM, tinyStore } from "../data/support.js";
import { COLUMNS, globeConfig, ROWS } from "../evaluation/globe.js";
import { runCli } from "../support/inProcess.js";
import { tempDir } from "../support/tempDir.js";

const START = 455_832; // 2022-01-01
const GRID = {
  rows: ROWS,
  columns: COLUMNS,
  res: [10, 10] as [number, number],
  lat0: 0,
  lon0: 0,
  isGlobal: 1 as const,
};
/** 40 six-hourly steps of January, 20 of March */
const HOURS = Array.from({ length: 60 }, (_, i) => START + 6 * i + (i < 40 ? 0 : 49 * 24));

async function made(options: TinyOptions = {}, set: Record<string, unknown> = {}) {
  const dir = tempDir();
  const store = await tinyStore(join(dir, "my.zarr"), { hours: HOURS, ...GRID, ...options });
  const config = join(dir, "c.json");
  const dates = { dates_train: [["2022-01-01", "2022-03-03"]], dates_val: [["2022-03-04", "2022-03-05"]] };
  writeFileSync(config, JSON.stringify(globeConfig(store, { ...dates, ...set })));
  return { dir, store, config };
}

describe("the line about gaps", () => {
  // cubes of six steps, of 52 training steps: ends 6 to 40 and 46 to 52; the five between cross the gap
  const line = /gap: 5 of 47 training times, 0 of \d+ validation times/;

  test("stands in data info, config validate and the plan", async () => {
    const { store, config } = await made();
    const info = await runCli("data", "info", store, "--config", config);
    expect(info.stdout).toMatch(line);
    expect(info.stdout).toMatch(/gaps +1, the longest 49.3 days; 11 of 49 cubes of 12 steps would cross a gap/);
    expect(info.stdout).toContain("gap        2022-01-10T18:00 to 2022-03-01T00:00 (49.3 days)");
    expect(info.code).toBe(0);
    expect((await runCli("config", "validate", config, "--data", store)).stdout).toMatch(line);
    const plan = await runCli("train", config, "--dry-run");
    expect(plan.stderr).toBe("");
    expect(plan.stdout).toMatch(line);
    const json = JSON.parse((await runCli("train", config, "--dry-run", "--json")).stdout);
    expect(json.times.train).toEqual({ times: 42, acrossGaps: 5 });
  });

  test("stands there without a gap, too", async () => {
    const { stdout } = await runCli("data", "info", STORM, "--no-values");
    expect(stdout).toMatch(/gaps +none; 0 of 53 cubes of 12 steps would cross a gap/);
  });

  test("too few left: exit 2, with the number of cubes across gaps", async () => {
    const { store, config } = await made({}, { batch_size: 100, num_samples_per_epoch: 200, samples_per_time: 2 });
    const { code, stderr } = await runCli("config", "validate", config, "--data", store);
    expect(code).toBe(2);
    expect(stderr).toMatch(/batch_size: an epoch has 84 samples \(42 times, 5 more left out across gaps/);
  });

  test("no cube left: exit 2, with the number of cubes across gaps", async () => {
    const { store, config } = await made({}, { dates_train: [["2022-01-10", "2022-03-01"]] });
    for (const args of [
      ["config", "validate", config, "--data", store],
      ["train", config, "--dry-run"],
    ]) {
      const { code, stderr } = await runCli(...args);
      expect(code).toBe(2);
      expect(stderr).toMatch(/3 times left out: their cubes would cross a gap/);
    }
    const { code, stdout } = await runCli("data", "info", store, "--config", config, "--no-values");
    expect(code).toBe(2);
    expect(stdout).toMatch(/fits +no: 1 fault\n +dates_train: .*cross a gap/);
  });
});

describe("data info", () => {
  test("tells chunks, codec, absent files, missing values, outliers and the cost of a batch", async () => {
    const { store, config } = await made({
      edit: (value, t, f, l, y, x) =>
        f === 0 && l === 1 && t === 8 && y < 3
          ? Number.NaN
          : f === 1 && l === 0 && t === 9 && y === 4 && x === 5
            ? 9e20
            : value,
    });
    rmSync(join(store, "data", "3.0.0.0.0"));
    const metadata = join(store, "data", ".zarray");
    writeFileSync(metadata, JSON.stringify({ ...JSON.parse(readFileSync(metadata, "utf8")), fill_value: 0 }));
    const { stdout } = await runCli("data", "info", store, "--config", config);
    expect(stdout).toMatch(
      /data +float32, chunks 4 x 2 x 2 x 19 x 36 \(0\.0438 MB\), codec none; 15 files, 1 absent \(read as 0\); 0\.613 MB of 0\.657 MB \(ratio 1\.0\)/,
    );
    expect(stdout).toMatch(/missing +a 2: 0\.26 % of its values \(NaN\), 2022-01-03T00:00 to 2022-01-03T00:00/);
    expect(stdout).toMatch(/outliers +b 1: 1, such as 9\.000e\+20 at 2022-01-03T06:00, latitude 50, longitude 50/);
    // 6 steps touch 2 or 3 chunks of 4, whole globes of two fields; 72 of 684 points of one field are used
    expect(stdout).toMatch(
      /a batch +0\.0\d+ MB of values from 0\.\d+ MB decoded, 0\.\d+ MB on disk: \d+\.?\d* bytes decoded per byte/,
    );
    const json = JSON.parse((await runCli("data", "info", store, "--config", config, "--json")).stdout);
    expect(json.storage[0]).toMatchObject({ files: 15, absentFiles: 1, ratio: 1, shard: null });
    const { decodedBytes, usedBytes, decodedPerUsed } = json.config.batch;
    expect(usedBytes).toBe(2 * 2 * 6 * 6 * 12 * 4);
    const chunk = 4 * 2 * 2 * 19 * 36 * 4;
    expect(decodedBytes).toBeGreaterThanOrEqual(2 * chunk);
    expect(decodedBytes).toBeLessThanOrEqual(3 * chunk);
    expect(decodedPerUsed).toBeCloseTo(decodedBytes / usedBytes, 10);
  });

  test("is a screen long, also of many levels and gaps", async () => {
    const levels = Array.from({ length: 20 }, (_, i) => i + 1);
    const hours = Array.from({ length: 60 }, (_, i) => START + 6 * i + 24 * Math.floor(i / 7));
    const { stdout } = await runCli("data", "info", (await made({ levels, hours })).store);
    expect(stdout.split("\n").length).toBeLessThan(30);
    expect(stdout).toMatch(/a +20 levels/);
  });

  test("works without normalisation", async () => {
    const { store, config } = await made();
    rmSync(join(store, "normalization"), { recursive: true });
    const { code, stdout } = await runCli("data", "info", store);
    expect(code).toBe(0);
    expect(stdout).toContain("normalised no: run data normalize");
    expect(await runCli("data", "info", store, "--config", config, "--verify")).toMatchObject({
      code: 2,
      stdout: expect.stringMatching(/fits +no: 1 fault\n.*no global normalisation[\s\S]*verified: every chunk decodes/),
    });
  });

  test("draws a map of one time", async () => {
    const { dir, store } = await made();
    const file = join(dir, "map.svg");
    const asked = ["--field", "b", "--level", "2", "--time", "2022-03-01T06:00"];
    expect((await runCli("data", "info", store, "--no-values", "--picture", file, ...asked)).code).toBe(0);
    const svg = readFileSync(file, "utf8");
    expect(svg).toMatch(/^<svg/);
    expect(svg).toContain("2022-03-01T06:00");
    for (const [args, message] of [
      [["--picture", join(dir, "map.png")], /--picture.*written as SVG/],
      [["--field", "b"], /--field.*no picture is asked for/],
      [["--picture", file, "--time", "1990-01-01"], /no such time/],
      [["--picture", file, "--field", "c"], /no such .*field/],
    ] as const) {
      const { code, stderr } = await runCli("data", "info", store, "--no-values", ...args);
      expect(code, String(args)).toBe(2);
      expect(stderr).toMatch(message);
    }
    expect(readdirSync(dir).sort()).toEqual(["c.json", "map.svg", "my.zarr"]);
  });
});

describe("data info over http", () => {
  test("asks for no sizes, and verifies when told to", async () => {
    const { store } = await made();
    const asked: string[] = [];
    const server = createServer((request, response) => {
      asked.push(`${request.method} ${request.url}`);
      try {
        response.end(readFileSync(join(store, String(request.url))));
      } catch {
        response.writeHead(404).end();
      }
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    try {
      const { stdout } = await runCli("data", "info", address, "--no-values");
      expect(stdout).toMatch(/codec none; 15 files; 0\.657 MB/);
      expect(asked.filter((line) => / \/data\/\d/.test(line))).toEqual([]);
      expect((await runCli("data", "info", address, "--verify")).stdout).toContain("verified: every chunk");
      expect(asked.filter((line) => / \/data\/\d/.test(line)).length).toBe(15);
      expect(asked.filter((line) => !line.startsWith("GET"))).toEqual([]);
    } finally {
      await new Promise((resolve) => server.close(resolve));
    }
  });
});

describe("data info --verify", () => {
  test("passes a whole store", async () => {
    const { store } = await made();
    expect(await runCli("data", "info", store, "--verify")).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("verified: every chunk decodes and every value is finite"),
    });
  });

  test("lists every damaged chunk by its file, normalisation included, and exits 1", async () => {
    const { store } = await made();
    const damaged = [
      join("data", "2.0.0.0.0"),
      join("data", "7.0.0.0.0"),
      join("normalization", "norm", "0.0.0.0.0.0"),
    ];
    for (const file of damaged) truncateSync(join(store, file), 100);
    const { code, stdout } = await runCli("data", "info", store, "--verify");
    expect(code).toBe(1);
    expect(stdout).toContain("verified: 3 faults");
    for (const file of damaged) expect(stdout).toContain(file);
    const json = await runCli("data", "info", store, "--verify", "--json");
    expect(json.code).toBe(1);
    expect(JSON.parse(json.stdout).verified).toMatchObject({ faultCount: 3 });
  });

  test("values that are not finite are faults; missing ones are none for a run that skips them", async () => {
    const nan = { edit: (value: number, t: number) => (t === 50 ? Number.NaN : value) };
    const { store, config } = await made(nan, { missing_values: "skip" });
    const { code, stdout } = await runCli("data", "info", store, "--verify");
    expect(code).toBe(1);
    expect(stdout).toMatch(/a level 1: 684 values are missing \(NaN\), first at 2022-03-03T12:00/);
    expect((await runCli("data", "info", store, "--verify", "--config", config)).code).toBe(0);
    const odd = await made({ edit: (value, t) => (t === 50 ? Number.POSITIVE_INFINITY : value) });
    expect(await runCli("data", "info", odd.store, "--verify")).toMatchObject({
      code: 1,
      stdout: expect.stringContaining("b level 2: 684 values are infinite"),
    });
  });
});
