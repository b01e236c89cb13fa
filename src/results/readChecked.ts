/** Arrays of result stores as scores need them: of their shape and kind of number, or refused by name. */
import { AtmorepError } from "../errors.js";
import type { ResultStore } from "./readResults.js";

const FLOATS = /^[<>|]f\d+$/;
/** nanoseconds; zarr-python's own datetimes, and the plain numbers that they are */
const TIMES = /^[<>](i8|M8\[ns\])$/;
const NUMBERS = /^[<>|][fiu]\d+$/;

/** @param shape what it must have; null where it says itself */
export const readFloats = (store: ResultStore, path: string, shape: readonly number[] | null) =>
  readAs<Float32Array>(store, path, shape, FLOATS, "floating-point numbers");

/** Nanoseconds since 1970. */
export const readTimes = (store: ResultStore, path: string, shape: readonly number[] | null) =>
  readAs<BigInt64Array>(store, path, shape, TIMES, "nanoseconds (datetime64[ns])");

/** Numbers of levels, at least `count`: the original gives later fields the first one's. */
export async function readLevels(store: ResultStore, path: string, count: number): Promise<number[]> {
  const levels = await readAs<ArrayLike<number | bigint>>(store, path, null, NUMBERS, "numbers");
  if (levels.length >= count) return Array.from(levels, Number);
  throw new AtmorepError("input", "an array has another shape than the data it belongs to", {
    where: `${store.path}: ${path}`,
    found: levels.length,
    expected: `${count} levels`,
  });
}

async function readAs<T>(
  store: ResultStore,
  path: string,
  shape: readonly number[] | null,
  kind: RegExp,
  expected: string,
): Promise<T> {
  const where = `${store.path}: ${path}`;
  const facts = store.arrays.get(path);
  if (!facts) throw new AtmorepError("input", "an array is missing", { where });
  if (!kind.test(facts.dtype)) {
    throw new AtmorepError("input", "an array holds another kind of number", { where, found: facts.dtype, expected });
  }
  if (shape && facts.shape.join() !== shape.join()) {
    throw new AtmorepError("input", "an array has another shape than the data it belongs to", {
      where,
      found: `[${facts.shape.join(", ")}]`,
      expected: `[${shape.join(", ")}]`,
    });
  }
  return (await store.read(path)) as unknown as T;
}
