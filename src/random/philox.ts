/**
 * Counter-based random numbers (Philox 4x32-10; Salmon et al. 2011): nothing is kept between calls.
 * Key and counter come from a seed of two numbers as in TensorFlow's stateless random operations.
 */

/** What the two halves of the key grow by from round to round. */
export const WEYL = [0x9e3779b9, 0xbb67ae85] as const;
/** Key with which TensorFlow makes key and counter of a seed. */
export const SEED_KEY = [0x3ec8f720, 0x02461e29] as const;
/** Numbers that are made at once. */
export const BLOCK = 4;

const [WEYL_0, WEYL_1] = WEYL;

/** Factors of the two products of a round. */
export const FACTORS = [0xd2511f53, 0xcd9e8d57] as const;
export const ROUNDS = 10;
/** Bits of a block's 32 that become a number's mantissa. */
export const RANDOM_BITS = 0x7fffff;

/** Results of the last block. */
let r0 = 0;
let r1 = 0;
let r2 = 0;
let r3 = 0;

/** Ten rounds on one counter; products of 32 bits from 16-bit halves, all in integers. */
function block(x0: number, x1: number, x2: number, x3: number, key0: number, key1: number): void {
  let k0 = key0;
  let k1 = key1;
  for (let round = 0; round < ROUNDS; round++) {
    // 0xd2511f53 * x0
    let low = x0 & 0xffff;
    let high = x0 >>> 16;
    let cross = Math.imul(0x1f53, high) + (Math.imul(0x1f53, low) >>> 16);
    let middle = Math.imul(0xd251, low);
    let carry = ((cross & 0xffff) + (middle & 0xffff)) >>> 16;
    const high0 = (Math.imul(0xd251, high) + (cross >>> 16) + (middle >>> 16) + carry) | 0;
    const low0 = Math.imul(0xd2511f53, x0);
    // 0xcd9e8d57 * x2
    low = x2 & 0xffff;
    high = x2 >>> 16;
    cross = Math.imul(0x8d57, high) + (Math.imul(0x8d57, low) >>> 16);
    middle = Math.imul(0xcd9e, low);
    carry = ((cross & 0xffff) + (middle & 0xffff)) >>> 16;
    const high2 = (Math.imul(0xcd9e, high) + (cross >>> 16) + (middle >>> 16) + carry) | 0;
    const low2 = Math.imul(0xcd9e8d57, x2);
    x0 = high2 ^ x1 ^ k0;
    x1 = low2;
    x2 = high0 ^ x3 ^ k1;
    x3 = low0;
    k0 = (k0 + WEYL_0) | 0;
    k1 = (k1 + WEYL_1) | 0;
  }
  r0 = x0;
  r1 = x1;
  r2 = x2;
  r3 = x3;
}

/** Lower and upper 32 bits of a whole number as int64. */
function words(seed: number): [low: number, high: number] {
  return [seed | 0, Math.floor(seed / 4294967296) | 0];
}

/** Key, and upper half of the counter, of the numbers of a seed; the counter's lower half is the number of the block. */
export function streamOf(seed: readonly [number, number]): { key: [number, number]; counter: [number, number] } {
  const [a, b] = words(seed[0]);
  const [c, d] = words(seed[1]);
  block(a, b, c, d, ...SEED_KEY);
  return { key: [r0, r1], counter: [r2, r3] };
}

/**
 * `n` float32 numbers uniform in [0, 1) with 23 random bits each: `tf.random.stateless_uniform([n], seed)` with the Philox algorithm.
 * @param seed two whole numbers
 */
export function statelessUniform(n: number, seed: readonly [number, number]): Float32Array {
  const {
    key: [k0, k1],
    counter: [c2, c3],
  } = streamOf(seed);
  const padded = new Float32Array(Math.ceil(n / 4) * 4);
  const bits = new Uint32Array(padded.buffer);
  for (let i = 0, counter = 0; i < n; i += 4, counter++) {
    block(counter | 0, 0, c2, c3, k0, k1);
    // 1.mantissa is in [1, 2)
    bits[i] = 0x3f800000 | (r0 & RANDOM_BITS);
    bits[i + 1] = 0x3f800000 | (r1 & RANDOM_BITS);
    bits[i + 2] = 0x3f800000 | (r2 & RANDOM_BITS);
    bits[i + 3] = 0x3f800000 | (r3 & RANDOM_BITS);
  }
  for (let i = 0; i < n; i++) padded[i] -= 1;
  return padded.length === n ? padded : padded.slice(0, n);
}
