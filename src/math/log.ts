import { exponentOf, productError, scale } from "./bits.js";
import { LN2_HIGH, LN2_LOW } from "./exp.js";

const TWO_54 = 18014398509481984;

/** (atanh(s)/s - 1)/s^2 - 1/3, as a function of z = s^2 <= 0.0295, by its series. */
function atanhTail(z: number): number {
  return (
    z *
    (1 / 5 +
      z *
        (1 / 7 +
          z *
            (1 / 9 + z * (1 / 11 + z * (1 / 13 + z * (1 / 15 + z * (1 / 17 + z * (1 / 19 + z * (1 / 21 + z / 23)))))))))
  );
}

const THIRD = 1 / 3;
/** 1/3 - THIRD */
const THIRD_LOW = 1.850371707708594e-17;

/** The low part of the last `logParts`; a module variable, so that no object is made for each call. */
let low = 0;

/**
 * ln((f + fLow + 1) * 2^k) as an unevaluated sum, returned high part with the low part in `low`; about 2^-68 relative.
 * Method: s = f/(2+f), ln = 2 atanh(s): s, s^3/3 in doubled precision, the rest of the series in single.
 */
function logParts(f: number, fLow: number, k: number): number {
  const denominator = 2 + f;
  const denominatorLow = 2 - denominator + f + fLow;
  const s = f / denominator;
  const p = s * denominator;
  const sLow = (f - p - productError(s, denominator, p) + fLow - s * denominatorLow) / denominator;
  const z = s * s;
  const zLow = productError(s, s, z) + 2 * s * sLow;
  // cubic = s*z/3 in two parts
  const c = s * z;
  const cLow = productError(s, z, c) + s * zLow + sLow * z;
  const t = c * THIRD;
  const tLow = productError(c, THIRD, t) + c * THIRD_LOW + cLow * THIRD;
  const rest = c * atanhTail(z);
  // 2s + 2t + 2rest
  const a = s + t;
  const aLow = s - a + t + (sLow + tLow + rest);
  const base = k * LN2_HIGH;
  const high = base + 2 * a;
  const part = high - base;
  const lowSum = base - (high - part) + (2 * a - part) + (2 * aLow + k * LN2_LOW);
  const sum = high + lowSum;
  low = high - sum + lowSum;
  return sum;
}

/** Logarithm of a positive finite x, as {@link logParts} gives it: x = m*2^k with m near 1. */
function reduced(x: number): number {
  const subnormal = x < 2.2250738585072014e-308;
  const y = subnormal ? x * TWO_54 : x;
  let k = exponentOf(y);
  let m = scale(y, -k);
  if (m > Math.SQRT2) {
    m /= 2;
    k += 1;
  }
  return logParts(m - 1, 0, subnormal ? k - 54 : k);
}

/** Logarithm of a positive finite x as an unevaluated sum `[high, low]`; for `pow`. */
export function logInParts(x: number): [high: number, low: number] {
  const high = reduced(x);
  return [high, low];
}

/** Natural logarithm. Method: x = m*2^k, m near 1, ln m = 2 atanh((m-1)/(m+1)) with its large terms in two parts; within 0.51 ulp. */
export function log(x: number): number {
  if (Number.isNaN(x) || x === Infinity) return x;
  if (x <= 0) return x === 0 ? -Infinity : NaN;
  return reduced(x);
}

/** ln(1 + x) without cancellation near 0. Method: as `log`, the rounding error of 1 + x being carried along; within 0.51 ulp. */
export function log1p(x: number): number {
  if (Number.isNaN(x) || x === Infinity) return x;
  if (x <= -1) return x === -1 ? -Infinity : NaN;
  if (Math.abs(x) < 1e-30) return x;
  if (x > -0.29 && x < 0.41) return logParts(x, 0, 0);
  if (x > 1e300) return log(x);
  const y = 1 + x;
  const part = y - 1;
  const error = 1 - (y - part) + (x - part);
  let k = exponentOf(y);
  let m = scale(y, -k);
  if (m > Math.SQRT2) {
    m /= 2;
    k += 1;
  }
  return logParts(m - 1, scale(error, -k), k);
}
