/** A batch and its predictions as scores take them: beside the baselines, in the unit that people read. */
import type { ReadyBatch } from "../batches/ready.js";
import type { Field } from "../config/types.js";
import type { Store } from "../data/store.js";
import type { CubeBatch } from "../data/types.js";
import { displayUnit } from "../data/units.js";
import type { MaskedField } from "../masking/types.js";
import { type NormalizationLookup, tokenPlace } from "../results/physical.js";
import { type BaselineParams, baselinePredictions, type ScoreBatch } from "../scores/index.js";
import { targetTokens } from "../scores/layout.js";
import type { PassSubject } from "./pass.js";

/**
 * One field of a batch as scores take it: the model (unless null) beside the baselines of the strategy, in the unit
 * that people read.
 */
export async function scoreBatch(
  { config, store }: Pick<PassSubject, "config" | "store">,
  { cube, masked }: Pick<ReadyBatch, "cube" | "masked">,
  field: Field,
  model: Float32Array | null,
  { lookup, params }: { lookup: NormalizationLookup; params: BaselineParams },
): Promise<ScoreBatch> {
  const baselines = baselinePredictions(config.BERT_strategy, cube, masked, field.name, params);
  const { scale } = displayUnit(field.name);
  return {
    cube,
    masked,
    field: field.name,
    predictions: model ? { model, ...baselines } : baselines,
    std: await atTargets(store, field, cube, masked.fields[field.index], async (level, time) => {
      const { std } = await lookup(field, level, time);
      return (at) => std[std.length > 1 ? at : 0] * scale;
    }),
  };
}

/**
 * One number for each target point; `of` gives those of a level and a time of the store, by grid point [lat, lon].
 * @returns [M, D], aligned with the field's targets
 */
export async function atTargets(
  { lons }: Pick<Store, "lons">,
  field: Field,
  cube: CubeBatch,
  masked: MaskedField,
  of: (level: number, time: number) => Promise<(at: number) => number>,
): Promise<Float64Array> {
  const [tt, ty, tx] = field.tokenSize;
  const out = new Float64Array(masked.target.length);
  for (const { m, l, b, n } of targetTokens(masked)) {
    const { time, lat, lon } = cube.windows[b];
    const { t, y, x } = tokenPlace(field, n);
    let o = m * field.D;
    for (let i = 0; i < tt; i++) {
      const value = await of(field.levels[l], time[t + i]);
      for (let j = 0; j < ty; j++) {
        for (let k = 0; k < tx; k++) out[o++] = value(lat[y + j] * lons.length + lon[x + k]);
      }
    }
  }
  return out;
}
