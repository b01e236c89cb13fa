/** A batch and its predictions as scores take them: beside the baselines, in the unit that people read. */
import type { ReadyBatch } from "../batches/ready.js";
import type { Field } from "../config/types.js";
import type { CubeBatch } from "../data/types.js";
import { displayUnit } from "../data/units.js";
import type { MaskedField } from "../masking/types.js";
import type { NormalizationLookup } from "../results/physical.js";
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
  const own = masked.fields[field.index];
  return {
    cube,
    masked,
    field: field.name,
    predictions: model ? { model, ...baselines } : baselines,
    std: await targetStd(field, cube, own, store.lons.length, lookup, displayUnit(field.name).scale),
  };
}

/**
 * The standard deviation that each target point was divided by, times `scale`.
 * @returns [M, D], aligned with the field's targets
 */
async function targetStd(
  field: Field,
  cube: CubeBatch,
  masked: MaskedField,
  columns: number,
  lookup: NormalizationLookup,
  scale: number,
): Promise<Float64Array> {
  const [, ny, nx] = field.numTokens;
  const [tt, ty, tx] = field.tokenSize;
  const out = new Float64Array(masked.target.length);
  for (const { m, l, b, n } of targetTokens(masked)) {
    const { time, lat, lon } = cube.windows[b];
    const [t0, y0, x0] = [Math.floor(n / (ny * nx)) * tt, (Math.floor(n / nx) % ny) * ty, (n % nx) * tx];
    let o = m * field.D;
    for (let t = 0; t < tt; t++) {
      const { std } = await lookup(field, field.levels[l], time[t0 + t]);
      for (let y = 0; y < ty; y++) {
        for (let x = 0; x < tx; x++) {
          const at = std.length > 1 ? lat[y0 + y] * columns + lon[x0 + x] : 0;
          out[o++] = std[at] * scale;
        }
      }
    }
  }
  return out;
}
