/**
 * What zarrita is shown of an array: always format 3, one codec of ours for all that happens to the bytes, types that it
 * knows. It then finds chunks in shards, fills absent ones and follows the order of axes; no value passes its codecs.
 * Everything that would be read otherwise than it was written is refused here.
 */

import { givenType } from "./bytes.js";
import { CHUNK_CODEC, type ChunkSteps, type CodecJson, stagesOf } from "./chunkCodec.js";
import { readFill } from "./fill.js";
import { storedSize } from "./stage.js";
import { codecOf } from "./table.js";
import { type ItemType, itemType, typeName } from "./types.js";

type Json = Record<string, unknown>;

/** An array as it is read. */
export interface Presented {
  /** a `zarr.json` */
  document: Json;
  /** shape of what is decoded at once: of a chunk, or of an inner chunk of a shard */
  chunkShape: number[];
  /** the most bytes of one of those, as stored */
  chunkBytes: number;
  /** the most bytes of a file */
  fileBytes: number;
  shard: { shape: number[]; indexAtStart: boolean; indexBytes: number } | null;
}

/** What is wrong with metadata, for the message of whoever knows where they stand. */
export class PresentError extends Error {
  constructor(
    message: string,
    readonly found?: unknown,
  ) {
    super(message);
  }
}

/** Bound of what is held in one piece; larger sizes stand in damaged metadata. */
export const MAX_VALUES = 2 ** 29;
const MAX_INNER_CHUNKS = 2 ** 24;

/** Metadata of format 2 (`.zarray`). @throws PresentError */
export function presentV2(own: Json): Presented {
  const type = numberType(own.dtype);
  const shape = own.shape as number[];
  requireVersion(own, 2);
  if (own.filters !== null && own.filters !== undefined && !Array.isArray(own.filters)) {
    throw new PresentError("the filters are no list", own.filters);
  }
  if (own.order !== "C" && own.order !== "F") throw new PresentError("the array's metadata have no order", own.order);
  const listed = [...(Array.isArray(own.filters) ? own.filters : []), ...(own.compressor ? [own.compressor] : [])];
  const codecs = listed.map((codec): CodecJson => {
    const { id, ...configuration } = codec as Json;
    // Both formats have a crc32c, numcodecs' with a place that is said.
    return { name: `numcodecs.${String(id)}`, configuration };
  });
  const separator = separatorOf(own.dimension_separator, ".");
  const steps = { type: String(own.dtype), codecs };
  return regular(own, shape, chunkShapeOf(own.chunks, shape), type, steps, {
    order: own.order === "F" ? "F" : null,
    keys: { name: "v2", configuration: { separator } },
  });
}

/** Metadata of format 3 (`zarr.json`). @throws PresentError */
export function presentV3(own: Json): Presented {
  requireVersion(own, 3);
  const name = typeof own.data_type === "string" ? own.data_type : asObject(own.data_type)?.name;
  const type = numberType(name);
  const shape = own.shape as number[];
  const grid = asObject(own.chunk_grid);
  if (grid?.name !== "regular") throw new PresentError("chunks on a grid that is not regular", grid?.name);
  if (Array.isArray(own.storage_transformers) && own.storage_transformers.length > 0) {
    throw new PresentError("storage transformers are not supported", own.storage_transformers);
  }
  const chunkShape = chunkShapeOf(asObject(grid.configuration)?.chunk_shape, shape);
  const codecs = codecList(own.codecs);
  const keys = asObject(own.chunk_key_encoding);
  if (keys?.name !== "default" && keys?.name !== "v2")
    throw new PresentError("chunk keys of an unknown kind", keys?.name);
  separatorOf(asObject(keys.configuration)?.separator, "/");
  if (codecs.some((codec) => codec.name === "sharding_indexed")) {
    if (codecs.length > 1)
      throw new PresentError(
        "shards with other codecs around them",
        codecs.map((c) => c.name),
      );
    return sharded(own, shape, chunkShape, type, codecs[0].configuration, keys);
  }
  const { steps, order } = stepsV3(type, codecs, shape.length);
  return regular(own, shape, chunkShape, type, steps, { order, keys });
}

function requireVersion(own: Json, version: 2 | 3): void {
  if (own.zarr_format === version) return;
  throw new PresentError(`the array's metadata are not of Zarr format ${version}`, own.zarr_format ?? "none");
}

/** Between the numbers of a chunk's file name; others could lead out of the store. */
function separatorOf(given: unknown, otherwise: "." | "/"): "." | "/" {
  const separator = given ?? otherwise;
  if (separator === "." || separator === "/") return separator;
  throw new PresentError("chunk names with an unknown separator", given);
}

interface Around {
  order: readonly number[] | "F" | null;
  keys: Json;
}

function regular(
  own: Json,
  shape: number[],
  chunkShape: number[],
  type: ItemType,
  steps: ChunkSteps,
  { order, keys }: Around,
): Presented {
  const codecs = [...(order ? [{ name: "transpose", configuration: { order } }] : []), chunkCodec(steps)];
  const chunkBytes = boundOf(steps, chunkShape, type);
  return {
    document: documentOf(own, shape, chunkShape, type, codecs, keys),
    chunkShape,
    chunkBytes,
    fileBytes: chunkBytes,
    shard: null,
  };
}

function sharded(
  own: Json,
  shape: number[],
  shardShape: number[],
  type: ItemType,
  configuration: Json,
  keys: Json,
): Presented {
  const inner = chunkShapeOf(configuration.chunk_shape, shape);
  const counts = shardShape.map((n, i) => n / inner[i]);
  const count = counts.reduce((a, b) => a * b, 1);
  if (!counts.every(Number.isInteger) || count > MAX_INNER_CHUNKS) {
    throw new PresentError("a shard is no whole number of chunks", { shard: shardShape, chunk: inner });
  }
  const location = configuration.index_location ?? "end";
  if (location !== "end" && location !== "start") throw new PresentError("a shard with no known index", location);
  if (own.fill_value === null || own.fill_value === undefined) throw new PresentError("shards without a fill value");
  const { steps, order } = stepsV3(type, codecList(configuration.codecs), shape.length);
  const index = stepsV3(
    { kind: "uint", bytes: 8, big: false },
    codecList(configuration.index_codecs),
    shape.length + 1,
  );
  const indexSize = storedSize(stagesIn(index.steps), { bytes: 16 * count, exact: true });
  if (!indexSize.exact || index.order) throw new PresentError("a shard's index must be plain numbers with a checksum");
  const chunkBytes = boundOf(steps, inner, type);
  const codecs = [...(order ? [{ name: "transpose", configuration: { order } }] : []), chunkCodec(steps)];
  const sharding = { chunk_shape: inner, codecs, index_codecs: [chunkCodec(index.steps)], index_location: "end" };
  return {
    document: documentOf(own, shape, shardShape, type, [{ name: "sharding_indexed", configuration: sharding }], keys),
    chunkShape: inner,
    chunkBytes,
    fileBytes: chunkBytes * count + indexSize.bytes,
    shard: { shape: counts, indexAtStart: location === "start", indexBytes: indexSize.bytes },
  };
}

/** The steps on numbers, `bytes`, and the steps on bytes of format 3, in our form. */
function stepsV3(type: ItemType, codecs: CodecJson[], rank: number): { steps: ChunkSteps; order: number[] | null } {
  const at = codecs.findIndex(({ name }) => name === "bytes");
  if (at < 0)
    throw new PresentError(
      "no codec turns the numbers into bytes",
      codecs.map(({ name }) => name),
    );
  const endian = codecs[at].configuration.endian ?? (type.bytes === 1 ? "little" : undefined);
  if (endian !== "little" && endian !== "big") throw new PresentError("the codec bytes has no byte order", endian);
  const before = codecs.slice(0, at);
  const orders = before.filter(({ name }) => name === "transpose");
  const numbers = before.filter(({ name }) => name !== "transpose");
  const after = codecs.slice(at + 1);
  const misplaced = [
    ...numbers.filter(({ name }) => codecOf(name)?.works === "bytes"),
    ...after.filter(({ name }) => codecOf(name)?.works === "numbers" || name === "bytes" || name === "transpose"),
  ];
  if (misplaced.length > 0) throw new PresentError("a codec stands where it cannot work", misplaced[0].name);
  // numcodecs' filters work in the order of memory and the machine's bytes: what others would give is not defined.
  const changing = numbers.some(({ name }) => !name.endsWith("bitround"));
  if (changing && (orders.length > 0 || (endian === "big" && type.bytes > 1))) {
    throw new PresentError(
      "a filter together with another order of axes or bytes",
      codecs.map(({ name }) => name),
    );
  }
  if (orders.length > 1) throw new PresentError("more than one order of axes", orders);
  const byteOrder = endian === "big" && type.bytes > 1 ? ">" : "<";
  const letter = { int: "i", uint: "u", float: "f" }[type.kind];
  return {
    steps: { type: `${byteOrder}${letter}${type.bytes}`, codecs: [...numbers, ...after] },
    order: orders.length > 0 ? orderOf(orders[0].configuration.order, rank) : null,
  };
}

function orderOf(order: unknown, rank: number): number[] {
  const axes = Array.from({ length: rank }, (_, i) => i);
  if (order === "C") return axes;
  if (order === "F") return axes.reverse();
  const isWhole = Array.isArray(order) && order.length === rank && axes.every((axis) => order.includes(axis));
  if (!isWhole) throw new PresentError("an order of axes that does not name each once", order);
  return order as number[];
}

const chunkCodec = (steps: ChunkSteps): CodecJson => ({ name: CHUNK_CODEC, configuration: { ...steps } });

function stagesIn(steps: ChunkSteps) {
  try {
    return stagesOf(steps);
  } catch (error) {
    throw new PresentError(`a codec cannot be followed: ${(error as Error).message}`, steps.codecs);
  }
}

function boundOf(steps: ChunkSteps, chunkShape: number[], type: ItemType): number {
  const bytes = chunkShape.reduce((a, b) => a * b, givenType(type).bytes);
  return storedSize(stagesIn(steps), { bytes, exact: true }).bytes;
}

function documentOf(
  own: Json,
  shape: number[],
  chunkShape: number[],
  type: ItemType,
  codecs: CodecJson[],
  keys: Json,
): Json {
  return {
    zarr_format: 3,
    node_type: "array",
    shape,
    data_type: typeName(givenType(type)),
    chunk_grid: { name: "regular", configuration: { chunk_shape: chunkShape } },
    chunk_key_encoding: keys,
    codecs,
    fill_value: readFill(own.fill_value, type),
    attributes: {},
  };
}

function numberType(name: unknown): ItemType {
  const type = itemType(name);
  if (!type) throw new PresentError("the array does not hold numbers", name);
  return type;
}

function chunkShapeOf(chunks: unknown, shape: number[]): number[] {
  const fits =
    Array.isArray(chunks) && chunks.length === shape.length && chunks.every((n) => Number.isInteger(n) && n > 0);
  if (!fits || (chunks as number[]).reduce((a, b) => a * b, 1) > MAX_VALUES) {
    throw new PresentError("the array's metadata have no valid chunk shape", chunks);
  }
  return chunks as number[];
}

function codecList(codecs: unknown): CodecJson[] {
  if (!Array.isArray(codecs)) throw new PresentError("the array's metadata name no codecs", codecs);
  return codecs.map((codec) => ({
    name: String(asObject(codec)?.name ?? codec),
    configuration: asObject(asObject(codec)?.configuration) ?? {},
  }));
}

function asObject(value: unknown): Json | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Json) : undefined;
}
