/** Student's t distribution, whole degrees of freedom (Abramowitz and Stegun 1964, 26.7.3 and 26.7.4: finite sums). */

/** arctan(x), x >= 0: the angle is halved until the series is short. */
function arctan(x: number): number {
  let halved = x;
  let scale = 1;
  while (halved > 0.1) {
    halved /= 1 + Math.sqrt(1 + halved * halved);
    scale *= 2;
  }
  let sum = 0;
  for (let k = 19; k >= 1; k -= 2) sum = 1 / k - halved * halved * sum;
  return scale * halved * sum;
}

/** Probability of -t to t, for t >= 0 and whole `freedom` >= 1. */
export function studentInner(t: number, freedom: number): number {
  if (t === Number.POSITIVE_INFINITY) return 1;
  // of the angle arctan(t / sqrt(freedom))
  const cosine = Math.sqrt(freedom / (freedom + t * t));
  const sine = t / Math.sqrt(freedom + t * t);
  const odd = freedom % 2 === 1;
  let term = odd ? cosine : 1;
  let sum = freedom === 1 ? 0 : term;
  for (let k = odd ? 3 : 2; k < freedom; k += 2) {
    term *= ((k - 1) / k) * cosine * cosine;
    sum += term;
  }
  return odd ? (2 / Math.PI) * (arctan(t / Math.sqrt(freedom)) + sine * sum) : sine * sum;
}

/** The t with probability `level` between -t and t, 0 < level < 1; by bisection to rounding. */
export function studentBound(level: number, freedom: number): number {
  let [low, high] = [0, 1];
  while (studentInner(high, freedom) < level) high *= 2;
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (studentInner(middle, freedom) < level) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}
