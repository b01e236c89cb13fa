/** NumPy's `Generator` over PCG64: the same numbers, in the same order, bit for bit. */
import { AtmorepError } from "../errors.js";
import { Pcg64, type Pcg64State } from "./pcg64.js";
import type { Seed } from "./seedSequence.js";
import { nextNormal } from "./ziggurat.js";

/** State of a generator, JSON-serialisable. */
export type GeneratorState = Pcg64State;

/** A stream of random numbers equal to `numpy.random.Generator(PCG64(seed))`. Make one with `defaultRng`. */
export class Generator {
  private readonly bits: Pcg64;

  constructor(seed: Seed) {
    this.bits = new Pcg64(seed);
  }

  /** One double in [0, 1), or `n` of them: `rng.random()`, `rng.random(n)`. */
  random(): number;
  random(n: number): Float64Array;
  random(n?: number): number | Float64Array {
    if (n === undefined) return this.bits.nextDouble();
    const values = new Float64Array(n);
    for (let i = 0; i < n; i++) values[i] = this.bits.nextDouble();
    return values;
  }

  /** `rng.random(n, dtype=float32)`: takes 32 bits a number; an unused half is kept for the next 32-bit draw. */
  randomFloat32(n: number): Float32Array {
    const values = new Float32Array(n);
    for (let i = 0; i < n; i++) values[i] = (this.bits.next32() >>> 8) / 16777216;
    return values;
  }

  /** `rng.uniform(low, high, n)`: low + (high - low) * random. */
  uniform(low: number, high: number, n: number): Float64Array {
    const values = new Float64Array(n);
    const range = high - low;
    for (let i = 0; i < n; i++) values[i] = low + range * this.bits.nextDouble();
    return values;
  }

  /**
   * `rng.integers(low, high, n)`: whole numbers in [low, high), as int64 in NumPy; at most 2^32 different ones.
   * @throws AtmorepError `usage` if high <= low or the range is wider than 2^32
   */
  integers(low: number, high: number, n: number): Float64Array {
    const range = high - low - 1;
    if (!(range >= 0 && range <= 0xffffffff)) {
      throw new AtmorepError("usage", "integers needs low < high, at most 2^32 apart", { found: [low, high] });
    }
    const values = new Float64Array(n);
    for (let i = 0; i < n; i++) values[i] = low + this.below(range);
    return values;
  }

  /** `rng.standard_normal(n)`; `values` may be a Float32Array, which rounds them. */
  standardNormal(n: number): Float64Array;
  standardNormal<T extends Float32Array | Float64Array>(n: number, values: T): T;
  standardNormal(n: number, values: Float32Array | Float64Array = new Float64Array(n)): Float32Array | Float64Array {
    for (let i = 0; i < n; i++) values[i] = nextNormal(this.bits);
    return values;
  }

  /** `rng.permutation(n)`: 0 to n-1 in random order; or a shuffled copy of an array. */
  permutation(n: number): Int32Array;
  permutation<T>(items: readonly T[]): T[];
  permutation(items: Int32Array): Int32Array;
  permutation<T>(items: number | readonly T[] | Int32Array): T[] | Int32Array {
    if (typeof items === "number") {
      const values = new Int32Array(items);
      for (let i = 0; i < items; i++) values[i] = i;
      this.shuffle(values);
      return values;
    }
    if (items instanceof Int32Array) {
      const values = items.slice();
      this.shuffle(values);
      return values;
    }
    const values = [...items];
    this.shuffle(values);
    return values;
  }

  /** Shuffles in place, from the end (Fisher and Yates). */
  private shuffle<T>(items: T[] | Int32Array): void {
    const list = items as T[];
    for (let i = list.length - 1; i > 0; i--) {
      const j = this.interval(i);
      const kept = list[j];
      list[j] = list[i];
      list[i] = kept;
    }
  }

  /** A whole number in [0, max], max < 2^32: 32 bits cut to the width of max, drawn again while too large. */
  private interval(max: number): number {
    const mask = 0xffffffff >>> Math.clz32(max);
    for (;;) {
      const value = (this.bits.next32() & mask) >>> 0;
      if (value <= max) return value;
    }
  }

  /** A whole number in [0, range], range < 2^32, without bias (Lemire 2019); NumPy uses it for `integers` only. */
  private below(range: number): number {
    if (range === 0) return 0;
    const bits = this.bits;
    if (range === 0xffffffff) return bits.next32();
    const count = range + 1;
    let x = bits.next32();
    let low = Math.imul(x, count) >>> 0;
    if (low < count) {
      const threshold = (0xffffffff - range) % count;
      while (low < threshold) {
        x = bits.next32();
        low = Math.imul(x, count) >>> 0;
      }
    }
    return highProduct(x, count);
  }

  /** The state after the draws made so far. */
  getState(): GeneratorState {
    return this.bits.getState();
  }

  /** Goes on from a saved state. */
  setState(state: GeneratorState): void {
    this.bits.setState(state);
  }
}

/** The upper 32 bits of a 64-bit product of two 32-bit numbers. */
function highProduct(a: number, b: number): number {
  const upper = a * (b >>> 16);
  const lower = a * (b & 0xffff);
  return Math.floor((upper + Math.floor(lower / 65536)) / 65536);
}

/** `numpy.random.default_rng(seed)`. */
export function defaultRng(seed: Seed): Generator {
  return new Generator(seed);
}
