/** Files to import, whole at first: NetCDF-3, NetCDF-4, GRIB of both editions, Zarr as xarray writes it, zip files of them. */
import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { zipSync } from "fflate";
import {
  type Dataset,
  type GribMessageSpec,
  grib1,
  grib2,
  type Variable,
  writeNetcdf3,
  writeNetcdf4,
  writeXarrayZarr,
} from "../../data/importFixtures.js";
import { chooser, DAMAGES } from "../../support/damage.js";
import { type DamagedCase, file } from "./types.js";

/** Lengths of their own for each dimension, so that they are found among the bytes of a header. */
const [T, Y, X] = [7, 11, 13];
const HOURS = 227_904;

const dataset = (time: Partial<Variable> = {}, hours: (i: number) => number = (i) => HOURS + 6 * i): Dataset => ({
  dims: { time: T, lat: Y, lon: X },
  variables: [
    {
      name: "time",
      dims: ["time"],
      type: "double",
      values: Array.from({ length: T }, (_, i) => hours(i)),
      attrs: { units: "hours since 1970-01-01" },
      ...time,
    },
    {
      name: "lat",
      dims: ["lat"],
      type: "float",
      values: Array.from({ length: Y }, (_, i) => 60 - i),
      attrs: { units: "degrees_north" },
    },
    {
      name: "lon",
      dims: ["lon"],
      type: "float",
      values: Array.from({ length: X }, (_, i) => 5 + i),
      attrs: { units: "degrees_east" },
    },
    {
      name: "t2m",
      dims: ["time", "lat", "lon"],
      type: "float",
      values: Array.from({ length: T * Y * X }, (_, i) => 280 + ((i * 7919) % 1009) / 50),
      attrs: { units: "K" },
    },
  ],
});

const message = (hour: number, edition: 1 | 2): GribMessageSpec => ({
  parameter: edition === 1 ? 130 : [0, 0],
  level: edition === 1 ? [100, 500] : [100, 50_000],
  date: [1996, 1, 1, hour],
  grid: { first: [60, 5], last: [50, 17], size: [X, Y] },
  integers: Array.from({ length: X * Y }, (_, i) => (i * 7919) % 1009),
  bits: 12,
  reference: 256,
  binaryScale: -4,
  decimalScale: 0,
});

export type WholeFiles = Record<"cdf" | "records" | "nc" | "grib1" | "grib2" | "zarr", string>;

export async function wholeFiles(dir: string): Promise<WholeFiles> {
  const at = (name: string) => join(dir, name);
  const grib = (name: string, edition: 1 | 2) => {
    writeFileSync(
      at(name),
      Buffer.concat([0, 6, 12].map((hour) => (edition === 1 ? grib1 : grib2)(message(hour, edition)))),
    );
    return at(name);
  };
  return {
    cdf: writeNetcdf3(at("whole.cdf"), dataset()),
    records: writeNetcdf3(at("records.cdf"), { ...dataset(), unlimited: "time" }),
    nc: await writeNetcdf4(at("whole.nc"), dataset()),
    grib1: grib("whole1.grib", 1),
    grib2: grib("whole2.grib", 2),
    zarr: writeXarrayZarr(at("whole_xarray.zarr"), dataset()),
  };
}

type Edit = (bytes: Buffer) => Uint8Array;

/** Every place of a number of 4 or 8 bytes replaced. */
const everywhere =
  (from: Buffer, to: Buffer): Edit =>
  (bytes) => {
    const out = Buffer.from(bytes);
    let found = 0;
    for (let at = out.indexOf(from); at >= 0; at = out.indexOf(from, at + 1)) {
      to.copy(out, at);
      found += 1;
    }
    if (found === 0) throw new Error("nothing to replace");
    return out;
  };
const be = (value: number) => Buffer.from(Uint32Array.of(value).buffer).swap32();
const le = (value: bigint) => Buffer.from(BigUint64Array.of(value).buffer);
const set =
  (at: number, ...values: number[]): Edit =>
  (bytes) => {
    const out = Buffer.from(bytes);
    out.set(values, at < 0 ? out.length + at : at);
    return out;
  };
const cut =
  (share: number): Edit =>
  (bytes) =>
    bytes.subarray(0, Math.floor(bytes.length * share));

const CDF: [string, Edit][] = [
  ["cut in half", cut(0.5)],
  ["only its first four bytes", (bytes) => bytes.subarray(0, 4)],
  ["cut in its header", cut(0.05)],
  ["a name of 4 GB", set(16, 255, 255, 255, 255)],
  ["4,294,967,295 dimensions", set(12, 255, 255, 255, 255)],
  ["a dimension of 2^32 - 1 (lat)", everywhere(be(Y), be(0xffffffff))],
  ["a dimension of 2^31 (lon)", everywhere(be(X), be(0x7fffffff))],
  ["a dimension of 16 million (lon)", everywhere(be(X), be(0x00ffffff))],
  ["a dimension of 0 (lat)", everywhere(be(Y), be(0))],
  ["an unknown version", set(3, 9)],
  ["64-bit sizes that are none", set(3, 5)],
  ["64-bit offsets that are none", set(3, 2)],
  ["an unknown tag", set(8, 0, 0, 0, 77)],
  ["an unknown type", everywhere(be(6), be(99))],
  ["text instead of numbers", everywhere(be(5), be(2))],
];

const RECORDS: [string, Edit][] = [
  ["4 million records", set(4, 0, 64, 0, 0)],
  ["no records", set(4, 0, 0, 0, 0)],
  ["records as a stream", set(4, 255, 255, 255, 255)],
  ["a record short", (bytes) => bytes.subarray(0, -X * Y * 4)],
];

/** An entry of 0 bytes among the texts of HDF5, after which its library looks for the next one in the same place. */
const withoutEnd: Edit = (bytes) => {
  const at = bytes.indexOf("GCOL");
  if (at < 0) throw new Error("no texts");
  return Buffer.from(bytes).fill(0, at + 16, at + 32);
};

const HDF5: [string, Edit][] = [
  ["cut in half", cut(0.5)],
  ["only its signature", (bytes) => bytes.subarray(0, 8)],
  ["a superblock of zeros", (bytes) => set(8, ...new Array(80).fill(0))(bytes)],
  ["an unknown superblock", set(8, 77)],
  ["offsets of 2 bytes", set(13, 2)],
  ["a size of 2^40 (lat)", everywhere(le(BigInt(Y)), le(2n ** 40n))],
  ["a size of 2^62 (lon)", everywhere(le(BigInt(X)), le(2n ** 62n))],
  ["a size of 300 million (lat)", everywhere(le(BigInt(Y)), le(300_000_000n))],
  ["a size of 40 million (lon)", everywhere(le(BigInt(X)), le(40_000_000n))],
  ["a size of a billion (time)", everywhere(le(BigInt(T)), le(1_000_000_000n))],
  ["a size of 0 (lat)", everywhere(le(BigInt(Y)), le(0n))],
];

const GRIB: [string, Edit, (1 | 2)?][] = [
  ["cut in half", cut(0.5)],
  ["only its mark", (bytes) => bytes.subarray(0, 8)],
  ["a length of 0", set(4, 0, 0, 0), 1],
  ["a length of 0", set(8, 0, 0, 0, 0, 0, 0, 0, 0), 2],
  ["a length of 4", set(4, 0, 0, 4), 1],
  ["a length of 2^63", set(8, 255, 255, 255, 255, 255, 255, 255, 255), 2],
  ["a length of 8 MB", set(4, 127, 255, 255), 1],
  ["an edition of 9", set(7, 9)],
  ["an edition of 0", set(7, 0)],
  ["a first section of length 0", set(8, 0, 0, 0), 1],
  ["a first section of length 0", set(16, 0, 0, 0, 0), 2],
  ["a first section of 4 GB", set(16, 255, 255, 255, 255), 2],
  ["65,535 columns", (bytes) => everywhere(Buffer.from([0, X, 0, Y]), Buffer.from([255, 255, 255, 254]))(bytes), 1],
  [
    "4 billion columns",
    everywhere(Buffer.from([0, 0, 0, X, 0, 0, 0, Y]), Buffer.from([255, 255, 255, 254, 0, 0, 0, Y])),
    2,
  ],
  ["a grid of 0 rows", everywhere(Buffer.from([0, 0, 0, X, 0, 0, 0, Y]), Buffer.from([0, 0, 0, X, 0, 0, 0, 0])), 2],
  ["no end", set(-4, 48, 48, 48, 48)],
  ["a month of 13", set(8 + 13, 13), 1],
  ["a month of 13", set(16 + 14, 13), 2],
  ["the year 65,535", set(16 + 12, 255, 255), 2],
  ["a thousand marks without messages", () => Buffer.from("GRIB".repeat(1000))],
];

/** Numbers of the time axis, and the units. `null`: what they say can be true. */
const TIMES: [string, (i: number) => number, string, "import" | null][] = [
  ["that are NaN", () => Number.NaN, "", "import"],
  ["of 1e300", (i) => 1e300 * i, "", "import"],
  ["that are infinite", () => Number.POSITIVE_INFINITY, "", "import"],
  ["all alike", () => HOURS, "", "import"],
  ["that descend", (i) => HOURS - i, "", null],
  ["over 500 years", (i) => i * 700_000 - 2_300_000, "", "import"],
  ["the first 244 years before", (i) => (i === 0 ? HOURS - 244 * 8766 : HOURS + 6 * i), "", "import"],
  ["beyond 2262", (i) => HOURS + i, "hours since 2262-01-01", "import"],
  ["before 1678", (i) => HOURS + i, "seconds since 1600-01-01", "import"],
  ["in months", (i) => i, "months since 1996-01-01", "import"],
  ["in no unit", (i) => i, "fortnights", "import"],
  ["since a 30 February", (i) => i, "hours since 1996-02-30", "import"],
  ["since never", (i) => i, "hours since the flood", "import"],
];

const ZARR: [string, string, (text: string) => string][] = [
  ["nests 100,000 objects", "t2m/.zarray", () => `${'{"a":'.repeat(100_000)}1${"}".repeat(100_000)}`],
  ["nests 100,000 lists", "t2m/.zattrs", () => "[".repeat(100_000) + "]".repeat(100_000)],
  ["is no JSON", "t2m/.zarray", (text) => text.slice(0, 40)],
  ["attributes that are no JSON", "t2m/.zattrs", () => "{units: K}"],
  ["attributes that are a number", "t2m/.zattrs", () => "7"],
  ["dimensions that are a number", "t2m/.zattrs", () => '{"_ARRAY_DIMENSIONS": 3}'],
  ["dimensions of another number", "t2m/.zattrs", () => '{"_ARRAY_DIMENSIONS": ["time", "lat"]}'],
  ["a shape of 1e15", "t2m/.zarray", (text) => text.replace(`"shape":[${T}`, '"shape":[1e15')],
  ["a shape of 1e12 latitudes", "lat/.zarray", (text) => text.replace(`"shape":[${Y}`, '"shape":[1e12')],
  ["a chunk of 1e12 latitudes", "lat/.zarray", (text) => text.replace(`"chunks":[${Y}`, '"chunks":[1e12')],
  [
    "a shape and chunk of 400 million latitudes",
    "lat/.zarray",
    (text) => text.replaceAll(`[${Y}]`, "[400000000]").replace('"fill_value":null', '"fill_value":0'),
  ],
  ["chunks of 0", "t2m/.zarray", (text) => text.replace('"chunks":[1', '"chunks":[0')],
  ["an unknown dtype", "t2m/.zarray", (text) => text.replace("<f4", "<z4")],
  ["an unknown codec", "t2m/.zarray", (text) => text.replace('"compressor":null', '"compressor":{"id":"wavelet"}')],
  ["zlib over plain chunks", "t2m/.zarray", (text) => text.replace('"compressor":null', '"compressor":{"id":"zlib"}')],
  ["a fill that is no base64", "t2m/.zattrs", (text) => text.replace("{", '{"_FillValue":"%%%",')],
  ["a scale of null", "t2m/.zattrs", (text) => text.replace("{", '{"scale_factor":null,')],
  ["a scale of 1e400", "t2m/.zattrs", (text) => text.replace("{", '{"scale_factor":1e400,')],
  ["a scale of text", "t2m/.zattrs", (text) => text.replace("{", '{"scale_factor":"two",')],
  ["units that are a list", "time/.zattrs", (text) => text.replace(/"units":"[^"]*"/, '"units":["hours"]')],
  ["a chunk cut short", "t2m/2.0.0", (text) => text.slice(0, 100)],
  ["an empty chunk", "lat/0", () => ""],
];

/** Every damage to files that is made by hand, and `random` of each form at random. */
export function fileCases(whole: WholeFiles, random: number): DamagedCase[] {
  const made = (form: keyof WholeFiles, name: string, bytes: () => Uint8Array, refused: "import" | null): DamagedCase =>
    file(name, refused, (dir) => {
      const path = join(dir, `my.${form === "grib1" || form === "grib2" ? "grib" : form === "nc" ? "nc" : "cdf"}`);
      writeFileSync(path, bytes());
      return path;
    });
  const cases: DamagedCase[] = [];
  const edits = (form: keyof WholeFiles, list: [string, Edit, (1 | 2)?][]) => {
    for (const [what, edit, only] of list) {
      if (only !== undefined && form !== `grib${only}`) continue;
      // a stream of records is how some are written
      const refused = /stream|no records/.test(what) ? null : "import";
      cases.push(made(form, `${form}: ${what}`, () => edit(readFileSync(whole[form])), refused));
    }
  };
  edits("cdf", CDF);
  edits("records", RECORDS);
  edits("nc", HDF5);
  edits("grib1", GRIB);
  edits("grib2", GRIB);
  for (const [what, hours, units, refused] of TIMES) {
    const data = dataset(units === "" ? {} : { attrs: { units } }, hours);
    cases.push(file(`times ${what}`, refused, (dir) => writeNetcdf3(join(dir, "my.cdf"), data)));
  }
  for (const [what, bytes] of [
    ["an empty file", ""],
    ["a text", "lat lon\n"],
    ["zeros", new Uint8Array(5000)],
  ] as const) {
    cases.push(made("nc", what, () => Buffer.from(bytes), "import"));
  }
  const zarr = (name: string, refused: "import" | null, key: string, edit: (bytes: Buffer) => Uint8Array | string) =>
    file(name, refused, (dir) => {
      const path = join(dir, "my.zarr");
      cpSync(whole.zarr, path, { recursive: true });
      writeFileSync(join(path, key), edit(readFileSync(join(path, key))));
      return path;
    });
  for (const [what, key, edit] of ZARR)
    cases.push(zarr(`xarray's Zarr, ${key}: ${what}`, "import", key, (bytes) => edit(bytes.toString("latin1"))));
  cases.push(...zips(whole));
  const choose = chooser(9);
  const kinds = Object.entries(DAMAGES);
  for (const form of ["cdf", "records", "nc", "grib1", "grib2"] as const) {
    const bytes = new Uint8Array(readFileSync(whole[form]));
    // half of them among the first kilobyte, where headers are
    for (let i = 0; i < random; i++) {
      const [what, hurt] = kinds[i % kinds.length];
      const head = i % 2 ? Math.min(1024, bytes.length) : bytes.length;
      const hurtBytes = Uint8Array.from([...hurt(bytes.slice(0, head), choose), ...bytes.slice(head)]);
      cases.push(made(form, `${form}: ${what} (${i})`, () => hurtBytes, null));
    }
  }
  // the last, since this process reads no NetCDF-4 after it
  cases.push(made("nc", "nc: texts without an end", () => withoutEnd(readFileSync(whole.nc)), "import"));
  return cases;
}

function zips(whole: WholeFiles): DamagedCase[] {
  const bytes = zipSync({ "data.nc": readFileSync(whole.nc), "more.grib": readFileSync(whole.grib1) });
  const bomb = zipSync({ "data.nc": new Uint8Array(200 * 2 ** 20) });
  const zip = (name: string, content: Uint8Array, refused: "import" | null) =>
    file(name, refused, (dir) => {
      mkdirSync(dir, { recursive: true });
      writeFileSync(join(dir, "my.zip"), content);
      return join(dir, "my.zip");
    });
  const choose = chooser(4);
  return [
    zip("a zip of 200 MB of zeros", bomb, "import"),
    zip("a zip cut in half", bytes.slice(0, bytes.length >> 1), "import"),
    zip("a zip in a zip", zipSync({ "data.nc": bytes }), "import"),
    zip("a zip with a name that leads out", zipSync({ "../../out.nc": readFileSync(whole.nc) }), null),
    ...Object.entries(DAMAGES).map(([what, hurt]) => zip(`a zip: ${what}`, hurt(bytes, choose), null)),
  ];
}
