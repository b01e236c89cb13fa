/** Many tests at once: how many of those that look significant are so by chance. */
import { AtmorepError } from "../../errors.js";

/**
 * p values adjusted after Benjamini and Hochberg, Journal of the Royal Statistical Society B 57 (1995): rejecting those
 * at or below q keeps the expected share of false ones among the rejected at q, for tests that are independent or
 * positively dependent, as those of neighbouring levels and leads are (Wilks, Bulletin of the American Meteorological
 * Society 97 (2016), for atmospheric fields).
 *
 * @param pValues of the tests, 0 to 1, in any order
 * @returns as many, in the same order
 * @throws {AtmorepError} `usage` for a number that is no probability
 */
export function benjaminiHochberg(pValues: ArrayLike<number>): Float64Array {
  const p = Float64Array.from(pValues);
  const bad = p.find((x) => !(x >= 0 && x <= 1));
  if (bad !== undefined) {
    throw new AtmorepError("usage", "not a p value", { where: "benjaminiHochberg", found: bad, expected: "0 to 1" });
  }
  const order = [...p.keys()].sort((a, b) => p[b] - p[a]);
  const adjusted = new Float64Array(p.length);
  let least = 1;
  for (const [i, at] of order.entries()) {
    // a factor of at least one, so that nothing gets smaller by rounding
    least = Math.min(least, p[at] * (p.length / (p.length - i)));
    adjusted[at] = least;
  }
  return adjusted;
}
