/**
 * Reads NetCDF classic files (CDF-1, CDF-2 with 64-bit offsets, CDF-5 with 64-bit sizes) piece by piece: only the
 * header and what is asked for is held in memory. Layout: the "NetCDF Classic Format Specification" of Unidata.
 */
import { AtmorepError } from "../../errors.js";
import { product } from "../zarr/array.js";
import { HeaderReader } from "./headerReader.js";
import type { AttributeValue, RawDataset, RawValues, RawVariable } from "./types.js";
import { type FileView, openFileView } from "./view.js";

interface NumberType {
  size: number;
  get(view: DataView, offset: number): number;
  fill: number | null;
}

const CHAR = 2;
const FLOATS = new Set([5, 6]);
/** External types by their number; all are big-endian. The fill values are those of the format. */
const TYPES: Readonly<Record<number, NumberType>> = {
  1: { size: 1, get: (v, o) => v.getInt8(o), fill: null },
  [CHAR]: { size: 1, get: (v, o) => v.getUint8(o), fill: null },
  3: { size: 2, get: (v, o) => v.getInt16(o), fill: -32767 },
  4: { size: 4, get: (v, o) => v.getInt32(o), fill: -2147483647 },
  5: { size: 4, get: (v, o) => v.getFloat32(o), fill: Math.fround(9.969209968386869e36) },
  6: { size: 8, get: (v, o) => v.getFloat64(o), fill: 9.969209968386869e36 },
  7: { size: 1, get: (v, o) => v.getUint8(o), fill: null },
  8: { size: 2, get: (v, o) => v.getUint16(o), fill: 65535 },
  9: { size: 4, get: (v, o) => v.getUint32(o), fill: 4294967295 },
  10: { size: 8, get: (v, o) => Number(v.getBigInt64(o)), fill: -(2 ** 63) },
  11: { size: 8, get: (v, o) => Number(v.getBigUint64(o)), fill: 2 ** 64 },
};

/** The most that one variable has in the format's own library (NC_MAX_VAR_DIMS). */
const MAX_RANK = 1024;

interface Entry {
  name: string;
  dims: number[];
  attrs: Record<string, AttributeValue>;
  floatAttrs: Set<string>;
  type: number;
  begin: number;
}

/** @throws AtmorepError (input) if the file is damaged */
export async function openNetcdf3(path: string): Promise<RawDataset> {
  const view = await openFileView(path);
  try {
    return await readDataset(view);
  } catch (error) {
    await view.close();
    throw error;
  }
}

async function readDataset(view: FileView): Promise<RawDataset> {
  const header = new HeaderReader(view);
  const version = (await header.bytes(4))[3];
  const wide = version === 5;
  const size = () => (wide ? header.uint64() : header.uint32());
  const name = async () => new TextDecoder().decode(await padded(header, await size()));
  const attributes = async () => {
    const out: Record<string, AttributeValue> = {};
    const floats = new Set<string>();
    for (let n = await listLength(header, size, 12, view.path); n > 0; n--) {
      const key = await name();
      const type = await header.uint32();
      out[key] = attributeValue(type, await padded(header, (await size()) * typeOf(type, view.path).size));
      if (FLOATS.has(type)) floats.add(key);
    }
    return { attrs: out, floatAttrs: floats };
  };

  const records = await size();
  const streaming = records === (wide ? 2 ** 64 : 0xffffffff);
  const dims: { name: string; length: number }[] = [];
  for (let n = await listLength(header, size, 10, view.path); n > 0; n--) {
    dims.push({ name: await name(), length: await size() });
  }
  await attributes();
  const entries: Entry[] = [];
  for (let n = await listLength(header, size, 11, view.path); n > 0; n--) {
    const own = await name();
    const ids: number[] = [];
    const rank = await size();
    if (rank > MAX_RANK) throw damaged(view.path, `variable ${own} of ${rank} dimensions`);
    for (let k = rank; k > 0; k--) ids.push(await size());
    if (ids.some((id) => id >= dims.length))
      throw damaged(view.path, `variable ${own} names a dimension that is not there`);
    const { attrs, floatAttrs } = await attributes();
    const type = await header.uint32();
    await size();
    entries.push({
      name: own,
      dims: ids,
      attrs,
      floatAttrs,
      type,
      begin: version === 1 ? await header.uint32() : await header.uint64(),
    });
  }

  const isRecord = (entry: Entry) => entry.dims.length > 0 && dims[entry.dims[0]].length === 0;
  const slabBytes = (entry: Entry) =>
    product(entry.dims.slice(isRecord(entry) ? 1 : 0).map((id) => dims[id].length)) *
    typeOf(entry.type, view.path).size;
  const recordEntries = entries.filter(isRecord);
  // Variables of fixed size stand after the header in the order of their definition, records after them: so the format's own
  // library takes them, and sizes that were changed are noticed.
  let end = header.place;
  for (const entry of [...entries.filter((one) => !isRecord(one)), ...recordEntries]) {
    if (entry.begin < end)
      throw damaged(view.path, `variable ${entry.name} at byte ${entry.begin}, inside of what comes before`);
    end = entry.begin + slabBytes(entry);
  }
  // A single record variable is not padded.
  const recordBytes =
    recordEntries.length === 1
      ? slabBytes(recordEntries[0])
      : recordEntries.reduce((sum, entry) => sum + Math.ceil(slabBytes(entry) / 4) * 4, 0);
  const firstRecord = Math.min(...recordEntries.map((entry) => entry.begin));
  const count = streaming && recordEntries.length > 0 ? Math.floor((view.size - firstRecord) / recordBytes) : records;

  const variables = new Map<string, RawVariable>();
  for (const entry of entries) {
    const record = isRecord(entry);
    const shape = entry.dims.map((id, i) => (record && i === 0 ? count : dims[id].length));
    const type = typeOf(entry.type, view.path);
    variables.set(entry.name, {
      name: entry.name,
      dims: entry.dims.map((id) => dims[id].name),
      shape,
      attrs: entry.attrs,
      defaultFill: type.fill,
      isText: entry.type === CHAR,
      integer: FLOATS.has(entry.type) ? null : { bits: type.size * 8 },
      isSingle: entry.type === 5,
      floatAttrs: entry.floatAttrs,
      read: (start, wanted) => readSlab(view, entry, type, shape, record ? recordBytes : null, start, wanted),
    });
  }
  const close = () => view.close();
  return { path: view.path, format: version === 1 ? "NetCDF-3" : `NetCDF-3 (CDF-${version})`, variables, close };
}

async function readSlab(
  view: FileView,
  entry: Entry,
  type: NumberType,
  shape: readonly number[],
  recordBytes: number | null,
  start: readonly number[],
  wanted: readonly number[],
): Promise<RawValues> {
  const inner = (axis: number) => product(shape.slice(axis + 1)) * type.size;
  const stride = shape.map((_, axis) => (recordBytes !== null && axis === 0 ? recordBytes : inner(axis)));
  // Axes from `run` on lie in one piece of the file.
  let run = shape.length;
  const lowest = recordBytes === null ? 0 : 1;
  while (run > lowest && (run === shape.length || wanted[run] === shape[run])) run -= 1;
  const piece = product(wanted.slice(run));
  // Before memory is asked for: sizes of a damaged header have no bound.
  const last = shape.reduce((sum, _, axis) => sum + ((start[axis] ?? 0) + wanted[axis] - 1) * stride[axis], type.size);
  if (product(wanted) > 0) view.expect(entry.begin + last);
  const out = new Float64Array(product(wanted));
  const index = wanted.map(() => 0);
  for (let done = 0; done < out.length; done += piece) {
    let offset = entry.begin;
    for (let axis = 0; axis < shape.length; axis++) offset += ((start[axis] ?? 0) + index[axis]) * stride[axis];
    const bytes = await view.read(offset, piece * type.size);
    const data = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let i = 0; i < piece; i++) out[done + i] = type.get(data, i * type.size);
    for (let axis = run - 1; axis >= 0 && ++index[axis] === wanted[axis]; axis--) index[axis] = 0;
  }
  return out;
}

async function listLength(
  header: HeaderReader,
  size: () => Promise<number>,
  tag: number,
  path: string,
): Promise<number> {
  const found = await header.uint32();
  const length = await size();
  if (found !== tag && !(found === 0 && length === 0)) throw damaged(path, `tag ${found} where ${tag} belongs`);
  return length;
}

async function padded(header: HeaderReader, length: number): Promise<Uint8Array> {
  const bytes = await header.bytes(length);
  await header.bytes((4 - (length % 4)) % 4);
  return bytes;
}

function attributeValue(type: number, bytes: Uint8Array): AttributeValue {
  if (type === CHAR) return new TextDecoder().decode(bytes).replace(/\0+$/, "");
  const { size, get } = TYPES[type];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: bytes.length / size }, (_, i) => get(view, i * size));
}

function typeOf(type: number, path: string): NumberType {
  const known = TYPES[type];
  if (!known) throw damaged(path, `the unknown type ${type}`);
  return known;
}

const damaged = (path: string, found: string) =>
  new AtmorepError("input", "the NetCDF header is damaged", { where: path, found, fix: "Copy or make the file again" });
