/** Weighted mean of f(i) over points. */
export function meanOf(length: number, weights: ArrayLike<number> | undefined, f: (i: number) => number): number {
  let sum = 0;
  let total = 0;
  for (let i = 0; i < length; i++) {
    const w = weights ? weights[i] : 1;
    sum += w * f(i);
    total += w;
  }
  return sum / total;
}
