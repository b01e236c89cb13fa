/** Tiny input files made from bytes: NetCDF-3, NetCDF-4, GRIB of both editions, and a Zarr group as xarray writes it. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export interface Variable {
  name: string;
  dims: string[];
  /** int16 or float32 or float64 values in C order, or text */
  type: "short" | "float" | "double" | "char";
  values: number[] | string;
  attrs?: Record<string, string | number>;
}

export interface Dataset {
  /** lengths by name; in NetCDF-3 the one named `unlimited` is the record dimension */
  dims: Record<string, number>;
  unlimited?: string;
  variables: Variable[];
}

const NC_TYPE = { char: 2, short: 3, float: 5, double: 6 } as const;
const SIZE: Record<Variable["type"], number> = { char: 1, short: 2, float: 4, double: 8 };

function encode(type: Variable["type"], values: number[] | string): Buffer {
  if (typeof values === "string") return Buffer.from(values, "latin1");
  const out = Buffer.alloc(values.length * SIZE[type]);
  for (const [i, value] of values.entries()) {
    if (type === "short") out.writeInt16BE(value, i * 2);
    else if (type === "float") out.writeFloatBE(value, i * 4);
    else out.writeDoubleBE(value, i * 8);
  }
  return out;
}

const padded = (bytes: Buffer) => Buffer.concat([bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)]);
const u32 = (...numbers: number[]) => {
  const out = Buffer.alloc(numbers.length * 4);
  for (const [i, n] of numbers.entries()) out.writeUInt32BE(n, i * 4);
  return out;
};
const named = (name: string) => Buffer.concat([u32(name.length), padded(Buffer.from(name))]);

/** Writes a NetCDF classic file (CDF-1). */
export function writeNetcdf3(path: string, { dims, unlimited, variables }: Dataset): string {
  const names = Object.keys(dims);
  const attributes = (attrs: Record<string, string | number> = {}) => {
    const entries = Object.entries(attrs).map(([key, value]) =>
      typeof value === "string"
        ? Buffer.concat([named(key), u32(2, value.length), padded(Buffer.from(value))])
        : Buffer.concat([named(key), u32(6, 1), encode("double", [value])]),
    );
    return entries.length ? Buffer.concat([u32(12, entries.length), ...entries]) : u32(0, 0);
  };
  const isRecord = (v: Variable) => v.dims[0] === unlimited && unlimited !== undefined;
  const slab = (v: Variable) => v.dims.filter((d) => d !== unlimited).reduce((n, d) => n * dims[d], SIZE[v.type]);
  const header = (begins: number[]) =>
    Buffer.concat([
      Buffer.from("CDF\x01", "latin1"),
      u32(unlimited ? dims[unlimited] : 0),
      u32(10, names.length),
      ...names.map((n) => Buffer.concat([named(n), u32(n === unlimited ? 0 : dims[n])])),
      u32(0, 0),
      u32(11, variables.length),
      ...variables.map((v, i) =>
        Buffer.concat([
          named(v.name),
          u32(v.dims.length, ...v.dims.map((d) => names.indexOf(d))),
          attributes(v.attrs),
          u32(NC_TYPE[v.type], Math.ceil(slab(v) / 4) * 4, begins[i]),
        ]),
      ),
    ]);
  let at = header(variables.map(() => 0)).length;
  const begins: number[] = [];
  const parts: Buffer[] = [];
  for (const [i, v] of variables.entries()) {
    if (isRecord(v)) continue;
    begins[i] = at;
    parts.push(padded(encode(v.type, v.values)));
    at += parts[parts.length - 1].length;
  }
  const records = variables.filter(isRecord);
  for (const [i, v] of variables.entries()) {
    if (!isRecord(v)) continue;
    begins[i] = at;
    at += Math.ceil(slab(v) / 4) * 4;
  }
  for (let r = 0; unlimited && r < dims[unlimited]; r++) {
    for (const v of records) parts.push(padded(encode(v.type, v.values).subarray(r * slab(v), (r + 1) * slab(v))));
  }
  writeFileSync(path, Buffer.concat([header(begins), ...parts]));
  return path;
}

/** Writes a NetCDF-4 file; variables of rank 3 and more are compressed in chunks of `chunks` along the first axis. */
export async function writeNetcdf4(path: string, { dims, variables }: Dataset, chunks = 2): Promise<string> {
  const hdf5 = await import("h5wasm/node");
  await hdf5.ready;
  const file = new hdf5.File(path, "w");
  const arrays = { short: Int16Array, float: Float32Array, double: Float64Array };
  for (const v of variables) {
    if (typeof v.values === "string" || v.type === "char") continue;
    const shape = v.dims.map((d) => dims[d]);
    const data = new arrays[v.type](v.values);
    const compressed =
      shape.length > 2 ? { chunks: [Math.min(chunks, shape[0]), ...shape.slice(1)], compression: 4 } : {};
    const dataset = file.create_dataset({ name: v.name, data, shape, ...compressed });
    for (const [key, value] of Object.entries(v.attrs ?? {})) {
      dataset.create_attribute(key, typeof value === "string" ? value : Float64Array.of(value));
    }
  }
  for (const name of Object.keys(dims)) (file.get(name) as { make_scale(name: string): void }).make_scale(name);
  for (const v of variables) {
    const dataset = file.get(v.name) as { attach_scale(i: number, path: string): void };
    if (v.dims.length > 1) for (const [i, dim] of v.dims.entries()) dataset.attach_scale(i, `/${dim}`);
  }
  file.close();
  return path;
}

/** Writes a Zarr group of format 2 as xarray does; one chunk a time step. */
export function writeXarrayZarr(path: string, { dims, variables }: Dataset): string {
  mkdirSync(path, { recursive: true });
  writeFileSync(join(path, ".zgroup"), '{"zarr_format": 2}');
  for (const v of variables) {
    if (typeof v.values === "string") continue;
    const folder = join(path, v.name);
    mkdirSync(folder);
    const shape = v.dims.map((d) => dims[d]);
    const chunks = shape.length > 2 ? [1, ...shape.slice(1)] : shape;
    const dtype = { short: "<i2", float: "<f4", double: "<f8", char: "" }[v.type];
    const meta = {
      zarr_format: 2,
      shape,
      chunks,
      dtype,
      compressor: null,
      fill_value: null,
      filters: null,
      order: "C",
    };
    writeFileSync(join(folder, ".zarray"), JSON.stringify(meta));
    writeFileSync(join(folder, ".zattrs"), JSON.stringify({ _ARRAY_DIMENSIONS: v.dims, ...v.attrs }));
    const size = chunks.reduce((a, b) => a * b, 1);
    for (let c = 0; c * size < v.values.length; c++) {
      const bytes = encode(v.type, v.values.slice(c * size, (c + 1) * size));
      if (v.type === "short") bytes.swap16();
      else if (v.type === "float") bytes.swap32();
      else bytes.swap64();
      writeFileSync(join(folder, [c, ...shape.slice(1).map(() => 0)].join(".")), bytes);
    }
  }
  return path;
}

export interface GribMessageSpec {
  /** ECMWF parameter of table 128 (edition 1), or category and number (edition 2) */
  parameter: number | [category: number, number: number];
  /** edition's type of level and its value */
  level: [type: number, value: number];
  /** year, month, day, hour */
  date: [number, number, number, number];
  /** forecast hours */
  ahead?: number;
  /** first point, last point (degrees), columns, rows */
  grid: { first: [number, number]; last: [number, number]; size: [number, number]; scan?: number };
  /** integers before scaling; null where the bitmap says missing */
  integers: (number | null)[];
  bits: number;
  reference: number;
  binaryScale: number;
  decimalScale: number;
}

/** Values that a message stands for. */
export const gribValues = (m: GribMessageSpec): number[] =>
  m.integers.map((n) => (n === null ? Number.NaN : (m.reference + n * 2 ** m.binaryScale) / 10 ** m.decimalScale));

const signed = (value: number, bytes: number) => {
  const out = Buffer.alloc(bytes);
  out.writeUIntBE(Math.abs(value), 0, bytes);
  if (value < 0) out[0] |= 0x80;
  return out;
};
const uint = (value: number, bytes: number) => {
  const out = Buffer.alloc(bytes);
  out.writeUIntBE(value, 0, bytes);
  return out;
};

function packBits(values: number[], bits: number): Buffer {
  const text = values.map((v) => v.toString(2).padStart(bits, "0")).join("");
  const out = Buffer.alloc(Math.ceil(text.length / 8));
  for (const [i, bit] of [...text].entries()) if (bit === "1") out[i >> 3] |= 0x80 >> (i & 7);
  return out;
}

/** IBM float of a number that has one exactly. */
function ibm(value: number): Buffer {
  let exponent = 64;
  let fraction = Math.abs(value);
  while (fraction >= 1) {
    fraction /= 16;
    exponent += 1;
  }
  while (fraction > 0 && fraction < 1 / 16) {
    fraction *= 16;
    exponent -= 1;
  }
  return Buffer.concat([Buffer.of((value < 0 ? 0x80 : 0) | exponent), uint(Math.round(fraction * 2 ** 24), 3)]);
}

export function grib1(m: GribMessageSpec): Buffer {
  const missing = m.integers.includes(null);
  const [year, month, day, hour] = m.date;
  const product = Buffer.concat([
    uint(28, 3),
    Buffer.of(128, 98, 145, 255, missing ? 0xc0 : 0x80, m.parameter as number, m.level[0]),
    uint(m.level[1], 2),
    Buffer.of(year % 100, month, day, hour, 0, 1, m.ahead ?? 0, 0, 0, 0, 0, 0, Math.floor(year / 100) + 1, 0),
    signed(m.decimalScale, 2),
  ]);
  const { first, last, size, scan = 0 } = m.grid;
  const mdeg = (degrees: number) => signed(Math.round(degrees * 1000), 3);
  const grid = Buffer.concat([
    uint(32, 3),
    Buffer.of(0, 255, 0),
    uint(size[0], 2),
    uint(size[1], 2),
    ...first.map(mdeg),
    Buffer.of(0x80),
    ...last.map(mdeg),
    uint(0, 4),
    Buffer.of(scan),
    uint(0, 4),
  ]);
  const map = packBits(
    m.integers.map((n) => (n === null ? 0 : 1)),
    1,
  );
  const bitmap = missing ? Buffer.concat([uint(6 + map.length, 3), Buffer.of(0), uint(0, 2), map]) : Buffer.alloc(0);
  const packed = packBits(
    m.integers.filter((n) => n !== null),
    m.bits,
  );
  const data = Buffer.concat([
    uint(11 + packed.length, 3),
    Buffer.of(0),
    signed(m.binaryScale, 2),
    ibm(m.reference),
    Buffer.of(m.bits),
    packed,
  ]);
  const body = Buffer.concat([product, grid, bitmap, data, Buffer.from("7777")]);
  return Buffer.concat([Buffer.from("GRIB"), uint(8 + body.length, 3), Buffer.of(1), body]);
}

export function grib2(m: GribMessageSpec): Buffer {
  const [year, month, day, hour] = m.date;
  const [category, number] = m.parameter as [number, number];
  const { first, last, size, scan = 0 } = m.grid;
  const micro = (degrees: number) => signed(Math.round(degrees * 1e6), 4);
  const reference = Buffer.alloc(4);
  reference.writeFloatBE(m.reference);
  const section = (n: number, ...parts: Buffer[]) => {
    const body = Buffer.concat(parts);
    return Buffer.concat([uint(5 + body.length, 4), Buffer.of(n), body]);
  };
  const missing = m.integers.includes(null);
  const present = m.integers.filter((n) => n !== null);
  const body = Buffer.concat([
    section(1, Buffer.alloc(7), uint(year, 2), Buffer.of(month, day, hour, 0, 0, 0, 1)),
    section(
      3,
      Buffer.of(0),
      uint(m.integers.length, 4),
      Buffer.of(0, 0),
      uint(0, 2),
      Buffer.alloc(16),
      uint(size[0], 4),
      uint(size[1], 4),
      uint(0, 4),
      uint(0xffffffff, 4),
      ...first.map(micro),
      Buffer.of(0x30),
      ...last.map(micro),
      Buffer.alloc(8),
      Buffer.of(scan),
    ),
    section(
      4,
      uint(0, 2),
      uint(0, 2),
      Buffer.of(category, number, 2, 0, 0, 0, 0, 0, 1),
      uint(m.ahead ?? 0, 4),
      Buffer.of(m.level[0], 0),
      uint(m.level[1], 4),
      Buffer.of(255, 255),
      uint(0xffffffff, 4),
    ),
    section(
      5,
      uint(present.length, 4),
      uint(0, 2),
      reference,
      signed(m.binaryScale, 2),
      signed(m.decimalScale, 2),
      Buffer.of(m.bits, 0),
    ),
    missing
      ? section(
          6,
          Buffer.of(0),
          packBits(
            m.integers.map((n) => (n === null ? 0 : 1)),
            1,
          ),
        )
      : section(6, Buffer.of(255)),
    section(7, packBits(present, m.bits)),
    Buffer.from("7777"),
  ]);
  return Buffer.concat([Buffer.from("GRIB"), Buffer.of(0, 0, 0, 2), uint(0, 4), uint(16 + body.length, 4), body]);
}
