/** The climatology that anomalies are taken from: the store's normalisation of each grid point. */
import type { Field } from "../config/types.js";
import { usualStep } from "../data/gaps.js";
import type { Store } from "../data/store.js";
import { parseTime } from "../data/time.js";
import type { CubeBatch, Draw } from "../data/types.js";
import type { MaskedField } from "../masking/types.js";
import type { NormalizationLookup } from "../results/physical.js";
import { storeNormalization } from "../results/storeNormalization.js";
import { climatologyRefusal, type Period } from "../scores/index.js";
import { targetTokens } from "../scores/layout.js";

const NONE = "the store holds no climatology of each grid point (normalization/norm)";

/**
 * Why there is no anomaly correlation, or null: the climatology is under a year long, overlaps the evaluation, or is
 * not in the store. Without `normalization_period` a store's normalisation comes from all its times.
 * @param draws the cubes that are scored
 */
export function anomalyRefusal(
  store: Store,
  fields: readonly Field[],
  draws: readonly Draw[],
  span: number,
): string | null {
  const lacking = fields.some(({ levels }) =>
    levels.some((level) => store.arrays[level === 0 ? "norm_sfc" : "norm"] === null),
  );
  if (lacking) return NONE;
  const { times, normalizationPeriod } = store;
  const last = times[times.length - 1];
  const [from, to] = normalizationPeriod?.map((text) => parseTime(text) ?? last) ?? [times[0], last];
  const ends = draws.map(({ timeIndex }) => timeIndex);
  const first = Math.max(0, ends.reduce((a, b) => Math.min(a, b), times.length) - span);
  const end = Math.min(
    times.length,
    ends.reduce((a, b) => Math.max(a, b), 0),
  );
  const evaluation: Period = { from: times[first], to: times[end - 1] + 1n };
  // the last step counts whole: the steps of a year cover a year
  const step = usualStep(times);
  return climatologyRefusal({ from, to: to + (step > 0n ? step : 1n) }, evaluation);
}

/** Local climatology of each target point in the field's own normalised units. @returns [M, D] */
export function climatologyLookup(store: Store) {
  const local = storeNormalization(store);
  return async (
    field: Field,
    cube: CubeBatch,
    masked: MaskedField,
    own: NormalizationLookup,
  ): Promise<Float64Array> => {
    const out = new Float64Array(masked.target.length);
    if (field.normalization === "local") return out;
    const [, ny, nx] = field.numTokens;
    const [tt, ty, tx] = field.tokenSize;
    const pointwise: Field = { ...field, name: field.name, normalization: "local" };
    for (const { m, l, b, n } of targetTokens(masked)) {
      const { time, lat, lon } = cube.windows[b];
      const [t0, y0, x0] = [Math.floor(n / (ny * nx)) * tt, (Math.floor(n / nx) % ny) * ty, (n % nx) * tx];
      let o = m * field.D;
      for (let t = 0; t < tt; t++) {
        const climatology = await local(pointwise, field.levels[l], time[t0 + t]);
        const { mean, std } = await own(field, field.levels[l], time[t0 + t]);
        for (let y = 0; y < ty; y++) {
          for (let x = 0; x < tx; x++) {
            out[o++] = (climatology.mean[lat[y0 + y] * store.lons.length + lon[x0 + x]] - mean[0]) / std[0];
          }
        }
      }
    }
    return out;
  };
}
