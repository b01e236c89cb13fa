/** Tiling a store's grid with windows, and the weights that blend their overlaps. */
import { AtmorepError } from "../errors.js";
import type { AxisTiles } from "../results/globalGrid.js";

/**
 * Windows side by side from the first point on, `overlap` points shared by neighbours. Where they do not fit, a
 * bounded axis has one more window that ends at its last point; on a periodic one the last window goes around.
 * @throws AtmorepError `config` if the window is larger than the axis or the overlap leaves no step
 */
export function axisTiles(length: number, size: number, overlap: number, periodic: boolean): AxisTiles {
  if (size > length || overlap >= size) {
    throw new AtmorepError("config", "the windows cannot tile the grid", {
      where: overlap >= size ? "token_overlap" : "n_size",
      found: `windows of ${size} points that share ${overlap}, ${length} points to cover`,
      expected: `windows of at most ${length} points that share fewer than ${size}`,
    });
  }
  const starts: number[] = [];
  const stride = size - overlap;
  if (periodic) {
    if (size === length) return { starts: [0], size, length, periodic };
    for (let start = 0; start < length; start += stride) starts.push(start);
    // a last window may be needless where the one before reaches around
    while (starts.length > 1 && starts[starts.length - 2] + size >= length + starts[0] + overlap) starts.pop();
  } else {
    for (let start = 0; start + size <= length; start += stride) starts.push(start);
    if (starts[starts.length - 1] + size < length) starts.push(length - size);
  }
  return { starts, size, length, periodic };
}

/**
 * Weight of each point of each window, so that the weights of the windows over a point sum to 1: 1 where one window
 * lies, and in an overlap of k points k/(k+1), ..., 1/(k+1) of the one that ends and the rest of the one that begins.
 * @returns [windows][size]
 */
export function blendWeights({ starts, size, length, periodic }: AxisTiles): Float64Array[] {
  const count = starts.length;
  const ramps = starts.map((start, i) => {
    const before =
      i > 0 ? starts[i - 1] + size - start : periodic && count > 1 ? starts[count - 1] + size - length - start : 0;
    const next = i + 1 < count ? starts[i + 1] : periodic && count > 1 ? starts[0] + length : Number.POSITIVE_INFINITY;
    const [rise, fall] = [Math.max(0, before), Math.max(0, start + size - next)];
    return Float64Array.from({ length: size }, (_, k) =>
      Math.min(k < rise ? (k + 1) / (rise + 1) : 1, size - k <= fall ? (size - k) / (fall + 1) : 1),
    );
  });
  const sums = new Float64Array(length);
  for (const [i, ramp] of ramps.entries()) {
    for (let k = 0; k < size; k++) sums[(starts[i] + k) % length] += ramp[k];
  }
  return ramps.map((ramp, i) => ramp.map((weight, k) => weight / sums[(starts[i] + k) % length]));
}
