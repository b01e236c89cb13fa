import { exponentOf, scale } from "./bits.js";

const TWO_OVER_PI = 0.6366197723675814;
/** pi/2 in four parts of 33 bits but the last, so that n times a part is exact for n < 2^20. */
const PIO2_1 = 1.5707963267341256;
const PIO2_2 = 6.077100506303966e-11;
const PIO2_3 = 2.0222662487111665e-21;
const PIO2_4 = 8.4784276603689e-32;
const LARGE = 2 ** 20;

let r = 0;
let rLow = 0;

/** Reduces x to r + rLow in [-pi/4, pi/4] and gives the quadrant (0 to 3). */
function reduce(x: number): number {
  if (Math.abs(x) < 0.7853981633974483) {
    r = x;
    rLow = 0;
    return 0;
  }
  if (Math.abs(x) >= LARGE) return reduceLarge(x);
  const n = Math.round(x * TWO_OVER_PI);
  let head = x - n * PIO2_1;
  let rest = 0;
  for (const product of [n * PIO2_2, n * PIO2_3]) {
    const sum = head - product;
    const part = sum - head;
    rest += head - (sum - part) - (product + part);
    head = sum;
  }
  rest -= n * PIO2_4;
  r = head + rest;
  rLow = head - r + rest;
  return ((n % 4) + 4) % 4;
}

const DIGITS = 1280n;
let halfPi = 0n;

/** pi/2 * 2^DIGITS by Machin's formula pi/4 = 4 atan(1/5) - atan(1/239). */
function halfPiInteger(): bigint {
  if (halfPi) return halfPi;
  const one = 1n << (DIGITS + 32n);
  const atanInverse = (k: bigint): bigint => {
    let term = one / k;
    let sum = term;
    for (let i = 3n; term !== 0n; i += 2n) {
      term /= -k * k;
      sum += term / i;
    }
    return sum;
  };
  halfPi = (2n * (4n * atanInverse(5n) - atanInverse(239n))) >> 32n;
  return halfPi;
}

/** As `reduce`, exactly, in integers: x is m * 2^e, and pi/2 is known to 1280 bits after the point. */
function reduceLarge(x: number): number {
  const e = exponentOf(x) - 52;
  const m = BigInt(scale(x, -e));
  const fixed = e >= 0 ? m << (DIGITS + BigInt(e)) : (m << DIGITS) >> BigInt(-e);
  const unit = halfPiInteger();
  // twice the quotient, to round to the nearest multiple
  let doubled = (2n * fixed) / unit;
  if (fixed < 0n && (2n * fixed) % unit !== 0n) doubled -= 1n;
  const n = (doubled + 1n) >> 1n;
  const rest = fixed - n * unit;
  const shift = DIGITS - 120n;
  const kept = rest >> shift;
  const top = Number(kept >> 53n) * 2 ** 53;
  const bottom = Number(kept - BigInt(top));
  const sum = top + bottom;
  r = sum * 2 ** -120;
  rLow = (top - sum + bottom) * 2 ** -120;
  return Number(((n % 4n) + 4n) % 4n);
}

/** sin(r + rLow), |r| <= pi/4, Taylor series of degree 17. */
function sinSeries(): number {
  const z = r * r;
  const tail =
    z *
    (1 / 120 -
      z *
        (1 / 5040 -
          z *
            (1 / 362880 - z * (1 / 39916800 - z * (1 / 6227020800 - z * (1 / 1307674368000 - z / 355687428096000))))));
  return r + (r * z * (-1 / 6 + tail) + rLow * (1 - z / 2));
}

/** cos(r + rLow), |r| <= pi/4, Taylor series of degree 18. */
function cosSeries(): number {
  const z = r * r;
  const tail =
    z *
    z *
    (1 / 24 -
      z *
        (1 / 720 -
          z *
            (1 / 40320 -
              z *
                (1 / 3628800 -
                  z * (1 / 479001600 - z * (1 / 87178291200 - z * (1 / 20922789888000 - z / 6402373705728000)))))));
  const half = z / 2;
  const head = 1 - half;
  return head + (1 - head - half + (tail - r * rLow));
}

/** Sine of x radians. Method: reduction by pi/2 (four parts; exact integers from 2^20 on), Taylor series; below 1 ulp. */
export function sin(x: number): number {
  if (!Number.isFinite(x)) return NaN;
  if (x === 0) return x;
  const quadrant = reduce(x);
  const value = quadrant % 2 === 0 ? sinSeries() : cosSeries();
  return quadrant > 1 ? -value : value;
}

/** Cosine of x radians. Method: as `sin`. */
export function cos(x: number): number {
  if (!Number.isFinite(x)) return NaN;
  const quadrant = reduce(x);
  const value = quadrant % 2 === 0 ? cosSeries() : sinSeries();
  return quadrant === 1 || quadrant === 2 ? -value : value;
}
