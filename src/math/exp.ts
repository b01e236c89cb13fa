import { productError, scale } from "./bits.js";

/** ln 2 in two parts; the first has 32 trailing zero bits, so its multiples up to 2^11 are exact. */
export const LN2_HIGH = 0.6931471803691238;
export const LN2_LOW = 1.9082149292705877e-10;

/** (e^r - 1 - r) / r^2 by its Taylor series, |r| <= ln(2)/2: the first term left out is below 2^-58. */
function expTail(r: number): number {
  return (
    1 / 2 +
    r *
      (1 / 6 +
        r *
          (1 / 24 +
            r *
              (1 / 120 +
                r *
                  (1 / 720 +
                    r *
                      (1 / 5040 +
                        r *
                          (1 / 40320 +
                            r *
                              (1 / 362880 +
                                r * (1 / 3628800 + r * (1 / 39916800 + r * (1 / 479001600 + r / 6227020800))))))))))
  );
}

/** e^(x + low), x and low together being one number given to more than double precision. */
export function expOfSum(x: number, low: number): number {
  if (Number.isNaN(x)) return x;
  if (x > 710) return Infinity;
  if (x < -746) return 0;
  const k = Math.round(x * Math.LOG2E);
  const high = x - k * LN2_HIGH;
  const rest = low - k * LN2_LOW;
  const r = high + rest;
  const error = high - r + rest;
  return scale(1 + (r + (error + error * r + r * r * expTail(r))), k);
}

/** e^x. Method: reduction by multiples of ln 2 held in two parts, Taylor series of degree 13, exact scaling; below 1 ulp. */
export function exp(x: number): number {
  return expOfSum(x, 0);
}

/** e^x - 1 without cancellation near 0. Method: as `exp`, the 1 being subtracted before the series is added; below 1.5 ulp. */
export function expm1(x: number): number {
  if (Number.isNaN(x) || x === 0) return x;
  if (x > 710) return Infinity;
  if (x < -40) return -1;
  const k = Math.round(x * Math.LOG2E);
  const high = x - k * LN2_HIGH;
  const rest = -k * LN2_LOW;
  const r = high + rest;
  const error = high - r + rest;
  const square = r * r;
  const squareError = Math.abs(r) > 1e-100 ? productError(r, r, square) : 0;
  const cubic = expTail(r) - 0.5;
  const tail = error + error * r + (squareError / 2 + square * cubic);
  if (k === 0) return r + (square / 2 + tail);
  if (k > 56 || k < -56) return scale(1 + (r + (square / 2 + tail)), k) - 1;
  // 2^k (1 + r + ...) - 1 = 2^k ((1 - 2^-k) + r + ...): the bracket's large part is exact for these k
  const unit = scale(1, -k);
  const base = 1 - unit;
  const baseError = 1 - base - unit;
  const sum = base + r;
  const part = sum - base;
  const sumError = base - (sum - part) + (r - part);
  return scale(sum + (sumError + baseError + (square / 2 + tail)), k);
}
