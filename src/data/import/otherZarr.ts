/** Reads Zarr groups of another layout: one array a variable, dimensions named as xarray writes them. */
import { createHash } from "node:crypto";
import { AtmorepError } from "../../errors.js";
import { type ByteSource, formatAddress, openSource, splitAddress } from "../source/index.js";
import { asObject, type Json, parseMetadata } from "../source/json.js";
import { decodeTimes } from "../time.js";
import { type ChunkedArray, openArray, product, readIntegers, stridesOf, type Values } from "../zarr/array.js";
import { type ArrayFacts, type MetadataStore, openMetadata } from "../zarr/metadata.js";
import { ChunkCache, PARTS_BYTES } from "./cache.js";
import type { AttributeValue, RawDataset, RawValues, RawVariable, ReadOptions } from "./types.js";

/** @param asked a folder, a zip file, an http address or an Icechunk repository. @throws AtmorepError (input) if it is no Zarr group */
export async function openOtherZarr(
  asked: string,
  { session, again, parts = new ChunkCache(PARTS_BYTES) }: ReadOptions = {},
): Promise<RawDataset> {
  const source = await openSource(asked, session, again);
  const { pinned } = source;
  const location = pinned ?? asked;
  try {
    const metadata = await openMetadata(source, location);
    const variables = new Map<string, RawVariable>();
    const leftOut: { name: string; why: string }[] = [];
    const names = await arrayNames(source, location);
    for (const name of names) {
      const facts = await metadata.array(name);
      if (facts) variables.set(name, await describe(metadata, facts, location, parts));
      else leftOut.push({ name, why: `a group or another folder: a group is opened as ${asGroup(location, name)}` });
    }
    const snapshot = pinned && splitAddress(pinned).version?.name;
    const format = `Zarr format ${metadata.format}${snapshot ? ` of Icechunk, snapshot ${snapshot}` : ""}`;
    const digest = digestOf(variables);
    return {
      path: location,
      format,
      variables,
      leftOut,
      attrs: metadata.attrs,
      digest,
      pinned,
      close: () => source.close(),
    };
  } catch (error) {
    await source.close();
    throw error;
  }
}

/** Of the metadata: a store that grows or is written anew has others. */
function digestOf(variables: ReadonlyMap<string, RawVariable>): string {
  const facts = [...variables.values()].map(({ name, dims, shape, attrs }) => [name, dims, shape, attrs]);
  return createHash("sha256").update(JSON.stringify(facts)).digest("hex");
}

async function arrayNames(source: ByteSource, location: string): Promise<string[]> {
  // copies in a repository may be older than its arrays, and it lists itself at no cost
  if (source.pinned && source.folders) return source.folders("/");
  const flat = await readJson(source, "/.zmetadata", location);
  const root = await readJson(source, "/zarr.json", location);
  const consolidated = asObject(asObject(root?.consolidated_metadata)?.metadata) ?? asObject(flat?.metadata);
  if (consolidated) {
    const paths = Object.keys(consolidated).map((key) => key.replace(/\/?\.z(array|attrs|group)$/, ""));
    return [...new Set(paths)].filter((path) => path !== "" && !path.includes("/"));
  }
  if (source.folders) return source.folders("/");
  throw new AtmorepError("input", "the arrays of the store cannot be listed", {
    where: location,
    expected: "a folder, or consolidated metadata",
    fix: "Consolidate the metadata or unpack the store",
  });
}

/** The address of a group below the root of a store. */
function asGroup(location: string, name: string): string {
  const address = splitAddress(location);
  return formatAddress({ ...address, group: address.group === "" ? name : `${address.group}/${name}` });
}

async function readJson(source: ByteSource, key: `/${string}`, location: string): Promise<Json | undefined> {
  const bytes = await source.get(key);
  return bytes && parseMetadata(bytes, `${location}${key}`);
}

async function describe(
  metadata: MetadataStore,
  facts: ArrayFacts,
  location: string,
  parts: ChunkCache<ArrayBufferView>,
): Promise<RawVariable> {
  const { name, shape } = facts;
  const document = async (file: string): Promise<Json> => {
    const bytes = await metadata.get(`/${name}/${file}`);
    return bytes ? (JSON.parse(new TextDecoder().decode(bytes)) as Json) : {};
  };
  const own = metadata.format === 3 ? await document("zarr.json") : await document(".zattrs");
  const attrs = (metadata.format === 3 ? own.attributes : own) as Record<string, AttributeValue> | undefined;
  const dims = metadata.format === 3 ? (own.dimension_names ?? attrs?._ARRAY_DIMENSIONS) : attrs?._ARRAY_DIMENSIONS;
  const isInteger = /^([<>|][iu]|u?int)/.test(facts.dtype) || /M8|datetime64/.test(facts.dtype);
  const isFloat = /^([<>|]f|float)/.test(facts.dtype);
  let opened: Promise<ChunkedArray> | null = null;
  const variable: RawVariable = {
    name,
    dims: Array.isArray(dims) ? dims.map(String) : null,
    shape,
    attrs: attrs ?? {},
    defaultFill: typeof facts.fillValue === "number" && facts.fillValue !== 0 ? facts.fillValue : null,
    isText: !isInteger && !isFloat,
    integer: isInteger ? { bits: bitsOf(facts.dtype) } : null,
    isSingle: /^([<>|]f4|float32)$/.test(facts.dtype),
    chunkShape: () => facts.present().chunkShape,
    zeroFill: metadata.format === 2 && facts.fillValue === 0 && attrs?._FillValue === undefined,
    async read(start, count) {
      opened ??= openArray(metadata, facts, location, null);
      return readBox(await opened, start, count, { parts, where: `${location}: ${name}` });
    },
  };
  if (facts.time && /M8|datetime64/.test(facts.dtype) && shape.length === 1) {
    const code = facts.time;
    variable.readTimes = async () =>
      decodeTimes(await readIntegers(metadata, facts, location), code, `${location}: ${name}`);
  }
  return variable;
}

/** Bits of an integer dtype of either format: `<i2`, `int16`. */
function bitsOf(dtype: string): number {
  const v3 = /^u?int(\d+)$/.exec(dtype);
  return v3 ? Number(v3[1]) : Number(/(\d+)/.exec(dtype)?.[1] ?? 8) * 8;
}

async function readBox(
  array: ChunkedArray,
  start: readonly number[],
  count: readonly number[],
  { parts, where }: { parts: ChunkCache<ArrayBufferView>; where: string },
): Promise<RawValues> {
  const { chunkShape } = array;
  const out = new Float64Array(product(count));
  const target = stridesOf(count);
  const source = stridesOf(chunkShape);
  const first = count.map((_, i) => Math.floor((start[i] ?? 0) / chunkShape[i]));
  const last = count.map((n, i) => Math.floor(((start[i] ?? 0) + n - 1) / chunkShape[i]));
  const coords = [...first];
  for (;;) {
    const wanted = [...coords];
    const load = async () => (await array.chunk(wanted)).values;
    const values = (await parts.get(`${where}, chunk ${wanted.join(".")}`, load)) as Values;
    const copy = (axis: number, from: number, to: number): void => {
      const begin = start[axis] ?? 0;
      const low = Math.max(begin, coords[axis] * chunkShape[axis]);
      const high = Math.min(begin + count[axis], (coords[axis] + 1) * chunkShape[axis]);
      if (axis === count.length - 1) {
        const at = from + low - coords[axis] * chunkShape[axis];
        for (let i = 0; i < high - low; i++) out[to + low - begin + i] = values[at + i];
        return;
      }
      for (let i = low; i < high; i++) {
        copy(axis + 1, from + (i - coords[axis] * chunkShape[axis]) * source[axis], to + (i - begin) * target[axis]);
      }
    };
    if (count.length === 0) out[0] = values[0];
    else copy(0, 0, 0);
    let axis = count.length - 1;
    while (axis >= 0 && ++coords[axis] > last[axis]) {
      coords[axis] = first[axis];
      axis -= 1;
    }
    if (axis < 0) return out;
  }
}
