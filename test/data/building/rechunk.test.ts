/** Stores in other chunks, and chunks that suit a configuration. */
import { cpSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { resolveConfig } from "../../../src/config/resolve.js";
import { filesBelow } from "../../../src/data/building/files.js";
import { parseMemory, shareMemory } from "../../../src/data/building/memory.js";
import { parseChunks } from "../../../src/data/import/layout.js";
import { chooseChunks } from "../../../src/data/info/chooseChunks.js";
import { rechunkStore } from "../../../src/data/rechunk/index.js";
import { openStore } from "../../../src/data/store.js";
import { calendarOf, HOUR_NS } from "../../../src/data/time.js";
import { type ChunkedArray, mostOf, product, readAll } from "../../../src/data/zarr/array.js";
import { writeSmallArray, writeStore } from "../../../src/data/zarr/write.js";
import { runCli } from "../../support/inProcess.js";
import { STORM, temporaryFolder, tinyStore } from "../support.js";

const folder = temporaryFolder();
afterAll(folder.remove);
const path = (name: string) => join(folder.path, name);

/** The bits of every value of an array. */
async function bitsOf(
  store: string,
  name: "data" | "data_sfc",
): Promise<{ bits: bigint[]; chunkShape: readonly number[] }> {
  const opened = await openStore(store);
  const array = opened.arrays[name] as ChunkedArray;
  const values = await readAll(array);
  await opened.close();
  return { bits: Array.from(new BigInt64Array(values.buffer)), chunkShape: array.chunkShape };
}

const others = (store: string): Record<string, string> =>
  Object.fromEntries(
    readdirSync(store, { recursive: true, encoding: "utf8" })
      .filter(
        (name) =>
          statSync(join(store, name)).isFile() &&
          !/^data(_sfc)?\//.test(name) &&
          !/^(\.zmetadata|zarr\.json)$/.test(name),
      )
      .map((name) => [name, readFileSync(join(store, name)).toString("base64")]),
  );

describe("data rechunk", () => {
  test.each([
    [2, "blosc"],
    [2, "zstd"],
    [3, "blosc"],
    [3, "zlib"],
    [2, "none"],
  ] as const)("format %i, %s: every value has its bits, all else is kept", async (format, codec) => {
    const source = await tinyStore(path(`in-${format}-${codec}.zarr`), {
      format,
      // -0 and NaN must come through too
      edit: (v, t, _f, _l, y) => (t === 1 && y === 2 ? Number.NaN : t === 2 && y === 3 ? -0 : v),
      attrs: { source: "a test" },
    });
    const out = path(`out-${format}-${codec}.zarr`);
    const { arrays } = await rechunkStore(source, out, {
      chunks: parseChunks("time=5,field=1,level=1,lat=4,lon=7"),
      compressor: codec,
    });
    expect(arrays[0]).toMatchObject({ from: [4, 2, 2, 9, 12], to: [5, 1, 1, 4, 7] });
    const [before, after] = [await bitsOf(source, "data"), await bitsOf(out, "data")];
    expect(after.bits).toEqual(before.bits);
    expect(after.chunkShape).toEqual([5, 1, 1, 4, 7]);
    expect(others(out)).toEqual(others(source));
  });

  test("a sample that has surface fields and consolidated metadata, in parts and to a zip file", async () => {
    const args = (out: string) => [
      "data",
      "rechunk",
      STORM,
      "--out",
      out,
      "--chunks",
      "time=3,field=1",
      "--codec",
      "zstd",
    ];
    expect((await runCli(...args(path("one.zarr.zip")))).code).toBe(0);
    for (const part of ["2/2", "1/2"])
      expect((await runCli(...args(path("two.zarr.zip")), "--part", part)).code).toBe(0);
    expect(existsSync(path("two.zarr.zip"))).toBe(false);
    expect((await runCli("data", "finalise", path("two.zarr.zip"))).code).toBe(0);
    expect(readFileSync(path("two.zarr.zip")).equals(readFileSync(path("one.zarr.zip")))).toBe(true);
    for (const name of ["data", "data_sfc"] as const) {
      expect((await bitsOf(path("one.zarr.zip"), name)).bits).toEqual((await bitsOf(STORM, name)).bits);
    }
    expect(readdirSync(folder.path).filter((name) => name.includes("unfinished"))).toEqual([]);
    // and back from the zip file
    const back = await runCli("data", "rechunk", path("one.zarr.zip"), "--out", path("back.zarr"));
    expect(back.stdout).toMatch(/data_sfc {2}chunks \[3, 1, \d+, \d+\] became \[3, 1, /);
  });

  test("a changed bit is told by the checksum", async () => {
    const source = await tinyStore(path("sum.zarr"));
    for (const codec of ["blosc", "zstd"] as const) {
      const out = path(`sum-${codec}.zarr`);
      await rechunkStore(source, out, { compressor: codec });
      const file = join(out, "data", "0.0.0.0.0");
      const bytes = readFileSync(file);
      bytes[bytes.length - 9] ^= 4;
      writeFileSync(file, bytes);
      await expect(bitsOf(out, "data")).rejects.toThrow(/damaged.*data\/0\.0\.0\.0\.0|data\/0\.0\.0\.0\.0.*damaged/s);
    }
  });

  test("a group in a store is refused before anything is begun, and so is it by data normalize", async () => {
    await tinyStore(path("groups.zarr/daily"));
    const args = ["data", "rechunk", path("groups.zarr#daily"), "--out", path("of-group.zarr")];
    const { code, stderr } = await runCli(...args);
    expect(code).toBe(2);
    expect(stderr).toContain("data rechunk works on a whole store, not on a group within one");
    expect(stderr).toContain(`Name the folder of the group, ${path("groups.zarr/daily")}`);
    expect(existsSync(path("of-group.zarr.unfinished"))).toBe(false);
    const normalize = await runCli("data", "normalize", path("groups.zarr#daily"));
    expect(normalize.code).toBe(2);
    expect(normalize.stderr).toContain("data normalize works on a whole store");
    const folders = [path("groups.zarr/daily"), "--out", path("of-folder.zarr")];
    expect((await runCli("data", "rechunk", ...folders)).code).toBe(0);
  });

  test("float64 counts its own bytes; a store may stand in a folder of its zip file", async () => {
    const source = await tinyStore(path("double.zarr"));
    const shape = [12, 2, 2, 9, 12];
    const values = Float64Array.from({ length: product(shape) }, (_, i) => i / 3);
    const zip = path("double.zarr.zip");
    await writeStore(zip, async (sink) => {
      for (const name of (await filesBelow(source)).filter((own) => !own.startsWith("data/"))) {
        await sink.put(`double.zarr/${name}`, readFileSync(join(source, name)));
      }
      await writeSmallArray(sink, { name: "double.zarr/data", shape, dtype: "<f8" }, values);
    });
    const told: [number, number][] = [];
    const out = path("double-out.zarr");
    const onProgress = (done: number, total: number) => told.push([done, total]);
    await rechunkStore(zip, out, { chunks: parseChunks("time=3"), onProgress });
    expect(told.at(-1)).toEqual([values.byteLength, values.byteLength]);
    expect((await bitsOf(out, "data")).bits).toEqual(Array.from(new BigInt64Array(values.buffer)));
    expect(readFileSync(join(out, ".zattrs"))).toEqual(readFileSync(join(source, ".zattrs")));
  });

  test("what is at the target, and types that would change, are refused", async () => {
    const source = await tinyStore(path("there.zarr"));
    await expect(rechunkStore(source, path("there.zarr"))).rejects.toThrow(/something at this path already/);
    await expect(rechunkStore("https://host/x.zarr", path("no.zarr"))).rejects.toThrow(/Copy it to this machine/);
    const integers = path("integers.zarr");
    cpSync(source, integers, { recursive: true });
    const file = join(integers, "data", ".zarray");
    writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, "utf8")), dtype: "<i4" }));
    await expect(rechunkStore(integers, path("no.zarr"))).rejects.toThrow(/not of floats.*found int32/);
    expect(existsSync(path("no.zarr.unfinished"))).toBe(false);
  });
});

describe("--chunks auto", () => {
  test("brings bytes decoded for a byte used down, says so in one line, and data info agrees", async () => {
    const made = await runCli("data", "sample", path("waves.zarr"), "--days", "12");
    expect(made.code).toBe(0);
    // One field on one of its levels.
    const { $schema: _, ...waves } = JSON.parse(
      readFileSync(new URL("../../../configs/waves.json", import.meta.url), "utf8"),
    );
    const [name, kind, , ...rest] = waves.fields[0];
    const dates = { dates_train: [["2021-01-01", "2021-01-07"]], dates_val: [["2021-01-08", "2021-01-12"]] };
    const config = path("one.json");
    const own = { fields: [[name, kind, [114], ...rest]], fields_prediction: [[name, 1]], ...dates };
    writeFileSync(config, JSON.stringify({ ...waves, ...own, num_samples_per_epoch: 16 }));
    const args = [
      "data",
      "rechunk",
      path("waves.zarr"),
      "--out",
      path("laid.zarr"),
      "--chunks",
      "auto",
      "--config",
      config,
    ];
    const { code, stderr } = await runCli(...args);
    expect(stderr).toMatch(
      /chunks for .*: time=\d+,field=1,level=1,lat=\d+,lon=\d+ \([\d.]+ [kM]B\): a batch decodes [\d.]+ bytes for each it uses, of \d+ chunks \(whole steps in a chunk: [\d.]+\)/,
    );
    expect(code).toBe(0);
    const cost = async (store: string) => {
      const { stdout } = await runCli("data", "info", store, "--config", config, "--no-values", "--json");
      return JSON.parse(stdout).config.batch.decodedPerUsed as number;
    };
    const told = Number(/decodes ([\d.]+) bytes/.exec(stderr)?.[1]);
    expect(Number((await cost(path("laid.zarr"))).toPrecision(2))).toBe(told);
    expect(await cost(path("laid.zarr"))).toBeLessThan((await cost(path("waves.zarr"))) / 3);
  });

  test("one field of five at 0.25 degrees: little more is decoded than used, in files of some megabytes", () => {
    const times = BigInt64Array.from({ length: 720 }, (_, i) => 1_609_459_200_000_000_000n + BigInt(i) * HOUR_NS);
    const axis = (count: number) => Float64Array.from({ length: count }, (_, i) => i / 4);
    const fields = ["vorticity", "divergence", "velocity_u", "velocity_v", "temperature"];
    const { config } = resolveConfig({ preset: "single" });
    const { chunks, chunkBytes, decodedPerUsed, wholeSteps } = chooseChunks(config, {
      fields,
      fieldsSfc: [],
      levels: [96, 105, 114, 123, 137],
      lats: axis(721),
      lons: axis(1440),
      res: [0.25, 0.25],
      isGlobal: true,
      times,
      calendar: calendarOf(times),
      filled: new Map(),
      location: "the store",
    });
    expect(chunks.field).toBe(1);
    expect(chunkBytes).toBeGreaterThan(1e6);
    expect(chunkBytes).toBeLessThan(34e6);
    expect(decodedPerUsed).toBeLessThan(2.2);
    expect(wholeSteps / decodedPerUsed).toBeGreaterThan(4);
  });

  test("needs a configuration, and chunks have axes", async () => {
    const rechunk = ["data", "rechunk", STORM, "--out", path("none.zarr"), "--chunks"];
    expect(await runCli(...rechunk, "auto")).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("--config FILE"),
    });
    expect(await runCli(...rechunk, "height=2")).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("extents of time, field, level, lat, lon"),
    });
    expect(await runCli(...rechunk, "time=1", "--config", "storm")).toMatchObject({ code: 2 });
  });
});

describe("memory", () => {
  const MIB = 2 ** 20;
  test("is that of the largest of more units than a call takes arguments", () => {
    expect(mostOf(new Uint32Array(300_000).keys(), (i) => i)).toBe(299_999);
  });

  test("is read in the usual units, and dealt to as many workers as fit", () => {
    expect([parseMemory("2GiB"), parseMemory("512M"), parseMemory("1.5 g"), parseMemory("300")]).toEqual([
      2048 * MIB,
      512 * MIB,
      1536 * MIB,
      300 * MIB,
    ]);
    const needs = { units: 100, unitBytes: 100 * MIB, smaller: "smaller", jobs: 16 };
    const few = shareMemory({ ...needs, memory: 1024 * MIB });
    expect(few.jobs).toBeGreaterThan(0);
    expect(few.jobs).toBeLessThan(16);
    expect(shareMemory({ ...needs, memory: 64 * 1024 * MIB })).toEqual({ jobs: 16, cacheBytes: 512 * MIB });
    expect(() => shareMemory({ ...needs, memory: 300 * MIB })).toThrow(/at least \d+MiB.*smaller/);
  });
});
