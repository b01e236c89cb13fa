/** One array of a store, read by whole chunks through the shared cache. */
import { AtmorepError } from "../../errors.js";
import type { Chunk, SharedChunks, Values } from "../cache/sharedChunks.js";
import { Loan, MAX_VALUES } from "../codecs/index.js";
import { itemType, type Numbers, numbersOf } from "../codecs/types.js";
import { type ChunkReader, openChunks, type RawChunk } from "./chunks.js";
import type { ArrayFacts, MetadataStore } from "./metadata.js";

export type { Chunk, Values };

/** A numeric array whose chunks are decoded whole, in C order. */
export interface ChunkedArray {
  name: string;
  shape: readonly number[];
  chunkShape: readonly number[];
  /** float64 where float32 would not hold the store's numbers: float64, integers of 4 and 8 bytes; else float32 */
  itemBytes: 4 | 8;
  /**
   * Values of one chunk, of the full chunk shape also at the array's edge. Release it when they have been used.
   * @throws AtmorepError (input) naming the chunk's file
   */
  chunk(coords: readonly number[]): Promise<Chunk>;
}

/** @throws AtmorepError (input) if an array that is read whole could not be held */
function assertHoldable(name: string, shape: readonly number[]): void {
  if (product(shape) <= MAX_VALUES) return;
  throw new AtmorepError("input", "the array is too large to be read whole", {
    where: name,
    found: shape,
    expected: `at most ${MAX_VALUES} values`,
    fix: "Copy or write the store again",
  });
}

/**
 * Opens an array for reading.
 * @param cache where its chunks are kept, made for its name; null: each is decoded whenever it is asked for
 * @throws AtmorepError (input) for a codec or a type that cannot be read
 */
export async function openArray(
  store: MetadataStore,
  facts: ArrayFacts,
  location: string,
  cache: SharedChunks | null,
): Promise<ChunkedArray> {
  const { name } = facts;
  const { shape, chunkShape, type, rawChunk } = await openRaw(store, facts, location);
  const itemBytes = needsDouble(type) ? 8 : 4;
  const length = product(chunkShape);
  const load = async (coords: readonly number[], into: Values) => {
    // Only values of this type are decoded in place; they come in C order but for transposed arrays.
    const room = type === "float32" || type === "float64" ? bytesOf(into) : undefined;
    const loan = new Loan();
    try {
      const { data, stride } = await rawChunk(coords, { into: room, lend: loan.take });
      const values = asFloats(data, itemBytes);
      const there = values.buffer === into.buffer && values.byteOffset === into.byteOffset;
      if (isCOrder(stride, chunkShape)) {
        if (!there) into.set(values);
      } else {
        toCOrder(there ? values.slice() : values, stride, chunkShape, into);
      }
    } finally {
      loan.giveBack();
    }
  };
  const grid = shape.map((n, i) => Math.max(1, Math.ceil(n / chunkShape[i])));
  const places = stridesOf(grid);
  return {
    name,
    shape,
    chunkShape,
    itemBytes,
    async chunk(coords) {
      if (!cache) {
        const values = itemBytes === 8 ? new Float64Array(length) : new Float32Array(length);
        await load(coords, values);
        return { values, release() {} };
      }
      const index = coords.reduce((sum, c, axis) => sum + c * places[axis], 0);
      return cache.hold({ name, index, length, itemBytes, load: (into) => load(coords, into) });
    },
  };
}

const bytesOf = ({ buffer, byteOffset, byteLength }: Values) => new Uint8Array(buffer, byteOffset, byteLength);

/** All values of a one-dimensional integer array. */
export async function readIntegers(store: MetadataStore, facts: ArrayFacts, location: string): Promise<BigInt64Array> {
  const { shape, chunkShape, rawChunk } = await openRaw(store, facts, location);
  assertHoldable(`${location}: ${facts.name}`, shape);
  const out = new BigInt64Array(shape[0]);
  for (let c = 0; c * chunkShape[0] < shape[0]; c++) {
    const { data } = await rawChunk([c]);
    const start = c * chunkShape[0];
    for (let i = 0; i < chunkShape[0] && start + i < shape[0]; i++) {
      const value = data[i];
      if (typeof value !== "bigint" && !Number.isInteger(value)) {
        throw new AtmorepError("input", "a time is not a whole number", {
          where: `${location}: ${facts.name}[${start + i}]`,
          found: String(value),
        });
      }
      out[start + i] = BigInt(value);
    }
  }
  return out;
}

/** All values of an array, in C order. Meant for the small ones: axes and global normalisation. */
export async function readAll(array: ChunkedArray): Promise<Float64Array> {
  const { shape, chunkShape } = array;
  assertHoldable(array.name, shape);
  const out = new Float64Array(product(shape));
  const stride = stridesOf(chunkShape);
  for (const coords of chunksOf(shape, chunkShape)) {
    const { values, release } = await array.chunk(coords);
    placeChunk({ data: values, stride }, coords, chunkShape, out, shape);
    release();
  }
  return out;
}

/**
 * All values of an array in its own type and in C order; datetimes as int64 of their unit.
 * @throws AtmorepError (input) for metadata that cannot be followed, or naming the file of a chunk that is damaged
 */
export async function readNumbers(store: MetadataStore, facts: ArrayFacts, location: string): Promise<Numbers> {
  const { shape, chunkShape, type, rawChunk } = await openRaw(store, facts, location);
  assertHoldable(`${location}: ${facts.name}`, shape);
  // float16 comes as float32
  const item = itemType(type)!;
  const Numbers = numbersOf(item)!;
  if (shape.every((n, i) => n === chunkShape[i])) {
    const { data, stride } = await rawChunk(shape.map(() => 0));
    if (isCOrder(stride, shape)) return data as Numbers;
  }
  const length = product(shape);
  const out = new Numbers(new ArrayBuffer(length * item.bytes), 0, length);
  for (const coords of chunksOf(shape, chunkShape)) placeChunk(await rawChunk(coords), coords, chunkShape, out, shape);
  return out;
}

/** Coordinates of all chunks. */
function* chunksOf(shape: readonly number[], chunkShape: readonly number[]): Generator<number[]> {
  const grid = shape.map((n, i) => Math.ceil(n / chunkShape[i]));
  for (let c = 0; c < product(grid); c++) yield unravel(c, grid);
}

type Writable = { [index: number]: number | bigint };

/** Copies what of a chunk lies within an array to its place there. */
function placeChunk(
  { data, stride }: RawChunk,
  coords: readonly number[],
  chunkShape: readonly number[],
  out: Writable,
  shape: readonly number[],
): void {
  const strides = stridesOf(shape);
  if (shape.length === 0) out[0] = data[0];
  const copy = (axis: number, from: number, to: number): void => {
    const start = coords[axis] * chunkShape[axis];
    const count = Math.min(chunkShape[axis], shape[axis] - start);
    for (let i = 0; i < count; i++) {
      const source = from + i * stride[axis];
      const target = to + (start + i) * strides[axis];
      if (axis === shape.length - 1) out[target] = data[source];
      else copy(axis + 1, source, target);
    }
  };
  if (shape.length > 0) copy(0, 0, 0);
}

async function openRaw(store: MetadataStore, facts: ArrayFacts, location: string): Promise<ChunkReader> {
  return openChunks(store, facts, location);
}

/** Times in seconds and packed values of 4 bytes have more digits than float32. */
const needsDouble = (type: string): boolean => /64$|^u?int32$/.test(type);

function asFloats(data: RawChunk["data"], itemBytes: 4 | 8): Values {
  if (data instanceof Float32Array || data instanceof Float64Array) return data;
  const out = itemBytes === 8 ? new Float64Array(data.length) : new Float32Array(data.length);
  for (let i = 0; i < data.length; i++) out[i] = Number(data[i]);
  return out;
}

function isCOrder(stride: readonly number[], shape: readonly number[]): boolean {
  return stridesOf(shape).every((s, i) => s === stride[i] || shape[i] === 1);
}

function toCOrder(values: Values, stride: readonly number[], shape: readonly number[], out: Values): void {
  const index = new Int32Array(shape.length);
  for (let i = 0; i < out.length; i++) {
    let source = 0;
    for (let axis = 0; axis < shape.length; axis++) source += index[axis] * stride[axis];
    out[i] = values[source];
    for (let axis = shape.length - 1; axis >= 0 && ++index[axis] === shape[axis]; axis--) index[axis] = 0;
  }
}

/** The largest number of some things, 0 of none; of more things than a call takes arguments, too. */
export function mostOf<T>(things: Iterable<T>, of: (thing: T) => number): number {
  let most = 0;
  for (const thing of things) most = Math.max(most, of(thing));
  return most;
}

export const product = (numbers: readonly number[]): number => numbers.reduce((a, b) => a * b, 1);

/** Strides of a C-ordered array. */
export function stridesOf(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length);
  let step = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = step;
    step *= shape[axis];
  }
  return strides;
}

export function unravel(index: number, shape: readonly number[]): number[] {
  const coords = new Array<number>(shape.length);
  let rest = index;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    coords[axis] = rest % shape[axis];
    rest = Math.floor(rest / shape[axis]);
  }
  return coords;
}
