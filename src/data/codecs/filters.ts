/**
 * Filters of numcodecs that change numbers: each looks at the bytes as numbers of its own type, as numcodecs does.
 * Computed as NumPy computes them, so that the bits are the same (numcodecs 0.16: delta.py, fixedscaleoffset.py, ...).
 */
import { refuse, type Size, type Stage } from "./stage.js";
import { bytesOf, type ItemType, isHalf, itemType, type Numbers, numbersOf, view } from "./types.js";
import { unshuffle } from "./unshuffle.js";

type Configuration = Record<string, unknown>;

/** The types a filter reads (`stored`) and gives (`decoded`). */
interface Types {
  decoded: ItemType;
  stored: ItemType;
}

/** @throws Error if the metadata name no types, or float16 */
function typesOf(decoded: unknown, stored: unknown): Types {
  const types = { decoded: itemType(decoded), stored: itemType(stored ?? decoded) };
  for (const [type, name] of [
    [types.decoded, decoded],
    [types.stored, stored ?? decoded],
  ] as const) {
    if (type === null || isHalf(type)) throw refuse(`a filter on ${String(name)}, which is not supported`);
  }
  return types as Types;
}

const scaled = (size: Size, { decoded, stored }: Types): Size => ({
  bytes: (size.bytes / decoded.bytes) * stored.bytes,
  exact: size.exact,
});

/** A filter that maps stored numbers to decoded ones, in their order. */
function numberStage(name: string, types: Types, decode: (from: Numbers, to: Numbers) => void): Stage {
  const Decoded = numbersOf(types.decoded)!;
  return {
    name,
    types,
    encoded: (size) => scaled(size, types),
    decode(bytes) {
      const from = view(bytes, types.stored);
      const to = new Decoded(new ArrayBuffer(from.length * types.decoded.bytes), 0, from.length);
      decode(from, to);
      return bytesOf(to, types.decoded);
    },
  };
}

/** Differences: summed up in the decoded type, one after the other. */
export function deltaStage(name: string, { dtype, astype }: Configuration): Stage {
  const types = typesOf(dtype, astype);
  if (types.stored.kind === "float" && types.decoded.kind !== "float") throw refuse("differences of float as integers");
  return numberStage(name, types, (from, to) => {
    if (to instanceof BigInt64Array || to instanceof BigUint64Array) {
      let sum = 0n;
      for (let i = 0; i < to.length; i++) {
        sum += BigInt(from[i]);
        to[i] = sum;
        sum = to[i] as bigint;
      }
      return;
    }
    let sum = 0;
    for (let i = 0; i < to.length; i++) {
      to[i] = sum + (to instanceof Float64Array ? Number(from[i]) : asOf(to, from[i]));
      sum = to[i];
    }
  });
}

const one = new Float32Array(1);
/** A number as an array of float32 holds it; integers wrap by themselves. */
function asOf(to: Exclude<Numbers, BigInt64Array | BigUint64Array>, value: number | bigint): number {
  if (!(to instanceof Float32Array)) return Number(value);
  one[0] = Number(value);
  return one[0];
}

/** `stored / scale + offset`, in float32 where float32 is stored, else in float64. */
export function fixedScaleOffsetStage(name: string, { dtype, astype, scale, offset }: Configuration): Stage {
  if (typeof scale !== "number" || typeof offset !== "number") throw refuse("fixedscaleoffset without scale or offset");
  return numberStage(name, typesOf(dtype, astype), (from, to) => {
    const single = from instanceof Float32Array;
    const [divisor, shift] = single ? [Math.fround(scale), Math.fround(offset)] : [scale, offset];
    const put = putter(to);
    for (let i = 0; i < from.length; i++) {
      const value = Number(from[i]) / divisor;
      put(i, single ? Math.fround(Math.fround(value) + shift) : value + shift);
    }
  });
}

/** numcodecs' astype and quantize: another type, the same numbers. */
export function castStage(name: string, decoded: unknown, stored: unknown): Stage {
  return numberStage(name, typesOf(decoded, stored), (from, to) => {
    const put = putter(to);
    for (let i = 0; i < from.length; i++) put(i, from[i]);
  });
}

/** Writes a number as C's cast does: towards zero. @throws Error where C does not say what comes out */
function putter(to: Numbers): (i: number, value: number | bigint) => void {
  if (to instanceof Float32Array || to instanceof Float64Array) {
    return (i, value) => {
      to[i] = Number(value);
    };
  }
  return (i, value) => {
    const whole = typeof value === "bigint" ? value : Math.trunc(value);
    if (typeof whole === "number" && !Number.isFinite(whole)) throw refuse(`${value} is no whole number`);
    if (to instanceof BigInt64Array || to instanceof BigUint64Array) to[i] = BigInt(whole);
    else to[i] = Number(whole);
    if (BigInt(to[i]) !== BigInt(whole)) throw refuse(`${value} does not fit the type of the array`);
  };
}

/** numcodecs' shuffle. */
export function shuffleStage(name: string, { elementsize = 4 }: Configuration): Stage {
  const size = elementsize as number;
  if (!Number.isInteger(size) || size < 0 || size > 255) throw refuse(`shuffle with elements of ${elementsize} bytes`);
  return {
    name,
    encoded: (bytes) => bytes,
    decode(bytes) {
      if (size <= 1) return bytes;
      if (bytes.length % size !== 0) throw refuse(`${bytes.length} bytes are no whole elements of ${size}`);
      const out = new Uint8Array(bytes.length);
      unshuffle(bytes.byteOffset % 4 === 0 ? bytes : bytes.slice(), out, size);
      return out;
    },
  };
}

/** Steps that lost precision when the chunk was written: nothing to undo. */
export const nothingStage = (name: string): Stage => ({
  name,
  same: true,
  encoded: (size) => size,
  decode: (bytes) => bytes,
});
