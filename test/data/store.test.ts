import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { levelSource } from "../../src/data/fields.js";
import { openStore } from "../../src/data/store.js";
import { formatTime } from "../../src/data/time.js";
import { readValues, wholeWindow } from "../../src/data/values.js";
import { isAtmorepError } from "../../src/errors.js";
import { GOLDEN_STORE, STORM, type TinyOptions, temporaryFolder, tinyStore, tinyValue } from "./support.js";

const folder = temporaryFolder();
let count = 0;
const fresh = () => join(folder.path, `${count++}.zarr`);
afterAll(folder.remove);

/** Every value of the tiny store, read through the layer under test. */
async function expectTinyValues(location: string): Promise<void> {
  const store = await openStore(location);
  const source = levelSource(store, "b", 2);
  const { values } = await readValues(store, source, wholeWindow(store));
  let i = 0;
  for (let t = 0; t < 12; t++)
    for (let y = 0; y < 9; y++)
      for (let x = 0; x < 12; x++) expect(values[i++]).toBe(Math.fround(tinyValue(t, 1, 1, y, x)));
  await store.close();
}

/** zarrita's own codecs, which write as well. */
const ENCODERS: Record<string, () => Promise<{ default: { fromConfig(configuration: never): Encoder } }>> = {
  blosc: () => import("numcodecs/blosc"),
  zstd: () => import("numcodecs/zstd"),
  lz4: () => import("numcodecs/lz4"),
  gzip: () => import("numcodecs/gzip"),
  zlib: () => import("numcodecs/zlib"),
};
interface Encoder {
  encode(bytes: Uint8Array): Uint8Array | Promise<Uint8Array>;
}

/** Rewrites the chunks of `data` and names the codec in the metadata. */
async function recode(path: string, id: string, configuration: Record<string, unknown>): Promise<void> {
  const metadata = JSON.parse(readFileSync(join(path, "data/.zarray"), "utf8"));
  metadata.compressor = { id, ...configuration };
  writeFileSync(join(path, "data/.zarray"), JSON.stringify(metadata));
  const { default: Codec } = await ENCODERS[id]();
  const codec = Codec.fromConfig(configuration as never);
  for (const t of [0, 1, 2]) {
    const file = join(path, `data/${t}.0.0.0.0`);
    writeFileSync(file, await codec.encode(new Uint8Array(readFileSync(file))));
  }
}

describe("openStore", () => {
  it("describes the storm", async () => {
    const store = await openStore(STORM);
    expect(store.fields).toEqual(["velocity_u", "velocity_v"]);
    expect(store.levels).toEqual([500]);
    expect(store.times.length).toBe(64);
    expect(formatTime(store.times[63])).toBe("1996-01-20T18:00");
    expect(store.filled.get("velocity_v_sfc")).toEqual(new Set([17, 37]));
    expect(store.isGlobal).toBe(false);
    expect(store.normalizationPeriod).toEqual(["1996-01-05T00:00:00", "1996-01-15T18:00:00"]);
    await store.close();
  });

  it("reads a deflated zip with seconds as times", async () => {
    const store = await openStore(GOLDEN_STORE);
    expect(store.timeUnit).toBe("s");
    expect(formatTime(store.times[0])).toBe("2021-12-05T00:00");
    expect(store.calendar.month[351]).toBe(12);
    await store.close();
  });

  it.each<[string, TinyOptions]>([
    ["format 2", {}],
    ["format 3", { format: 3 }],
    ["many chunks", { chunks: [5, 1, 1, 4, 5] }],
    ["format 3, many chunks", { format: 3, chunks: [5, 1, 1, 4, 5] }],
  ])("reads %s from a folder and from a zip", async (_, options) => {
    await expectTinyValues(await tinyStore(fresh(), options));
    await expectTinyValues(await tinyStore(`${fresh()}.zip`, options));
  });

  it.each<[string, Record<string, unknown>]>([
    ["blosc", { cname: "lz4", clevel: 5, shuffle: 1, blocksize: 0 }],
    ["blosc", { cname: "zstd", clevel: 3, shuffle: 2, blocksize: 0 }],
    ["zstd", { level: 3 }],
    ["lz4", { acceleration: 1 }],
  ])("reads chunks packed with %s %o", async (id, configuration) => {
    const path = await tinyStore(fresh());
    await recode(path, id, configuration);
    await expectTinyValues(path);
  });

  it("reads Fortran order, big-endian numbers and float64", async () => {
    const path = await tinyStore(fresh());
    const metadata = JSON.parse(readFileSync(join(path, "data/.zarray"), "utf8"));
    writeFileSync(join(path, "data/.zarray"), JSON.stringify({ ...metadata, order: "F", dtype: ">f8" }));
    const chunks = metadata.chunks as number[];
    for (const c of [0, 1, 2]) {
      const file = join(path, `data/${c}.0.0.0.0`);
      const values = new Float32Array(new Uint8Array(readFileSync(file)).buffer);
      const out = Buffer.alloc(values.length * 8);
      for (let i = 0; i < values.length; i++) {
        let rest = i;
        let target = 0;
        const at = [...chunks]
          .reverse()
          .map((n) => {
            const k = rest % n;
            rest = Math.floor(rest / n);
            return k;
          })
          .reverse();
        for (let axis = chunks.length - 1; axis >= 0; axis--) target = target * chunks[axis] + at[axis];
        out.writeDoubleBE(values[i], target * 8);
      }
      writeFileSync(file, out);
    }
    await expectTinyValues(path);
  });

  it.each(["D", "h", "m", "s", "ms", "us", "ns"])("reads times in %s", async (unit) => {
    const path = await tinyStore(fresh(), { stepHours: 24 });
    const perDay = {
      D: 1n,
      h: 24n,
      m: 1440n,
      s: 86_400n,
      ms: 86_400_000n,
      us: 86_400_000_000n,
      ns: 86_400_000_000_000n,
    }[unit]!;
    const metadata = JSON.parse(readFileSync(join(path, "time/.zarray"), "utf8"));
    writeFileSync(
      join(path, "time/.zarray"),
      JSON.stringify({ ...metadata, dtype: `<M8[${unit}]`, fill_value: "NaT" }),
    );
    writeFileSync(
      join(path, "time/0"),
      new Uint8Array(BigInt64Array.from({ length: 12 }, (_, i) => (18_993n + BigInt(i)) * perDay).buffer),
    );
    const store = await openStore(path);
    expect(formatTime(store.times[0])).toBe("2022-01-01T00:00");
    expect(store.times[1] - store.times[0]).toBe(86_400_000_000_000n);
    await store.close();
  });

  it("reads integer times with a unit since a date, and consolidated metadata alone", async () => {
    const path = await tinyStore(fresh());
    const metadata = JSON.parse(readFileSync(join(path, "time/.zarray"), "utf8"));
    writeFileSync(join(path, "time/.zarray"), JSON.stringify({ ...metadata, dtype: "<i8" }));
    writeFileSync(join(path, "time/.zattrs"), JSON.stringify({ units: "hours since 1969-12-31 12:00:00" }));
    const store = await openStore(path);
    expect(formatTime(store.times[0])).toBe("2021-12-31T12:00");
    await store.close();

    const names = ["data", "time", "lats", "lons", "normalization/global_norm", "normalization/norm"];
    const keys = [".zgroup", ".zattrs", "time/.zattrs", ...names.map((name) => `${name}/.zarray`)];
    const all = Object.fromEntries(keys.map((key) => [key, JSON.parse(readFileSync(join(path, key), "utf8"))]));
    for (const key of keys) rmSync(join(path, key));
    writeFileSync(join(path, ".zmetadata"), JSON.stringify({ zarr_consolidated_format: 1, metadata: all }));
    await expectTinyValues(path);
  });

  it("keeps decoded chunks within the bound", async () => {
    const bound = 3 * 4 * 2 * 2 * 9 * 12 * 4 - 1;
    const store = await openStore(await tinyStore(fresh()), { cacheBytes: bound });
    await readValues(store, levelSource(store, "a", 1), wholeWindow(store));
    expect(store.cache.bytes).toBeGreaterThan(0);
    expect(store.cache.bytes).toBeLessThanOrEqual(bound);
    await store.close();
  });
});

/** Changes the JSON of a file. */
function edit(path: string, file: string, change: (json: Record<string, never>) => Record<string, unknown>): void {
  const at = join(path, file);
  writeFileSync(at, JSON.stringify(change(JSON.parse(readFileSync(at, "utf8")))));
}
const attrs = (path: string, change: Record<string, unknown>) =>
  edit(path, ".zattrs", (json) => ({ ...json, ...change }));
const floats = (path: string, file: string, values: number[]) =>
  writeFileSync(join(path, file), new Uint8Array(Float32Array.from(values).buffer));
const longs = (path: string, values: number[]) =>
  writeFileSync(join(path, "time/0"), new Uint8Array(BigInt64Array.from(values.map(BigInt)).buffer));

describe("faults of a store", () => {
  const faults: [string, (path: string) => void, RegExp][] = [
    [
      "empty folder",
      (p) => {
        rmSync(p, { recursive: true });
        mkdirSync(p);
      },
      /not a Zarr store/,
    ],
    [
      "another format",
      (p) => edit(p, ".zgroup", () => ({ zarr_format: 1 })),
      /not those of a Zarr group of format 2 or 3; found \{"zarr_format":1\}/,
    ],
    ["no such place", (p) => rmSync(p, { recursive: true }), /there is no such store/],
    [
      "text file",
      (p) => {
        rmSync(p, { recursive: true });
        writeFileSync(p, "hello");
      },
      /format of the file is not known.*Zarr group/,
    ],
    [
      "array instead of a group",
      (p) => {
        rmSync(join(p, ".zgroup"));
        copyFileSync(join(p, "data/.zarray"), join(p, ".zarray"));
      },
      /a Zarr array, not a group/,
    ],
    ["metadata that are not JSON", (p) => writeFileSync(join(p, ".zattrs"), "{"), /metadata are not JSON/],
    ["no data", (p) => rmSync(join(p, "data"), { recursive: true }), /no array data or data_sfc/],
    ["no time", (p) => rmSync(join(p, "time"), { recursive: true }), /no array time/],
    ["no lats", (p) => rmSync(join(p, "lats"), { recursive: true }), /no array lats/],
    ["no fields", (p) => attrs(p, { fields: undefined }), /attribute fields: the root attribute is missing/],
    ["fields that are no list", (p) => attrs(p, { fields: "a" }), /attribute fields: the root attribute is not valid/],
    ["a field twice", (p) => attrs(p, { fields: ["a", "a"] }), /each field once/],
    [
      "a field too many",
      (p) => attrs(p, { fields: ["a", "b", "c"] }),
      /data: the shape contradicts.*found \[12,2,2,9,12\].*field 3/,
    ],
    ["a level too few", (p) => attrs(p, { levels: [1] }), /data: the shape contradicts.*level 1/],
    ["level 0", (p) => attrs(p, { levels: [0, 1] }), /attribute levels/],
    ["no res", (p) => attrs(p, { res: undefined }), /attribute res/],
    ["another res", (p) => attrs(p, { res: [2, 1] }), /lats\[1\]: the axis contradicts the attribute res/],
    ["no is_global", (p) => attrs(p, { is_global: null }), /attribute is_global/],
    ["not global", (p) => attrs(p, { is_global: 1 }), /longitudes do not go round/],
    ["filled that is no table", (p) => attrs(p, { filled: [3] }), /attribute filled/],
    ["filled of an unknown field", (p) => attrs(p, { filled: { z: [3] } }), /attribute filled/],
    [
      "latitudes from the South",
      (p) => floats(p, "lats/0", [38, 37, 36, 35, 34, 33, 32, 31, 30]),
      /lats\[1\]: the axis does not ascend/,
    ],
    ["latitudes below 0", (p) => floats(p, "lats/0", [-3, -2, -1, 0, 1, 2, 3, 4, 5]), /latitudes lie outside 0 to 180/],
    [
      "a longitude that is no number",
      (p) => floats(p, "lons/0", [10, Number.NaN, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21]),
      /lons\[1\]: not a number/,
    ],
    ["times twice", (p) => longs(p, [1, 2, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]), /time\[2\]: the times do not ascend/],
    ["times without unit", (p) => edit(p, "time/.zarray", (m) => ({ ...m, dtype: "<i8" })), /the times have no unit/],
    [
      "times in months",
      (p) => edit(p, "time/.zarray", (m) => ({ ...m, dtype: "<M8[M]" })),
      /the times have no unit.*<M8\[M\]/,
    ],
    [
      "unknown codec",
      (p) => edit(p, "data/.zarray", (m) => ({ ...m, compressor: { id: "lzma" } })),
      /data: unsupported codec; found lzma/,
    ],
    [
      "unknown filter",
      (p) => edit(p, "lats/.zarray", (m) => ({ ...m, filters: [{ id: "packbits" }] })),
      /lats: unsupported codec; found packbits/,
    ],
    [
      "text instead of numbers",
      (p) => edit(p, "data/.zarray", (m) => ({ ...m, dtype: "<U4" })),
      /data: .*(does not hold numbers|cannot be opened)/,
    ],
    ["axes short of a chunk", (p) => rmSync(join(p, "lats/0")), /lats\/0: a chunk is missing/],
    [
      "a short chunk of an axis",
      (p) => floats(p, "lons/0", [1, 2]),
      /lons\/0: a chunk is damaged; found 8 bytes stored, 48 expected/,
    ],
    [
      "local normalisation of another grid",
      (p) => edit(p, "normalization/norm/.zarray", (m) => ({ ...m, shape: [12, 2, 2, 2, 9, 11] })),
      /normalization\/norm: the shape contradicts/,
    ],
  ];

  it.each(faults)("%s", async (_, damage, message) => {
    const path = await tinyStore(fresh());
    damage(path);
    const error = await openStore(path).then(
      () => null,
      (e: unknown) => e,
    );
    expect(String((error as Error)?.message)).toMatch(message);
    expect(isAtmorepError(error) && error.exitCode).toBe(2);
  });

  it("a damaged chunk is named with its file", async () => {
    const zlib = await tinyStore(fresh());
    edit(zlib, "data/.zarray", (m) => ({ ...m, compressor: { id: "zlib", level: 1 } }));
    const store = await openStore(zlib);
    const read = (s: typeof store) => readValues(s, levelSource(s, "a", 1), wholeWindow(s));
    await expect(read(store)).rejects.toThrow(/data\/0\.0\.0\.0\.0: a chunk is damaged/);
    await store.close();
    const short = await tinyStore(fresh());
    writeFileSync(join(short, "data/1.0.0.0.0"), new Uint8Array(13));
    const other = await openStore(short);
    await expect(read(other)).rejects.toThrow(/data\/1\.0\.0\.0\.0: a chunk is damaged/);
    await other.close();
  });
});

describe("http", () => {
  async function serve(root: string, answer?: (url: string) => number | null) {
    const asked: string[] = [];
    const server = createServer((request, response) => {
      const url = decodeURIComponent(new URL(request.url ?? "", "http://x").pathname);
      asked.push(url);
      const status = answer?.(url) ?? null;
      if (status !== null) return response.writeHead(status).end();
      try {
        response.end(readFileSync(join(root, url)));
      } catch {
        response.writeHead(404).end();
      }
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    return { address, asked, close: () => new Promise((resolve) => server.close(resolve)) };
  }

  it("gives the same values as the folder, and asks for consolidated metadata once", async () => {
    const path = await tinyStore(fresh());
    const server = await serve(path);
    await expectTinyValues(server.address);
    await server.close();
    const storm = await serve(STORM);
    const store = await openStore(`${storm.address}/`);
    expect(store.fieldsSfc.length).toBe(4);
    expect(storm.asked.filter((url) => url.endsWith(".zarray"))).toEqual([]);
    await store.close();
    await storm.close();
  });

  it("reports what is not there and what the server refuses", async () => {
    const empty = await serve(folder.path);
    await expect(openStore(`${empty.address}/nothing`)).rejects.toThrow(/not a Zarr store/);
    await empty.close();
    const path = await tinyStore(fresh());
    const forbidden = await serve(path, (url) => (url.startsWith("/data/0") ? 403 : null));
    const store = await openStore(forbidden.address);
    await expect(readValues(store, levelSource(store, "a", 1), wholeWindow(store))).rejects.toThrow(
      /data\/0\.0\.0\.0\.0: the server answered 403/,
    );
    await forbidden.close();
    await expect(openStore(forbidden.address)).rejects.toThrow(/no answer/);
    await expect(openStore("http://127.0.0.1:9/x.zip")).rejects.toThrow(/zip file cannot be read over http/);
  });

  it("tries again when the server fails for a moment", async () => {
    let failures = 2;
    const path = await tinyStore(fresh());
    const server = await serve(path, (url) => (url === "/lats/0" && failures-- > 0 ? 503 : null));
    await expectTinyValues(server.address);
    expect(server.asked.filter((url) => url === "/lats/0").length).toBe(3);
    await server.close();
  });
});
