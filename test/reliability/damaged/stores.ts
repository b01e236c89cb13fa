/** Stores of the layout, whole at first: metadata, chunks, axes and attributes damaged one by one. */
import {
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { zipSync } from "fflate";
import type { RunConfig } from "../../../src/config/types.js";
import { tinyStore } from "../../data/support.js";
import { chooser, DAMAGES } from "../../support/damage.js";
import { tinyConfig } from "../../support/tinyRun.js";
import { type DamagedCase, store } from "./types.js";

/** 6-hourly from 1996-01-01 on */
const START = 227_904;
const STEPS = 124;

/** What the tiny stores can be trained with. */
export const config = (): RunConfig =>
  tinyConfig({
    fields: [["a", [1, 24, [], 0], [1, 2], [2, 3, 2], [2, 2, 3], [0.5, 0.9, 0.2, 0.05]]],
    fields_prediction: [["a", 1]],
    n_size: [4, 6, 6],
    geo_range_sampling: [
      [51, 60],
      [10, 22],
    ],
    dates_train: [["1996-01-01T00:00", "1996-01-15T18:00"]],
    dates_val: [["1996-01-17T00:00", "1996-01-31T18:00"]],
  });

/** Whole stores of both formats, with consolidated copies of their metadata. */
export async function wholeStores(dir: string): Promise<Record<"v2" | "v3" | "consolidated", string>> {
  const options = { steps: STEPS, start: START };
  const v2 = await tinyStore(join(dir, "v2.zarr"), options);
  const v3 = await tinyStore(join(dir, "v3.zarr"), { ...options, format: 3 });
  const consolidated = join(dir, "consolidated.zarr");
  cpSync(v2, consolidated, { recursive: true });
  const documents = files(v2).filter((key) => /\.z(array|attrs|group)$/.test(key));
  const metadata = Object.fromEntries(documents.map((key) => [key, JSON.parse(readFileSync(join(v2, key), "utf8"))]));
  writeFileSync(join(consolidated, ".zmetadata"), JSON.stringify({ metadata, zarr_consolidated_format: 1 }));
  return { v2, v3, consolidated };
}

/** Paths of all files below a folder, sorted. */
export function files(dir: string): string[] {
  const all = readdirSync(dir, { recursive: true }).map(String);
  return all.filter((path) => statSync(join(dir, path), { throwIfNoEntry: false })?.isFile()).sort();
}

type Json = Record<string, unknown>;
const nested = (depth: number) => "[".repeat(depth) + "]".repeat(depth);
const object = (depth: number) => `${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`;

/** Texts that are no metadata. */
const TEXTS: [string, string | Uint8Array][] = [
  ["is empty", ""],
  ["is null", "null"],
  ["is a list", "[]"],
  ["ends early", '{"zarr_format": 2, "sha'],
  ["holds binary", Uint8Array.from({ length: 200 }, (_, i) => (i * 83) & 255)],
  ["nests 100,000 lists", nested(100_000)],
  ["nests 100,000 objects", object(100_000)],
  ["is 20 MB of spaces", " ".repeat(20_000_000)],
];

/** Keys of an array's metadata, format 2. */
const ARRAY_2: [string, Json][] = [
  ["shape of 1e15", { shape: [1e15, 2, 2, 9, 12] }],
  ["negative shape", { shape: [-124, 2, 2, 9, 12] }],
  ["fractional shape", { shape: [12.5, 2, 2, 9, 12] }],
  ["shape of text", { shape: "124" }],
  ["a dimension less", { shape: [124, 2, 9, 12], chunks: [4, 2, 9, 12] }],
  ["more steps than times", { shape: [125, 2, 2, 9, 12] }],
  ["chunks of 0", { chunks: [0, 2, 2, 9, 12] }],
  ["negative chunks", { chunks: [-4, 2, 2, 9, 12] }],
  ["chunks of 2^53", { chunks: [2 ** 53, 2, 2, 9, 12] }],
  ["chunks of 16 GB", { chunks: [40_000_000, 2, 2, 9, 12] }],
  ["chunks of another rank", { chunks: [4, 2] }],
  ["dtype object", { dtype: "|O" }],
  ["dtype text", { dtype: "<U8" }],
  ["dtype of a thousand bytes", { dtype: "<f8000" }],
  ["structured dtype", { dtype: [["a", "<f4"]] }],
  ["no dtype", { dtype: undefined }],
  ["complex dtype", { dtype: "<c8" }],
  ["unknown codec", { compressor: { id: "wavelet" } }],
  ["codec without a name", { compressor: {} }],
  ["codec that is a number", { compressor: 7 }],
  ["zlib over plain chunks", { compressor: { id: "zlib", level: 1 } }],
  ["blosc over plain chunks", { compressor: { id: "blosc", cname: "lz4", clevel: 5, shuffle: 1 } }],
  ["zstd over plain chunks", { compressor: { id: "zstd", level: 1 } }],
  ["lz4 over plain chunks", { compressor: { id: "lz4" } }],
  ["unknown filter", { filters: [{ id: "delta2" }] }],
  ["filters that are no list", { filters: { id: "delta" } }],
  ["delta without dtype", { filters: [{ id: "delta" }] }],
  ["scale of text", { filters: [{ id: "fixedscaleoffset", scale: "a", offset: 0, dtype: "<f4", astype: "<i2" }] }],
  ["order X", { order: "X" }],
];

const ARRAY_3: [string, Json][] = [
  ["shape of 1e15", { shape: [1e15, 2, 2, 9, 12] }],
  ["shape of -1", { shape: [-1, 2, 2, 9, 12] }],
  ["no chunk grid", { chunk_grid: undefined }],
  ["an irregular grid", { chunk_grid: { name: "rectangular", configuration: { chunk_shape: [[4, 8], 2] } } }],
  ["chunks of 0", { chunk_grid: { name: "regular", configuration: { chunk_shape: [0, 2, 2, 9, 12] } } }],
  ["chunks of 1e18", { chunk_grid: { name: "regular", configuration: { chunk_shape: [1e18, 2, 2, 9, 12] } } }],
  ["no codecs", { codecs: [] }],
  ["codecs as text", { codecs: "bytes" }],
  ["an unknown codec", { codecs: [{ name: "bytes" }, { name: "pcodec" }] }],
  [
    "gzip over plain chunks",
    {
      codecs: [
        { name: "bytes", configuration: { endian: "little" } },
        { name: "gzip", configuration: { level: 1 } },
      ],
    },
  ],
  [
    "crc32c over plain chunks",
    { codecs: [{ name: "bytes", configuration: { endian: "little" } }, { name: "crc32c" }] },
  ],
  [
    "shards over plain chunks",
    {
      codecs: [
        {
          name: "sharding_indexed",
          configuration: {
            chunk_shape: [1, 1, 1, 9, 12],
            codecs: [{ name: "bytes", configuration: { endian: "little" } }],
            index_codecs: [{ name: "bytes", configuration: { endian: "little" } }, { name: "crc32c" }],
          },
        },
      ],
    },
  ],
  [
    "a transpose of another rank",
    { codecs: [{ name: "transpose", configuration: { order: [1, 0] } }, { name: "bytes" }] },
  ],
  [
    "a transpose that repeats",
    {
      codecs: [
        { name: "transpose", configuration: { order: [0, 0, 1, 2, 3] } },
        { name: "bytes", configuration: { endian: "little" } },
      ],
    },
  ],
  ["shards in shards in shards", { codecs: shardsWithin(200) }],
  ["an unknown type", { data_type: "float128" }],
  ["a type that is an object", { data_type: { name: {} } }],
  ["storage transformers", { storage_transformers: [{ name: "unknown" }] }],
  ["another version", { zarr_format: 4 }],
];

function shardsWithin(depth: number): unknown[] {
  let codecs: unknown[] = [{ name: "bytes", configuration: { endian: "little" } }];
  for (let i = 0; i < depth; i++)
    codecs = [
      {
        name: "sharding_indexed",
        configuration: { chunk_shape: [1, 1, 1, 9, 12], codecs, index_codecs: [{ name: "bytes" }] },
      },
    ];
  return codecs;
}

/** Root attributes. */
const ROOT: [string, Json][] = [
  ["no fields", { fields: undefined }],
  ["fields as numbers", { fields: [1, 2] }],
  ["a field too many", { fields: ["a", "b", "c"] }],
  ["a field twice", { fields: ["a", "a"] }],
  ["100,000 fields", { fields: Array.from({ length: 100_000 }, (_, i) => `f${i}`) }],
  ["a level of 0", { levels: [0, 2] }],
  ["levels as text", { levels: ["1", "2"] }],
  ["steps of 0 degrees", { res: [0, 1] }],
  ["negative steps", { res: [-1, 1] }],
  ["one step", { res: [1] }],
  ["is_global 1 of a region", { is_global: 1 }],
  ["is_global as text", { is_global: "no" }],
  ["filled of unknown fields", { filled: { z: [1] } }],
  ["filled that is a list", { filled: [1] }],
  ["a period of one time", { normalization_period: ["1996"] }],
];

const TIMES: [string, number[] | ((i: number) => number), "info" | null][] = [
  ["all alike", () => START, "info"],
  ["descending", (i) => START - i * 6, "info"],
  ["one twice", (i) => START + Math.min(i, STEPS - 2) * 6, "info"],
  ["one missing (NaT)", (i) => (i === 7 ? Number.NaN : START + i * 6), "info"],
  ["beyond 64 bits", (i) => (i === STEPS - 1 ? 9e12 : START + i * 6), "info"],
  ["that begin 244 years before", (i) => (i === 0 ? START - 244 * 8766 : START + i * 6), null],
  ["over 580 years", (i) => -2_500_000 + i * 40_000, null],
  ["of random steps", (i) => START + i * i * 7 + (i % 3), null],
];

/** Every damage to stores that is made by hand, and `random` of each format at random. */
export function storeCases(whole: Awaited<ReturnType<typeof wholeStores>>, random: number): DamagedCase[] {
  const copy = (dir: string, from: string, edit: (path: string) => void): string => {
    const path = join(dir, "my.zarr");
    cpSync(from, path, { recursive: true });
    edit(path);
    return path;
  };
  const json = (path: string, key: string, change: (old: Json) => unknown) => {
    const old = JSON.parse(readFileSync(join(path, key), "utf8")) as Json;
    writeFileSync(join(path, key), JSON.stringify(change(old)));
  };
  const damage = (
    name: string,
    refused: DamagedCase["refused"],
    names: RegExp | undefined,
    edit: (path: string) => void,
    from = whole.v2,
  ) => store(name, refused, names, (dir) => copy(dir, from, edit));

  const cases: DamagedCase[] = [];
  for (const [key, from] of [
    [".zgroup", whole.v2],
    [".zattrs", whole.v2],
    ["data/.zarray", whole.v2],
    ["time/.zarray", whole.v2],
    ["zarr.json", whole.v3],
    ["data/zarr.json", whole.v3],
    [".zmetadata", whole.consolidated],
  ]) {
    for (const [what, text] of TEXTS) {
      // an object that says nothing is a group without attributes
      const plain = (key === ".zgroup" || key === ".zmetadata") && what === "nests 100,000 objects";
      cases.push(
        damage(
          `${key} ${what}`,
          plain ? null : "info",
          new RegExp(key.replaceAll(".", "\\.").split("/")[0]),
          (path) => writeFileSync(join(path, key), text),
          from,
        ),
      );
    }
  }
  for (const [what, keys] of ARRAY_2)
    cases.push(
      damage(`data/.zarray: ${what}`, "verify", /[:/] ?data/, (path) =>
        json(path, "data/.zarray", (old) => ({ ...old, ...keys })),
      ),
    );
  for (const [what, keys] of ARRAY_3)
    cases.push(
      damage(
        `data/zarr.json: ${what}`,
        what.startsWith("storage") ? null : "verify",
        /[:/] ?data/,
        (path) => json(path, "data/zarr.json", (old) => ({ ...old, ...keys })),
        whole.v3,
      ),
    );
  for (const [what, keys] of ROOT)
    cases.push(
      damage(`attributes: ${what}`, "info", /attribute|data|global/, (path) =>
        json(path, ".zattrs", (old) => ({ ...old, ...keys })),
      ),
    );
  for (const [what, value, refused] of TIMES) {
    const at = typeof value === "function" ? value : (i: number) => value[i];
    cases.push(
      damage(`times ${what}`, refused, /time/, (path) => {
        const hours = BigInt64Array.from({ length: STEPS }, (_, i) =>
          Number.isNaN(at(i)) ? -(2n ** 63n) : BigInt(at(i)),
        );
        writeFileSync(join(path, "time/0"), new Uint8Array(hours.buffer));
      }),
    );
  }
  const axis = (name: string, value: (i: number) => number) => (path: string) =>
    writeFileSync(
      join(path, name, "0"),
      new Uint8Array(Float32Array.from({ length: name === "lats" ? 9 : 12 }, (_, i) => value(i)).buffer),
    );
  cases.push(
    damage("times without a unit", "info", /time/, (path) =>
      json(path, "time/.zarray", (old) => ({ ...old, dtype: "<i8" })),
    ),
    damage("times in years", "info", /time/, (path) =>
      json(path, "time/.zarray", (old) => ({ ...old, dtype: "<M8[Y]" })),
    ),
    damage("times in 1e30 hours", "info", /time/, (path) =>
      json(path, "time/.zarray", (old) => ({ ...old, dtype: `<M8[${"9".repeat(30)}h]` })),
    ),
    damage(
      "latitudes that are NaN",
      "info",
      /lats/,
      axis("lats", () => Number.NaN),
    ),
    damage(
      "latitudes that descend",
      "info",
      /lats/,
      axis("lats", (i) => 40 - i),
    ),
    damage(
      "latitudes beyond the pole",
      "info",
      /lats/,
      axis("lats", (i) => 175 + i),
    ),
    damage(
      "infinite longitudes",
      "info",
      /lons/,
      axis("lons", () => Number.POSITIVE_INFINITY),
    ),
    damage(
      "longitudes of 1e30",
      "info",
      /lons/,
      axis("lons", (i) => 1e30 * (i + 1)),
    ),
    damage("no time", "info", /time/, (path) => rmSync(join(path, "time"), { recursive: true })),
    damage("no lats", "info", /lats/, (path) => rmSync(join(path, "lats"), { recursive: true })),
    damage("no data", "info", /data/, (path) => rmSync(join(path, "data"), { recursive: true })),
    damage("no normalisation", "train", /normali[sz]/, (path) =>
      rmSync(join(path, "normalization"), { recursive: true }),
    ),
    damage("a chunk of lats missing", "info", /lats\/0/, (path) => rmSync(join(path, "lats/0"))),
    damage("a chunk of data empty", "verify", /data\/3\.0/, (path) => writeFileSync(join(path, "data/3.0.0.0.0"), "")),
    damage("a chunk of data a byte short", "verify", /data\/3\.0/, (path) => {
      const at = join(path, "data/3.0.0.0.0");
      writeFileSync(at, readFileSync(at).subarray(0, -1));
    }),
    damage("a chunk of data twice as long", "verify", /data\/3\.0/, (path) => {
      const at = join(path, "data/3.0.0.0.0");
      writeFileSync(at, Buffer.concat([readFileSync(at), readFileSync(at)]));
    }),
    damage("a chunk of data of 1 GB, sparse", "verify", /data\/3\.0/, (path) =>
      sparse(join(path, "data/3.0.0.0.0"), 2 ** 30),
    ),
    damage("a chunk of data a folder", "verify", /data\/3\.0/, (path) => {
      rmSync(join(path, "data/3.0.0.0.0"));
      mkdirSync(join(path, "data/3.0.0.0.0"));
    }),
    damage("a chunk of data an endless device", "verify", /data\/3\.0/, (path) => {
      rmSync(join(path, "data/3.0.0.0.0"));
      symlinkSync("/dev/zero", join(path, "data/3.0.0.0.0"));
    }),
    damage("a chunk of data missing", null, /data/, (path) => rmSync(join(path, "data/3.0.0.0.0"))),
    damage("chunks beyond the end", null, undefined, (path) =>
      cpSync(join(path, "data/3.0.0.0.0"), join(path, "data/99.0.0.0.0")),
    ),
    damage("stray files", null, undefined, (path) => writeFileSync(join(path, "data/thumbs.db"), "x")),
    damage("values that are infinite", "verify", /a (level )?1/, (path) =>
      fill(join(path, "data/3.0.0.0.0"), Number.POSITIVE_INFINITY),
    ),
    damage("values that are NaN", "verify", /a (level )?1/, (path) => fill(join(path, "data/3.0.0.0.0"), Number.NaN)),
    damage("deviations of 0", "train", /normali[sz]/, (path) =>
      fill(join(path, "normalization/global_norm/0.0.0.0"), 0),
    ),
    damage("deviations that are NaN", "train", /normali[sz]/, (path) =>
      fill(join(path, "normalization/global_norm/0.0.0.0"), Number.NaN),
    ),
    damage("chunks named by a path outwards", "info", /data/, (path) =>
      json(path, "data/.zarray", (old) => ({ ...old, dimension_separator: "/../../" })),
    ),
    damage("packed by attributes", "info", /data/, (path) =>
      writeFileSync(join(path, "data/.zattrs"), '{"scale_factor": 0.1}'),
    ),
    damage("normalisation by an unknown rule", "info", /normalization/, (path) =>
      writeFileSync(join(path, "normalization/.zattrs"), '{"by": "week"}'),
    ),
    damage("a key twice", "info", /data/, (path) => {
      const at = join(path, "data/.zarray");
      writeFileSync(
        at,
        readFileSync(at, "utf8")
          .replace("{", '{"chunks": [4, 2, 2, 9, 12], "shape": [999, 2, 2, 9, 12],')
          .replace(/"shape": \[\s+124/, '"shape": [ 123'),
      );
    }),
    damage("numbers beyond all", "info", /data/, (path) => {
      const at = join(path, "data/.zarray");
      writeFileSync(at, readFileSync(at, "utf8").replace(/124/, "1e400"));
    }),
  );
  cases.push(...zips(whole.v2));
  const choose = chooser(3);
  const kinds = Object.entries(DAMAGES);
  for (const [format, from] of Object.entries(whole)) {
    const keys = files(from);
    for (let i = 0; i < random; i++) {
      const key = keys[choose(keys.length)];
      const [what, hurt] = kinds[i % kinds.length];
      const bytes = hurt(new Uint8Array(readFileSync(join(from, key))), choose);
      cases.push(
        damage(
          `${format} ${key}: ${what} (${i})`,
          null,
          undefined,
          (path) => writeFileSync(join(path, key), bytes),
          from,
        ),
      );
    }
  }
  return cases;
}

function fill(path: string, value: number): void {
  const bytes = readFileSync(path);
  for (let at = 0; at + 4 <= bytes.length; at += 4) bytes.writeFloatLE(value, at);
  writeFileSync(path, bytes);
}

function sparse(path: string, size: number): void {
  writeFileSync(path, "");
  truncateSync(path, size);
}

/** Zip files of a store: cut, bent, and with names that lead out of it. */
function zips(from: string): DamagedCase[] {
  const entries = (level: 0 | 6) =>
    Object.fromEntries(
      files(from).map((key) => [key, [readFileSync(join(from, key)), { level }] as [Uint8Array, { level: 0 | 6 }]]),
    );
  const whole = { stored: zipSync(entries(0)), deflated: zipSync(entries(6)) };
  const make = (bytes: Uint8Array) => (dir: string) => {
    writeFileSync(join(dir, "my.zarr.zip"), bytes);
    return join(dir, "my.zarr.zip");
  };
  const zip = (name: string, refused: DamagedCase["refused"], bytes: Uint8Array) =>
    store(name, refused, undefined, make(bytes));
  const choose = chooser(5);
  const cases: DamagedCase[] = [
    zip("an empty zip", "info", new Uint8Array(0)),
    zip("a zip without entries", "info", zipSync({})),
    zip("a zip that is only PK", "info", Uint8Array.from([80, 75, 3, 4])),
    zip("a zip of text", "info", zipSync({ "a.txt": Buffer.from("text") })),
  ];
  for (const [kind, bytes] of Object.entries(whole)) {
    cases.push(
      zip(`a ${kind} zip without its directory`, "info", bytes.slice(0, -200)),
      zip(`a ${kind} zip cut in half`, "info", bytes.slice(0, bytes.length >> 1)),
      zip(`a ${kind} zip whose directory says 4 GB`, kind === "stored" ? null : "verify", sizes(bytes)),
    );
    for (const [what, hurt] of Object.entries(DAMAGES))
      cases.push(zip(`a ${kind} zip: ${what}`, null, hurt(bytes, choose)));
  }
  return cases;
}

/** Every size of the directory at its largest. */
function sizes(bytes: Uint8Array): Uint8Array {
  const out = Buffer.from(bytes);
  for (let at = out.indexOf("PK\x01\x02"); at >= 0; at = out.indexOf("PK\x01\x02", at + 4))
    out.writeUInt32LE(0xfffffffe, at + 24);
  return new Uint8Array(out);
}
