/**
 * Power by scale in a window that does not go around the globe, from its discrete cosine transform (Denis, Cote and
 * Laprise, Monthly Weather Review 130 (2002)): cosines fit a window without a jump at its edges, where waves do not.
 */
import { AtmorepError } from "../errors.js";
import { cos } from "../math/index.js";

/** cos(pi m (i + 1/2) / N), scaled to an orthonormal transform [m, i]. */
function cosines(N: number): Float64Array {
  // one turn in 4N steps; looked up, so that the angle never grows
  const turn = Float64Array.from({ length: 4 * N }, (_, k) => cos((Math.PI * k) / (2 * N)));
  const table = new Float64Array(N * N);
  for (let m = 0; m < N; m++) {
    const scale = Math.sqrt((m === 0 ? 1 : 2) / N);
    for (let i = 0; i < N; i++) table[m * N + i] = scale * turn[(m * (2 * i + 1)) % (4 * N)];
  }
  return table;
}

/**
 * Orthonormal discrete cosine transform of the second kind along both axes (`scipy.fft.dctn(values, norm="ortho")`).
 * @param values [H, W]
 * @returns [H, W]; element [m, n] belongs to m half waves along the rows' axis and n along the columns'
 * @throws {AtmorepError} `usage` unless there are H x W values
 */
export function cosineTransform(values: ArrayLike<number>, H: number, W: number): Float64Array {
  if (!(H >= 1 && W >= 1) || values.length !== H * W) {
    throw new AtmorepError("usage", "values do not fill the window", {
      where: "cosineTransform",
      found: values.length,
      expected: `${H} rows of ${W}`,
    });
  }
  const [down, across] = [cosines(H), cosines(W)];
  const rows = new Float64Array(H * W);
  for (let i = 0; i < H; i++) {
    for (let n = 0; n < W; n++) {
      let sum = 0;
      for (let j = 0; j < W; j++) sum += values[i * W + j] * across[n * W + j];
      rows[i * W + n] = sum;
    }
  }
  const out = new Float64Array(H * W);
  for (let m = 0; m < H; m++) {
    for (let i = 0; i < H; i++) {
      const factor = down[m * H + i];
      for (let n = 0; n < W; n++) out[m * W + n] += factor * rows[i * W + n];
    }
  }
  return out;
}

export type WindowSpectrum =
  | {
      /** variance of each band, in squared units of the values; together the variance of the window */
      power: Float64Array;
      /** longest wave of each band, in grid steps, the same length */
      wavelength: Float64Array;
    }
  | { refused: string };

/**
 * Variance spectrum of a window. Element [m, n] of the transform has the normalised wavenumber
 * a = sqrt((m/H)^2 + (n/W)^2) and the wavelength 2/a in grid steps (Eq. 10 and 11). Band k = 1 ... min(H, W) - 1 holds
 * k <= a min(H, W) < k + 1; the first also what is longer in an oblong window, the last the corners beyond it, so that
 * nothing of the variance is lost. The mean is left out. Grid steps count alike along both axes.
 *
 * @param values [H, W]
 * @returns refused where the window is a line or holds missing values
 * @throws {AtmorepError} `usage` unless there are H x W values
 */
export function windowPowerSpectrum(values: ArrayLike<number>, H: number, W: number): WindowSpectrum {
  const least = Math.min(H, W);
  if (least < 2) return { refused: "a window of one row or column has no scales along both axes" };
  const transform = cosineTransform(values, H, W);
  const power = new Float64Array(least - 1);
  for (let m = 0; m < H; m++) {
    for (let n = 0; n < W; n++) {
      if (m === 0 && n === 0) continue;
      const wavenumber = Math.sqrt((m / H) * (m / H) + (n / W) * (n / W));
      // a wavenumber on the edge of a band may miss it by its last bit
      const band = Math.min(Math.max(Math.floor(wavenumber * least + 1e-9), 1), least - 1);
      power[band - 1] += (transform[m * W + n] * transform[m * W + n]) / (H * W);
    }
  }
  if (!power.every(Number.isFinite)) return { refused: "values of the window are missing" };
  return { power, wavelength: Float64Array.from(power, (_, k) => (2 * least) / (k + 1)) };
}
