/** Sources of other layouts as stores: the values, axes and losses of the store that import writes of them. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ResolvedConfig, resolveConfig } from "../../src/config/resolve.js";
import { levelSource } from "../../src/data/fields.js";
import { expandPaths } from "../../src/data/foreign/glob.js";
import { ChunkCache } from "../../src/data/import/cache.js";
import { importStore } from "../../src/data/import/index.js";
import { openInput } from "../../src/data/import/open.js";
import { levelsOf } from "../../src/data/info/info.js";
import { type StatisticsSetup, statisticsRequest, writeStatistics } from "../../src/data/normalization/beside.js";
import { STATISTICS } from "../../src/data/normalization/job.js";
import { normalizeTo } from "../../src/data/normalization/normalize.js";
import { evenSteps } from "../../src/data/normalization/steps.js";
import { openData } from "../../src/data/openData.js";
import { openStore, type Store } from "../../src/data/store.js";
import { calendarOf, HOUR_NS, parseTime } from "../../src/data/time.js";
import { readValues, wholeWindow } from "../../src/data/values.js";
import { type ChunkedArray, readAll } from "../../src/data/zarr/array.js";
import { runCli } from "../support/inProcess.js";
import { runAll, TINY_NETWORK } from "../support/tinyRun.js";
import { type Dataset, type Variable, writeNetcdf3, writeNetcdf4, writeXarrayZarr } from "./importFixtures.js";

const folder = mkdtempSync(join(tmpdir(), "atmorep-view-"));
const cache = process.env.XDG_CACHE_HOME;
beforeAll(() => {
  process.env.XDG_CACHE_HOME = join(folder, "cache");
});
afterAll(() => {
  if (cache === undefined) delete process.env.XDG_CACHE_HOME;
  else process.env.XDG_CACHE_HOME = cache;
  rmSync(folder, { recursive: true, force: true });
});

const T = 80;
const [LEVELS, LATS, LONS] = [[500, 850], 12, 24];
const value = (t: number, l: number, y: number, x: number) =>
  250 + 20 * Math.sin(t / 7 + l) + 5 * Math.cos(y / 3) + 3 * Math.sin((x * 2 * Math.PI) / LONS + t / 5);

type Axis = "time" | "level" | "latitude" | "longitude";

interface Form {
  /** order of the dimensions of upper-air variables */
  dims?: Axis[];
  northFirst?: boolean;
  /** first longitude */
  west?: number;
  names?: { level?: string };
  /** of these times alone */
  times?: [number, number];
  /** in place of values in K */
  celsius?: boolean;
  wind?: string;
}

/** A month and more of 6-hourly values: temperature on two levels, wind, and pressure at the surface. */
function dataset({
  dims,
  northFirst = true,
  west = 0,
  times = [0, T],
  celsius,
  wind = "u",
  names,
}: Form = {}): Dataset {
  const order: Axis[] = dims ?? ["time", "level", "latitude", "longitude"];
  const level = names?.level ?? "level";
  const sizes = { time: times[1] - times[0], level: LEVELS.length, latitude: LATS, longitude: LONS };
  const range = (n: number) => Array.from({ length: n }, (_, i) => i);
  const lats = range(LATS).map((y) => (northFirst ? 1 : -1) * (82.5 - 15 * y));
  const lons = range(LONS).map((x) => west + 15 * x);
  const fill = (axes: Axis[], of: (t: number, l: number, y: number, x: number) => number): number[] => {
    const out: number[] = [];
    const at = { time: 0, level: 0, latitude: 0, longitude: 0 };
    const walk = (k: number): void => {
      if (k === axes.length) {
        const y = northFirst ? at.latitude : LATS - 1 - at.latitude;
        const x = (at.longitude + Math.round(west / 15) + LONS) % LONS;
        out.push(Math.fround(of(at.time + times[0], at.level, y, x)));
        return;
      }
      for (at[axes[k]] = 0; at[axes[k]] < sizes[axes[k]]; at[axes[k]]++) walk(k + 1);
    };
    walk(0);
    return out;
  };
  const named = (axes: Axis[]) => axes.map((axis) => (axis === "level" ? level : axis));
  const flat = order.filter((axis) => axis !== "level");
  const float = (name: string, axes: Axis[], units: string, of: Parameters<typeof fill>[1]): Variable => {
    return { name, dims: named(axes), type: "float", values: fill(axes, of), attrs: { units } };
  };
  const hours = range(sizes.time).map((t) => 6 * (t + times[0]));
  return {
    dims: { time: sizes.time, [level]: sizes.level, latitude: LATS, longitude: LONS },
    variables: [
      { name: "time", dims: ["time"], type: "double", values: hours, attrs: { units: "hours since 2020-01-20" } },
      { name: level, dims: [level], type: "double", values: LEVELS, attrs: { units: "hPa" } },
      { name: "latitude", dims: ["latitude"], type: "double", values: lats, attrs: { units: "degrees_north" } },
      { name: "longitude", dims: ["longitude"], type: "double", values: lons, attrs: { units: "degrees_east" } },
      float("t", order, celsius ? "degC" : "K", (t, l, y, x) => value(t, l, y, x) - (celsius ? 273.15 : 0)),
      float(wind, order, "m s**-1", (t, l, y, x) => value(t + 3, l, y, x) / 10 - 25),
      float("mean_sea_level_pressure", flat, "Pa", (t, _, y, x) => 100 * value(t + 9, 0, y, x) + 75_000),
    ],
  };
}

const place = (name: string) => join(folder, name);

/** Every value, axis and name of two stores. */
async function expectSame(a: Store, b: Store): Promise<void> {
  for (const key of ["fields", "fieldsSfc", "levels", "res", "isGlobal", "times", "lats", "lons"] as const) {
    expect(a[key]).toEqual(b[key]);
  }
  for (const [name, source] of levelsOf(b)) {
    const own = levelSource(a, name, source.level);
    const [got, wanted] = [await readValues(a, own, wholeWindow(a)), await readValues(b, source, wholeWindow(b))];
    expect(got.values).toEqual(wanted.values);
  }
}

const FORMS: Record<string, Form> = {
  "as xarray writes it": {},
  "south first, from -180": { northFirst: false, west: -180 },
  "longitude before latitude": { dims: ["time", "level", "longitude", "latitude"] },
  "time last": { dims: ["level", "latitude", "longitude", "time"] },
  "isobaricInhPa, other units, long names": {
    names: { level: "isobaricInhPa" },
    celsius: true,
    wind: "u_component_of_wind",
  },
};

describe("a view of a Zarr with an array a variable", () => {
  it.each(Object.entries(FORMS))("%s: is the store that import writes of it", async (name, form) => {
    const path = writeXarrayZarr(place(`${name.replace(/\W/g, "")}.zarr`), dataset(form));
    const imported = place(`${name.replace(/\W/g, "")}.imported.zarr`);
    await importStore([path], imported);
    const [view, store] = [await openStore(path), await openStore(imported)];
    await expectSame(view, store);
    expect(view.view?.mapping.fields).toEqual({ temperature: "t", velocity_u: form.wind ?? "u" });
    await Promise.all([view.close(), store.close()]);
  });

  it("is the same for a group within another store, and says where the groups are", async () => {
    const outer = place("outer.zarr");
    mkdirSync(outer);
    writeFileSync(join(outer, ".zgroup"), '{"zarr_format": 2}');
    mkdirSync(join(outer, "daily"));
    writeXarrayZarr(join(outer, "daily", "era5"), dataset());
    const [a, b] = [await openStore(`${outer}#daily/era5`), await openStore(join(outer, "daily", "era5"))];
    await expectSame(a, b);
    await expect(openStore(outer)).rejects.toThrow(/no gridded variables.*daily/s);
    writeFileSync(join(outer, ".zmetadata"), `{"metadata": ${"[".repeat(99)}${"]".repeat(99)}}`);
    await expect(openStore(`${outer}#daily/era5`)).rejects.toThrow(
      /outer\.zarr\/\.zmetadata: metadata are damaged: nested deeper/,
    );
    writeFileSync(join(outer, ".zmetadata"), "{");
    await expect(openStore(`${outer}#daily/era5`)).rejects.toThrow(/outer\.zarr\/\.zmetadata: metadata are not JSON/);
    await Promise.all([a.close(), b.close()]);
  });
});

describe("a codec that is not read", () => {
  /** As zarr 3 writes pcodec: no codec `bytes`, since it takes the numbers themselves. */
  function withPcodec(name: string, packed: string): string {
    const path = join(folder, name);
    const array = (variable: string, dims: string[], shape: number[], units: string, values: number[]) => {
      const codec = variable === packed ? "numcodecs.pcodec" : "bytes";
      const configuration = variable === packed ? {} : { endian: "little" };
      const metadata = {
        zarr_format: 3,
        node_type: "array",
        shape,
        data_type: "float64",
        chunk_grid: { name: "regular", configuration: { chunk_shape: shape } },
        chunk_key_encoding: { name: "default", configuration: { separator: "/" } },
        fill_value: 0,
        codecs: [{ name: codec, configuration }],
        attributes: { units },
        dimension_names: dims,
        storage_transformers: [],
      };
      const place = join(path, variable, "c", ...shape.slice(1).map(() => "0"));
      mkdirSync(place, { recursive: true });
      writeFileSync(join(path, variable, "zarr.json"), JSON.stringify(metadata));
      writeFileSync(join(place, "0"), new Uint8Array(Float64Array.from(values).buffer));
    };
    mkdirSync(path);
    writeFileSync(join(path, "zarr.json"), '{"zarr_format":3,"node_type":"group","attributes":{}}');
    array("time", ["time"], [2], "hours since 2020-01-01", [0, 6]);
    array("latitude", ["latitude"], [2], "degrees_north", [50, 40]);
    array("longitude", ["longitude"], [3], "degrees_east", [0, 10, 20]);
    array("msl", ["time", "latitude", "longitude"], [2, 2, 3], "Pa", [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    return path;
  }

  it.each(["msl", "time"])("is named with its array, %s, and with what to do, by every command", async (packed) => {
    const path = withPcodec(`pcodec-${packed}.zarr`, packed);
    const out = join(folder, `pcodec-${packed}-out`);
    for (const args of [
      ["data", "info", path],
      ["data", "info", path, "--no-values"],
      ["data", "import", path, "--out", out],
      ["train", "--data", path, "--out", out],
    ]) {
      const { code, stderr } = await runCli(...args);
      expect(code, stderr).toBe(2);
      expect(stderr).toContain(`${path}: ${packed}: unsupported codec; found numcodecs.pcodec; expected one of blosc`);
      expect(stderr).toContain("xarray.open_zarr(STORE).drop_encoding().to_zarr(NEW)");
      expect(existsSync(out)).toBe(false);
    }
  });
});

describe("what is kept decoded", () => {
  it("stays below one bound for all files together, Zarr groups and others", async () => {
    const parts = new ChunkCache<ArrayBufferView>(40_000);
    const files = [
      await openInput(writeXarrayZarr(place("bound-a.zarr"), dataset({ times: [0, 40] })), { parts }),
      await openInput(writeXarrayZarr(place("bound-b.zarr"), dataset({ times: [40, T] })), { parts }),
      await openInput(writeNetcdf3(place("bound-c.nc"), dataset({ dims: FORMS["time last"].dims })), { parts }),
    ];
    let most = 0;
    for (const file of files) {
      const before = parts.misses;
      for (let t = 0; t < 40; t++) {
        await file.variables[0].readPlane(t, 0);
        most = Math.max(most, parts.bytes);
      }
      expect(parts.misses).toBeGreaterThan(before);
      await file.close();
    }
    expect(most).toBeGreaterThan(20_000);
    expect(most).toBeLessThanOrEqual(40_000);
  });
});

describe("files by a pattern", () => {
  it("of NetCDF-3 and NetCDF-4 that continue each other are one view", async () => {
    mkdirSync(place("files"));
    writeNetcdf3(place("files/2020-01.nc"), dataset({ times: [0, 30] }));
    await writeNetcdf4(place("files/2020-02.nc"), dataset({ times: [30, 55] }));
    writeNetcdf3(place("files/2020-03.nc"), dataset({ times: [55, T] }));
    const whole = writeXarrayZarr(place("whole.zarr"), dataset());
    const [a, b] = [await openStore(place("files/2020-*.nc")), await openStore(whole)];
    await expectSame(a, b);
    expect(a.view?.form).toBe("3 files (NetCDF-3 and NetCDF-4)");
    await Promise.all([a.close(), b.close()]);
  });

  it("refuses a time that two files give, unless the mapping says which is taken", async () => {
    mkdirSync(place("twice"));
    writeNetcdf3(place("twice/a.nc"), dataset({ times: [0, 30] }));
    const shifted = dataset({ times: [25, 60] });
    for (const variable of shifted.variables) {
      if (variable.name === "t") variable.values = (variable.values as number[]).map((v) => v + 1);
    }
    writeNetcdf3(place("twice/b.nc"), shifted);
    await expect(openStore(place("twice/*.nc"))).rejects.toThrow(/given twice.*2020-01-26T06:00.*combine/s);
    const first = (combine: string) => {
      const mapping = { files: ["twice/*.nc"], fields: { temperature: "t" }, combine };
      writeFileSync(place(`${combine}.json`), JSON.stringify(mapping));
      return openStore(place(`${combine}.json`));
    };
    const [a, b] = [await first("first"), await first("last")];
    const at = async (store: Store, t: number) =>
      (await readValues(store, levelSource(store, "temperature", 500), wholeWindow(store, Int32Array.of(t)))).values[0];
    expect(a.times).toEqual(b.times);
    expect(a.times.length).toBe(60);
    expect(await at(b, 24)).toBe(await at(a, 24));
    expect((await at(b, 27)) - (await at(a, 27))).toBeCloseTo(1, 4);
    expect(await at(b, 40)).toBe(await at(a, 40));
    await Promise.all([a.close(), b.close()]);
  });

  it("finds what *, ? and ** stand for, and says when nothing fits", async () => {
    for (const name of ["g/a/x1.nc", "g/b/c/x2.nc", "g/b/.hidden.nc", "g/x10.nc"]) {
      mkdirSync(join(place(name), ".."), { recursive: true });
      writeFileSync(place(name), "");
    }
    const found = async (pattern: string) =>
      (await expandPaths([pattern], place("g"))).map((path) => path.slice(place("g").length + 1));
    expect(await found("**/*.nc")).toEqual(["a/x1.nc", "b/c/x2.nc", "x10.nc"]);
    expect(await found("*/x?.nc")).toEqual(["a/x1.nc"]);
    expect(await found("x*.nc")).toEqual(["x10.nc"]);
    await expect(found("y*.nc")).rejects.toThrow(/no file fits the pattern/);
  });
});

describe("a mapping file", () => {
  const write = (name: string, mapping: unknown) => {
    writeFileSync(place(name), JSON.stringify(mapping));
    return place(name);
  };

  it("names fields, levels and units, and leaves the rest untouched", async () => {
    writeXarrayZarr(place("mapped.zarr"), dataset({ celsius: true }));
    // A variable that nothing names may be damaged.
    rmSync(place("mapped.zarr/u/.zattrs"));
    const store = await openStore(
      write("mapped.json", {
        source: "mapped.zarr",
        fields: { warmth: "t" },
        levels: [850],
        units: { warmth: "degC" },
      }),
    );
    expect([store.fields, store.fieldsSfc, store.levels]).toEqual([["warmth"], [], [850]]);
    expect(store.attrs.units).toEqual({ warmth: "degC" });
    await store.close();
  });

  it.each([
    [{ fields: { a: "t" } }, /source or files, one of the two/],
    [{ source: "mapped.zarr", feilds: { a: "t" } }, /did you mean fields/],
    [{ source: "mapped.zarr", fields: {} }, /at least one field/],
    [{ source: "mapped.zarr", fields: { a: "tt" } }, /no variable tt.*Did you mean t\?/s],
    [{ source: "mapped.zarr", fields: { a: "t" }, levels: [700] }, /not on level 700.*near it: 850, 500/s],
    [{ source: "mapped.zarr", fields: { a: "mean_sea_level_pressure" } }, /has no levels.*surface/s],
    [{ source: "mapped.zarr", surface: { a: "t" } }, /has levels, so it is no surface field/],
    [{ source: "mapped.zarr", fields: { a: "t" }, units: { b: "K" } }, /units\.b.*a field of the mapping/s],
    [{ source: "mapped.zarr", fields: { temperature: "t" }, units: { temperature: "m" } }, /cannot be in this unit/],
    [{ source: "mapped.zarr", fields: { a: "t" }, combine: "both" }, /"first" or "last"/],
    [{ source: "mapped.zarr", fields: { a: { "0": "t" } } }, /one a level/],
    [[], /an object with source or files/],
  ])("%j is refused", async (mapping, message) => {
    await expect(openStore(write("bad.json", mapping))).rejects.toThrow(message);
  });
});

describe("the normalisation of a view", () => {
  const config = (data: string, set: Record<string, unknown> = {}): ResolvedConfig["config"] =>
    resolveConfig({
      preset: "storm",
      set: {
        fields: [["temperature", [1, 16, [], 0], [500, 850], [4, 2, 2], [3, 3, 3], [0.5, 0.9, 0.4, 0.3]]],
        fields_prediction: [["temperature", 1]],
        n_size: [12, 90, 90],
        geo_range_sampling: [
          [-90, 90],
          [0, 360],
        ],
        dates_train: [["2020-01-20", "2020-02-03"]],
        dates_val: [["2020-02-04", "2020-02-08"]],
        BERT_strategy: "BERT",
        batch_size: 2,
        batch_size_validation: 2,
        num_samples_per_epoch: 20,
        num_samples_validate: 2,
        num_epochs: 2,
        ...TINY_NETWORK,
        num_loader_workers: 0,
        torch_seed: 1,
        rng_seed: 1,
        ...set,
      },
      data,
    }).config;

  it("is computed on first use from the training period, kept, and the same for whoever opens it", async () => {
    const path = writeXarrayZarr(place("auto.zarr"), dataset());
    const [a, b] = [await openData(config(path)), await openData(config(path))];
    expect(a.statistics).toContain(join(folder, "cache", "atmorep", "statistics"));
    expect(b.statistics).toBe(a.statistics);
    expect(a.normalizationPeriod).toEqual(["2020-01-20T00:00", "2020-02-03T18:00"]);
    const other = await openData(config(path, { dates_train: [["2020-01-20", "2020-02-01"]] }));
    expect(other.statistics).not.toBe(a.statistics);
    // [month, statistic, field, level]
    const norm = await readAll(a.arrays.global_norm as ChunkedArray);
    // January and February have values of their own, other months none; the unused wind has none either
    const january: number[] = [];
    for (const t of [...a.times.keys()].filter((i) => a.calendar.monthOfYear[i] === 1)) {
      const { values } = await readValues(a, levelSource(a, "temperature", 500), wholeWindow(a, Int32Array.of(t)));
      january.push(...values);
    }
    const mean = january.reduce((sum, v) => sum + v, 0) / january.length;
    expect(norm[0]).toBeCloseTo(mean, 3);
    expect(Array.from(norm).filter(Number.isFinite).length).toBe(2 * 2 * 2);
    await Promise.all([a.close(), b.close(), other.close()]);
  });

  it("trains with the losses of the imported store to the bit, given the same statistics", async () => {
    const path = writeXarrayZarr(place("train.zarr"), dataset({ northFirst: false, west: -180, celsius: true }));
    const imported = place("train.imported.zarr");
    await importStore([path], imported);
    const view = await openData(config(path));
    const { statistics } = view;
    await view.close();
    const losses = async (data: string, given: string | null) => {
      const out = mkdtempSync(join(folder, "run-"));
      const { events } = await runAll(config(data, { statistics: given }), { out, engine: "wasm" });
      return events.filter((event) => event.type === "step").map((event) => event.total);
    };
    const [a, b] = [await losses(path, null), await losses(imported, statistics)];
    expect(a.filter(Number.isFinite).length).toBe(20);
    expect(a).toEqual(b);
  });

  it("is refused if a file changes while it is computed, by the workers and at the end", async () => {
    mkdirSync(place("changing"));
    writeNetcdf3(place("changing/a.nc"), dataset({ times: [0, 40] }));
    const second = writeNetcdf3(place("changing/b.nc"), dataset({ times: [40, T] }));
    const touch = () => utimesSync(second, new Date(), new Date(Date.now() - Math.random() * 1e6));
    await expect(normalizeTo(place("changing/*.nc"), place("changed"), null, { onProgress: touch })).rejects.toThrow(
      /a source changed while it was read; found b\.nc changed: \d+ bytes of/,
    );
    expect(existsSync(place("changed"))).toBe(false);
    const store = await openStore(place("changing/*.nc"));
    const of = [{ name: "temperature", level: 500 }];
    const request = { of, steps: [0, 1], local: false };
    const { setup } = await statisticsRequest(store, place("never"), request, {});
    touch();
    await expect(STATISTICS.open(setup as StatisticsSetup, 1e8)).rejects.toThrow(/a source changed while it was read/);
    // on first use, where it stands for good
    const data = store.arrays.data as ChunkedArray;
    const chunk: ChunkedArray["chunk"] = (coords) => {
      touch();
      return data.chunk(coords);
    };
    const touched = { ...store, arrays: { ...store.arrays, data: { ...data, chunk } } };
    await expect(writeStatistics(touched, place("first-use"), request)).rejects.toThrow(/b\.nc changed/);
    expect(existsSync(place("first-use"))).toBe(false);
    await store.close();
  });

  it("is refused of another grid, and without any time of training", async () => {
    const path = writeXarrayZarr(place("refused.zarr"), dataset());
    const store = await openData(config(path));
    const small = place("small.zarr");
    await importStore([path], small, { box: { north: 60, south: -60, west: 0, east: 90 } });
    await expect(openStore(small, { statistics: store.statistics })).rejects.toThrow(/of another grid/);
    await store.close();
    const never = config(path, { dates_train: [["1990-01-01", "1990-02-01"]] });
    await expect(openData(never)).rejects.toThrow(/no time of training to compute one from/);
  });

  it("takes its times evenly from the months, none twice, and as many hours of the day as there are", () => {
    const first = parseTime("2000-01-01") as bigint;
    const times = BigInt64Array.from({ length: 4 * 365 * 3 + 4 }, (_, i) => first + BigInt(6 * i) * HOUR_NS);
    const calendar = calendarOf(times);
    const steps = evenSteps({ calendar }, [...times.keys()], 240);
    expect(new Set(steps).size).toBe(240);
    const count = (of: Int32Array, n: number) => steps.filter((t) => of[t] === n).length;
    for (let month = 1; month <= 12; month++) expect(count(calendar.monthOfYear, month)).toBe(20);
    for (const hour of [0, 6, 12, 18]) expect(count(calendar.hour, hour)).toBeGreaterThan(30);
    expect(evenSteps({ calendar }, [...times.keys()], 240)).toEqual(steps);
  });
});

it("is written down by what a mapping file reads", async () => {
  const path = writeXarrayZarr(place("again.zarr"), dataset());
  const view = await openStore(path);
  writeFileSync(place("again.json"), JSON.stringify(view.view?.mapping));
  const again = await openStore(place("again.json"));
  await expectSame(again, view);
  expect(JSON.parse(readFileSync(place("again.json"), "utf8")).levels).toEqual(LEVELS);
  await Promise.all([again.close(), view.close()]);
});
