/** The simple baselines of a configuration by themselves: what a model must beat, known before it is trained. */

import { checkAgainstStore, checkConfig } from "../checks/validate.js";
import { parseFields, predictedFields } from "../config/fields.js";
import { resolveStorePath } from "../config/resolve.js";
import { withSeeds } from "../config/seeds.js";
import type { RunConfig } from "../config/types.js";
import { drawEpoch } from "../data/sampling.js";
import { openStore } from "../data/store.js";
import type { FieldSkill } from "../runs/events.js";
import { stepModel } from "../step/step.js";
import { baselineScores, fitBaselines } from "./validation.js";

export interface BaselineOptions {
  /** folder that a relative `file_path` is taken from first; default the current one */
  folder?: string;
}

/**
 * Scores of the simple baselines on the validation points of `config`, the same that its runs are scored on. What
 * they are fitted to comes from the training period alone. Trains nothing and writes nothing.
 * @throws AtmorepError (config, input) as `train`
 */
export async function scoreBaselines(given: RunConfig, { folder }: BaselineOptions = {}): Promise<FieldSkill[]> {
  const config = withSeeds(given);
  checkConfig(config);
  const store = await openStore(resolveStorePath(config.file_path, folder));
  try {
    checkAgainstStore(config, store);
    const context = {
      config,
      store,
      fields: parseFields(config),
      predicted: predictedFields(config),
      model: stepModel(config),
      validationDraws: drawEpoch({ config, store, split: "validate", epoch: 0 }),
      draws: (epoch: number) => drawEpoch({ config, store, split: "train", epoch }),
    };
    return await baselineScores(context, await fitBaselines(context));
  } finally {
    await store.close();
  }
}
