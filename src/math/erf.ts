import { productError } from "./bits.js";
import { exp, expOfSum } from "./exp.js";

const TWO_OVER_SQRT_PI = 1.1283791670955126;
/** 2/sqrt(pi) - TWO_OVER_SQRT_PI */
const TWO_OVER_SQRT_PI_LOW = 1.533545961316588e-17;
const INVERSE_SQRT_TWO_PI = 0.3989422804014327;

/**
 * Chebyshev coefficients of (1 + 2x) e^(x^2) erfc(x) in t = (x - 3.75)/(x + 3.75), x >= 0
 * (form of Shepherd and Laframboise 1981; recomputed with 50 digits).
 */
const SCALED_ERFC = [
  1.1775789345674017, -0.004590054580646478, -0.08424913336651792, 0.05920993999819189, -0.026658668435305753,
  0.009074997670705265, -0.002413163540417608, 0.0004907758365258086, -6.916973302501207e-5, 4.13902798607301e-6,
  7.74038306619849e-7, -2.1886401049234397e-7, 1.076499946567091e-8, 4.521959811218287e-9, -7.754400208831351e-10,
  -6.318088340886684e-11, 2.86879501093067e-11, 1.9455868545777347e-13, -9.65469674843344e-13, 3.25254814814874e-14,
  3.3478119482868056e-14, -1.864562880419313e-15, -1.2507950530688648e-15, 7.418235256624044e-17, 5.068148904796111e-17,
];

/** e^(x^2) erfc(x), x >= 0. */
function scaledErfc(x: number): number {
  const t = (x - 3.75) / (x + 3.75);
  let b = 0;
  let bNext = 0;
  for (let n = SCALED_ERFC.length - 1; n > 0; n--) {
    const kept = b;
    b = 2 * t * b - bNext + SCALED_ERFC[n];
    bNext = kept;
  }
  return (t * b - bNext + SCALED_ERFC[0]) / (1 + 2 * x);
}

/** e^(-x^2/divisor) for a power of two, the rounding error of x^2 being kept. */
function gaussian(x: number, divisor: 1 | 2): number {
  const square = x * x;
  return expOfSum(-square / divisor, -productError(x, x, square) / divisor);
}

/** (-1)^n / (n! (2n+1)), n from 1 */
const TAYLOR = Array.from({ length: 14 }, (_, i) => {
  let factorial = 1;
  for (let k = 2; k <= i + 1; k++) factorial *= k;
  return (i % 2 === 0 ? -1 : 1) / (factorial * (2 * i + 3));
});

/** erf of |x| <= 1/2 by its Taylor series. */
function taylor(x: number): number {
  const z = x * x;
  let sum = 0;
  for (let i = TAYLOR.length - 1; i >= 0; i--) sum = z * (TAYLOR[i] + sum);
  return TWO_OVER_SQRT_PI * x + x * (TWO_OVER_SQRT_PI * sum + TWO_OVER_SQRT_PI_LOW);
}

/** erfc of x > 1/2. */
function upper(x: number): number {
  return x > 28 ? 0 : gaussian(x, 1) * scaledErfc(x);
}

/** Error function. Method: Taylor series up to 1/2, beyond 1 - e^(-x^2) times a Chebyshev series; within 1 ulp and 2e-16. */
export function erf(x: number): number {
  const size = Math.abs(x);
  if (!(size > 0.5)) return taylor(x);
  const value = 1 - upper(size);
  return x < 0 ? -value : value;
}

/** Complementary error function 1 - erf(x), accurate where it is tiny. Method: as `erf`; within 1e-15 relative. */
export function erfc(x: number): number {
  if (!(Math.abs(x) > 0.5)) return 1 - taylor(x);
  return x < 0 ? 2 - upper(-x) : upper(x);
}

/** Standard normal density. */
export function normalPdf(x: number): number {
  return Math.abs(x) > 40 ? 0 : INVERSE_SQRT_TWO_PI * (Math.abs(x) > 1 ? gaussian(x, 2) : exp(-0.5 * x * x));
}

/** Standard normal distribution function, (1 + erf(x/sqrt 2))/2; within 1e-15 relative down to x = -38. */
export function normalCdf(x: number): number {
  if (Math.abs(x) < 1) return 0.5 + 0.5 * erf(x * Math.SQRT1_2);
  if (Number.isNaN(x)) return x;
  const tail = Math.abs(x) > 39 ? 0 : 0.5 * gaussian(x, 2) * scaledErfc(Math.abs(x) * Math.SQRT1_2);
  return x < 0 ? tail : 1 - tail;
}

/** GELU in its exact form, x times the normal distribution function (Hendrycks and Gimpel 2016). */
export function gelu(x: number): number {
  return x === -Infinity ? 0 : x * normalCdf(x);
}
