import { productError } from "./bits.js";
import { expOfSum } from "./exp.js";
import { logInParts } from "./log.js";

/** Exact for small whole y as long as the intermediate products are. */
function isOddInteger(y: number): boolean {
  return Math.abs(y) < 2 ** 53 && Math.floor(y) === y && Math.abs(y) % 2 === 1;
}

/**
 * x^y with the special cases of `Math.pow`. Method: e^(y ln x), ln x and the product carried in two parts; below 1 ulp.
 */
export function pow(x: number, y: number): number {
  if (y === 0) return 1;
  if (Number.isNaN(y) || Number.isNaN(x) || (Math.abs(x) === 1 && Math.abs(y) === Infinity)) return NaN;
  if (y === 1) return x;
  if (y === 2) return x * x;
  if (y === 0.5 && x > 0) return Math.sqrt(x);
  const size = Math.abs(x);
  const negative = (x < 0 || Object.is(x, -0)) && isOddInteger(y);
  if (size === 0 || size === Infinity || Math.abs(y) === Infinity) {
    const grows = Math.abs(y) === Infinity ? size > 1 === y > 0 : (size === Infinity) === y > 0;
    const value = grows ? Infinity : 0;
    return negative ? -value : value;
  }
  if (x < 0 && Math.floor(y) !== y) return NaN;
  if (size === 1) return negative ? -1 : 1;
  const [high, low] = logInParts(size);
  const product = y * high;
  const value =
    Math.abs(product) > 800 || Math.abs(y) > 1e290
      ? expOfSum(product, 0)
      : expOfSum(product, error(y, high, product) + y * low);
  return negative ? -value : value;
}

/** The rounding error of y*high; 0 where the factors are too small to be split. */
function error(y: number, high: number, product: number): number {
  return Math.abs(product) < 1e-200 ? 0 : productError(y, high, product);
}
