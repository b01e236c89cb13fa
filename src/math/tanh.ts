import { expm1 } from "./exp.js";

/** Hyperbolic tangent. Method: t/(t+2) with t = expm1(2|x|); below 2 ulp. */
export function tanh(x: number): number {
  if (Number.isNaN(x) || x === 0) return x;
  const size = Math.abs(x);
  if (size > 22) return x < 0 ? -1 : 1;
  const t = size < 1 ? expm1(-2 * size) : expm1(2 * size);
  const value = size < 1 ? -t / (t + 2) : 1 - 2 / (t + 2);
  return x < 0 ? -value : value;
}
