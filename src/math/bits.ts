/** Bits of a double: the only place that looks inside a number. */

const float = new Float64Array(1);
const words = new Uint32Array(float.buffer);
float[0] = 1;
const HIGH = words[1] === 0x3ff00000 ? 1 : 0;

/** Exponent e of a normal x = m * 2^e, 1 <= |m| < 2. */
export function exponentOf(x: number): number {
  float[0] = x;
  return ((words[HIGH] >>> 20) & 0x7ff) - 1023;
}

/** 2^e, exact, for -1022 <= e <= 1023. */
function powerOfTwo(e: number): number {
  words[HIGH] = (e + 1023) << 20;
  words[1 - HIGH] = 0;
  return float[0];
}

/** x * 2^k with one rounding at most, also where the result is subnormal or overflows. */
export function scale(x: number, k: number): number {
  if (k > 1023) return x * powerOfTwo(1023) * powerOfTwo(Math.min(k - 1023, 1023));
  if (k < -1022) return k < -1100 ? x * 0 : x * powerOfTwo(k + 100) * powerOfTwo(-100);
  return x * powerOfTwo(k);
}

/** Upper 26 bits of x's significand, |x| < 2^996, so that products of two such halves are exact (Veltkamp 1968). */
function topHalf(x: number): number {
  const spread = 134217729 * x;
  return spread - (spread - x);
}

/** Rounding error of a*b, so that a*b + the result is the exact product (Dekker 1971); no over- or underflow. */
export function productError(a: number, b: number, product: number): number {
  const aHigh = topHalf(a);
  const bHigh = topHalf(b);
  const aLow = a - aHigh;
  const bLow = b - bHigh;
  return aLow * bLow - (product - aHigh * bHigh - aLow * bHigh - aHigh * bLow);
}
