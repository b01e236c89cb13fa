import { productError } from "./bits.js";
import { exp, expOfSum } from "./exp.js";

const TWO_OVER_SQRT_PI = 1.1283791670955126;
const INVERSE_SQRT_PI = 0.5641895835477563;
const INVERSE_SQRT_TWO_PI = 0.3989422804014327;

/** e^(-x^2), the rounding error of x^2 being kept. */
function gaussian(x: number): number {
  const square = x * x;
  return expOfSum(-square, x > 1e-100 ? -productError(x, x, square) : 0);
}

/** erf of 0 <= x < 2.5: 2/sqrt(pi) e^(-x^2) sum of 2^n x^(2n+1)/(2n+1)!!, all terms positive. */
function series(x: number): number {
  const square = 2 * x * x;
  let term = x;
  let sum = 0;
  for (let n = 1; term > sum * 1e-18; n++) {
    sum += term;
    term *= square / (2 * n + 1);
  }
  return TWO_OVER_SQRT_PI * gaussian(x) * sum;
}

/** erfc of x >= 2: Laplace's continued fraction x + (1/2)/(x + 1/(x + (3/2)/(x + ...))), from its far end. */
function fraction(x: number): number {
  if (x > 28) return 0;
  let value = x;
  for (let k = Math.ceil(30 + 200 / x); k > 0; k--) value = x + k / 2 / value;
  return (INVERSE_SQRT_PI * gaussian(x)) / value;
}

/** Error function. Method: a series of positive terms below 2.5, the continued fraction of erfc above; within 1e-15. */
export function erf(x: number): number {
  if (Number.isNaN(x)) return x;
  const size = Math.abs(x);
  const value = size < 2.5 ? series(size) : 1 - fraction(size);
  return x < 0 ? -value : value;
}

/** Complementary error function 1 - erf(x), accurate where it is tiny. Method: as `erf`; within 4e-15 relative. */
export function erfc(x: number): number {
  if (Number.isNaN(x)) return x;
  if (x < 2) return 1 - erf(x);
  return fraction(x);
}

/** Standard normal density. */
export function normalPdf(x: number): number {
  return INVERSE_SQRT_TWO_PI * exp(-0.5 * x * x);
}

/** Standard normal distribution function, (1 + erf(x/sqrt 2))/2. */
export function normalCdf(x: number): number {
  return x < -1 ? 0.5 * erfc(-x * Math.SQRT1_2) : 0.5 + 0.5 * erf(x * Math.SQRT1_2);
}

/** GELU in its exact form, x times the normal distribution function (Hendrycks and Gimpel 2016). */
export function gelu(x: number): number {
  return x * normalCdf(x);
}
