/** Power along latitude circles. */
import { AtmorepError } from "../errors.js";
import { cos, sin } from "../math/index.js";

export type Spectrum = { power: Float64Array } | { refused: string };

/** Whether equally spaced longitudes go once around the globe, to within 1 % of their spacing. */
export function isPeriodic(longitudes: ArrayLike<number>): boolean {
  const n = longitudes.length;
  if (n < 2) return false;
  const spacing = (longitudes[n - 1] - longitudes[0]) / (n - 1);
  for (let i = 1; i < n; i++) {
    if (Math.abs(longitudes[i] - longitudes[i - 1] - spacing) > 0.01 * Math.abs(spacing)) return false;
  }
  return Math.abs(n * Math.abs(spacing) - 360) < 0.01 * Math.abs(spacing);
}

/**
 * Zonal power spectrum: the share of each wavenumber in the mean square along a row, averaged over rows.
 *
 * power[0] is the squared zonal mean; power[k] sums both signs of wavenumber k, so the powers sum to the mean square.
 * @param values [H, W]
 * @param longitudes [W] degrees; windows that do not go around the globe are refused
 * @param rowWeights [H], such as `latitudeWeights`
 * @returns power [floor(W/2) + 1] in squared units of the values
 */
export function zonalPowerSpectrum(
  values: ArrayLike<number>,
  longitudes: ArrayLike<number>,
  rowWeights?: ArrayLike<number>,
): Spectrum {
  const W = longitudes.length;
  const H = values.length / W;
  if (!Number.isInteger(H) || H < 1 || (rowWeights && rowWeights.length !== H)) {
    throw new AtmorepError("usage", "values do not fill whole rows", {
      where: "zonalPowerSpectrum",
      found: values.length,
      expected: `a multiple of ${W} longitudes${rowWeights ? `, ${rowWeights.length} rows` : ""}`,
    });
  }
  if (!isPeriodic(longitudes)) {
    return { refused: "the window is not periodic in longitude, so its waves have no zonal wavenumber" };
  }
  const angle = (2 * Math.PI) / W;
  const cosines = Float64Array.from({ length: W }, (_, i) => cos(i * angle));
  const sines = Float64Array.from({ length: W }, (_, i) => sin(i * angle));
  const power = new Float64Array(Math.floor(W / 2) + 1);
  let total = 0;
  for (let h = 0; h < H; h++) total += rowWeights ? rowWeights[h] : 1;
  for (let h = 0; h < H; h++) {
    const weight = (rowWeights ? rowWeights[h] : 1) / total;
    for (let k = 0; k < power.length; k++) {
      let re = 0;
      let im = 0;
      for (let x = 0; x < W; x++) {
        const turn = (k * x) % W;
        re += values[h * W + x] * cosines[turn];
        im += values[h * W + x] * sines[turn];
      }
      const signs = k === 0 || 2 * k === W ? 1 : 2;
      power[k] += (weight * signs * (re * re + im * im)) / (W * W);
    }
  }
  return { power };
}
