/**
 * Ridge regression on 5 x 5 points at the last step before a gap and the first one after it: `ridge` of `atmorep evaluate`
 * without its second steps and hour of the day. A simpler opponent than that one.
 */
import { parseFields } from "../../src/config/fields.js";
import type { RunConfig } from "../../src/config/types.js";
import { readCube } from "../../src/data/cube.js";
import { drawEpoch, type Store } from "../../src/data/index.js";
import { createMaskStreams, maskBatch } from "../../src/masking/index.js";
import { type RidgeMaps, ridgeMapsFit } from "../../src/scores/baselines/ridgeMaps.js";

/** Samples that it is fitted to, as many as the other baselines of these stores. */
const CUBES = 256;

/** Fitted to cubes of the first epoch of training, hidden as validation hides. */
export async function nearestRidge(config: RunConfig, store: Store): Promise<RidgeMaps> {
  const fields = parseFields(config);
  const draws = drawEpoch({ config, store, split: "train", epoch: 0 }).slice(0, Math.ceil(CUBES / config.batch_size));
  const ends = draws.map(({ timeIndex }) => timeIndex);
  const fit = ridgeMapsFit({
    hours: new Float64Array(store.times.length),
    range: [Math.min(...ends) - config.n_size[0] * config.time_sampling, Math.max(...ends) - 1],
    cubes: draws.length,
    nearest: true,
  });
  const streams = createMaskStreams(config, fields);
  for (const [batch, draw] of draws.entries()) {
    const cube = await readCube(store, config, draw);
    fit.add(cube, maskBatch(cube, fields, config, streams.of({ split: "train", epoch: 0, batch })).fields);
  }
  return fit.finish();
}
