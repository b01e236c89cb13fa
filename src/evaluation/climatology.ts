/** The climatology that anomalies are taken from: the store's normalisation of each grid point. */
import type { Field } from "../config/types.js";
import { usualStep } from "../data/gaps.js";
import type { Store } from "../data/store.js";
import { parseTime } from "../data/time.js";
import type { CubeBatch, Draw } from "../data/types.js";
import type { MaskedField } from "../masking/types.js";
import { atTargets } from "../prediction/scoreBatch.js";
import type { NormalizationLookup } from "../results/physical.js";
import { storeNormalization } from "../results/storeNormalization.js";
import { climatologyRefusal, type Period } from "../scores/index.js";

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
    if (field.normalization === "local") return new Float64Array(masked.target.length);
    const pointwise: Field = { ...field, normalization: "local" };
    return atTargets(store, field, cube, masked, async (level, time) => {
      const climatology = await local(pointwise, level, time);
      const { mean, std } = await own(field, level, time);
      return (at) => (climatology.mean[at] - mean[0]) / std[0];
    });
  };
}
