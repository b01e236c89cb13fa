/** Linear resampling of grids, as used to coarsen tokens. */

/** For each of `to` points: the lower neighbour among `from` points and the weight of the upper one. */
function axis(from: number, to: number): { lower: Int32Array; weight: Float64Array } {
  const lower = new Int32Array(to);
  const weight = new Float64Array(to);
  for (let i = 0; i < to; i++) {
    const x = Math.max(0, ((i + 0.5) * from) / to - 0.5);
    lower[i] = Math.min(Math.floor(x), from - 1);
    weight[i] = lower[i] === from - 1 ? 0 : x - lower[i];
  }
  return { lower, weight };
}

/**
 * Resamples `x` [n, ny, nx] (n whatever stands before: tokens, times) to [n, ny2, nx2], linearly in both directions,
 * points being centres of equal boxes, beyond the outer centres constant
 * (PyTorch's `interpolate`, `align_corners=False`, the time axis keeping its size).
 */
export function resample(
  x: Float32Array,
  from: readonly [number, number],
  to: readonly [number, number],
): Float32Array {
  const n = x.length / (from[0] * from[1]);
  const out = new Float32Array(n * to[0] * to[1]);
  resampler(from, to)(x, 0, out, 0, n);
  return out;
}

/** The same for many grids: from `x` at `at` into `out` at `to`, `n` of them. */
export function resampler(
  [ny, nx]: readonly [number, number],
  [ny2, nx2]: readonly [number, number],
): (x: Float32Array, at: number, out: Float32Array, to: number, n: number) => void {
  const rows = axis(ny, ny2);
  const columns = axis(nx, nx2);
  return (x, at, out, first, n) => {
    let to = first;
    for (let k = 0; k < n; k++) {
      for (let i = 0; i < ny2; i++) {
        const v = rows.weight[i];
        const row = at + (k * ny + rows.lower[i]) * nx;
        const next = v === 0 ? row : row + nx;
        for (let j = 0; j < nx2; j++) {
          const w = columns.weight[j];
          const c = columns.lower[j];
          const d = w === 0 ? c : c + 1;
          const top = (1 - w) * x[row + c] + w * x[row + d];
          const bottom = (1 - w) * x[next + c] + w * x[next + d];
          out[to++] = (1 - v) * top + v * bottom;
        }
      }
    }
  };
}

/**
 * The grid that a token [ty, tx] is coarsened to: smaller by f = 1 + draw*(maxFactor - 1) in both directions, at least 1 point.
 * @param draw uniform in [0, 1)
 * @param maxFactor `BERT_mr_max`
 */
export function coarseSize(
  [ty, tx]: readonly [number, number],
  draw: number,
  maxFactor: number,
): [ny: number, nx: number] {
  const factor = 1 + draw * (maxFactor - 1);
  return [Math.max(1, Math.round(ty / factor)), Math.max(1, Math.round(tx / factor))];
}
