/** The logarithm of NumPy's normal tail, with the last bits that common C libraries give. */
import { exponentOf, scale } from "../math/bits.js";
import { LN2_HIGH, LN2_LOW } from "../math/exp.js";

/** Minimax coefficients of (ln(1+f) - f + f^2/2 - s*f^2/2)/s in z = s^2, s = f/(2+f); Sun Microsystems' fdlibm, 1993. */
const C1 = 0.6666666666666735;
const C2 = 0.3999999999940942;
const C3 = 0.2857142874366239;
const C4 = 0.22222198432149784;
const C5 = 0.1818357216161805;
const C6 = 0.15313837699209373;
const C7 = 0.14798198605116586;

/**
 * ln(1 - u) for u in [0, 1), in the rounding of fdlibm's method as glibc orders its sums: NumPy takes the tail of its
 * normal numbers from the C library, so a better rounding would differ from it in the last bit of some of them.
 */
export function logOneMinus(u: number): number {
  const x = -u;
  if (u < 2 ** -29) return u < 2 ** -54 ? x : x - x * x * 0.5;
  let f = x;
  let k = 0;
  let lost = 0;
  if (u >= 0.2928934097290039) {
    const y = 1 + x;
    lost = (x - (y - 1)) / y;
    k = exponentOf(y);
    f = scale(y, -k);
    if (f >= 1.4142131805419922) {
      f *= 0.5;
      k += 1;
    }
    f -= 1;
  }
  const half = 0.5 * f * f;
  const s = f / (2 + f);
  const z = s * s;
  const z2 = z * z;
  const z4 = z2 * z2;
  const rest = z * C1 + z2 * (C2 + z * C3) + z4 * (C4 + z * C5) + z4 * z2 * (C6 + z * C7);
  if (k === 0) return f - (half - s * (half + rest));
  if (Math.abs(f) < 2 ** -20) {
    if (f === 0) return k * LN2_HIGH + (lost + k * LN2_LOW);
    const short = half * (1 - 0.6666666666666666 * f);
    return k * LN2_HIGH - (short - (k * LN2_LOW + lost) - f);
  }
  return k * LN2_HIGH - (half - (s * (half + rest) + (k * LN2_LOW + lost)) - f);
}
