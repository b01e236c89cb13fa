/** Comparisons with the tolerances of the golden folders. */
import type { Comparison } from "./types.js";

export interface Tolerance {
  /** absolute */
  atol: number;
  /** relative to the expected element */
  rtol: number;
  /** relative to the largest expected element of the tensor */
  rtolOfMax?: number;
}

/** Tolerances by what is compared. */
export const TOLERANCES = {
  exact: { atol: 0, rtol: 0 },
  tokens: { atol: 1e-6, rtol: 1e-6 },
  network: { atol: 1e-5, rtol: 1e-4 },
  gradient: { atol: 0, rtol: 1e-3, rtolOfMax: 1e-4 },
  parameter: { atol: 1e-5, rtol: 1e-3 },
  loss: { atol: 0, rtol: 1e-5 },
} as const satisfies Record<string, Tolerance>;

/** Compares two arrays element by element; NaN equals NaN; a length mismatch fails. */
export function compare(
  tensor: string,
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  { atol, rtol, rtolOfMax = 0 }: Tolerance,
): Comparison {
  if (actual.length !== expected.length) {
    return {
      tensor,
      ok: false,
      maxError: Infinity,
      ratio: Infinity,
      detail: `${actual.length} elements, expected ${expected.length}`,
    };
  }
  let largest = 0;
  if (rtolOfMax > 0) for (let i = 0; i < expected.length; i++) largest = Math.max(largest, Math.abs(expected[i]));
  let maxError = 0;
  let ratio = 0;
  let worst = -1;
  for (let i = 0; i < actual.length; i++) {
    const a = actual[i];
    const b = expected[i];
    if (a === b || (Number.isNaN(a) && Number.isNaN(b))) continue;
    const error = Math.abs(a - b);
    const allowed = atol + rtol * Math.abs(b) + rtolOfMax * largest;
    // NaN also where an infinity was expected and another value came.
    const quotient = error / allowed;
    const r = Number.isNaN(quotient) ? Infinity : quotient;
    if (!(error <= maxError)) maxError = error;
    if (r > ratio) {
      ratio = r;
      worst = i;
    }
  }
  const detail = worst < 0 ? undefined : `worst at ${worst}: ${actual[worst]}, expected ${expected[worst]}`;
  return { tensor, ok: ratio <= 1, maxError, ratio, detail };
}

/** A comparison of two plain values by their JSON. */
export function compareJson(tensor: string, actual: unknown, expected: unknown): Comparison {
  const a = JSON.stringify(actual);
  const b = JSON.stringify(expected);
  const ok = a === b;
  return {
    tensor,
    ok,
    maxError: ok ? 0 : Infinity,
    ratio: ok ? 0 : Infinity,
    detail: ok ? undefined : `${a}, expected ${b}`,
  };
}
