/** The simple baselines of a configuration by themselves: what a model must beat, known before it is trained. */
import { type BatchContext, readyBatches } from "../batches/ready.js";
import { checkAgainstStore, checkConfig } from "../checks/validate.js";
import { resolveStorePath } from "../config/resolve.js";
import { withSeeds } from "../config/seeds.js";
import type { RunConfig } from "../config/types.js";
import { readCube } from "../data/cube.js";
import { drawEpoch } from "../data/sampling.js";
import { openStore } from "../data/store.js";
import type { Draw } from "../data/types.js";
import { createMaskStreams } from "../masking/index.js";
import type { FieldSkill } from "../runs/events.js";
import { needsDamping } from "../scores/baselines/registry.js";
import { type BaselineParams, dampingFit } from "../scores/index.js";
import { type PassSubject, passSubject } from "./pass.js";
import { ValidationScores } from "./validationScores.js";

/** Cubes that damped persistence is fitted on: enough for a factor a lead, few enough to start at once. */
const DAMPING_CUBES = 64;
/** Validation points up to which the baselines are scored before training; larger runs tell them with their first validation. */
const EAGER_POINTS = 2e6;

/**
 * Fits the baselines that need it, to the training period only.
 * @param draws of an epoch of training, one a batch
 */
export async function fitBaselines({
  config,
  store,
  draws,
}: Pick<BatchContext, "config" | "store"> & { draws(epoch: number): Draw[] }): Promise<BaselineParams> {
  if (!needsDamping(config.BERT_strategy)) return {};
  const fit = dampingFit();
  const count = Math.ceil(DAMPING_CUBES / config.batch_size);
  for (const draw of draws(0).slice(0, count)) fit.add(await readCube(store, config, draw));
  return { damping: fit.finish() };
}

/** What the baselines are scored on; a network is not asked. */
export type BaselineContext = PassSubject & { validationDraws: Draw[] };

/** The baselines on the validation points, before any training; empty if that would delay a large run. */
export async function baselineSkill(context: BaselineContext, params: BaselineParams): Promise<FieldSkill[]> {
  const { config, validationDraws, fields } = context;
  const points = fields.reduce((sum, { L, N, D }) => sum + L * N * D, 0);
  if (validationDraws.length * config.batch_size_validation * points > EAGER_POINTS) return [];
  return baselineScores(context, params);
}

/** The baselines on the validation points, however many. */
async function baselineScores(context: BaselineContext, params: BaselineParams): Promise<FieldSkill[]> {
  const scores = new ValidationScores(context, params, false);
  for await (const batch of validationBatches(context)) await scores.add(batch, []);
  return scores.skill();
}

const validationBatches = (context: BaselineContext) =>
  readyBatches(context, context.validationDraws, createMaskStreams(context.config, context.fields));

export interface BaselineOptions {
  /** folder that a relative `file_path` is taken from first; default the current one */
  folder?: string;
  /** whose points; default validation's */
  split?: "validate" | "test";
}

/**
 * Scores of the simple baselines on the validation (or test) points of `config`, the same that its runs are scored on. What
 * they are fitted to comes from the training period alone. Trains nothing and writes nothing.
 * @throws AtmorepError (config, input) as `train`
 */
export async function scoreBaselines(
  given: RunConfig,
  { folder, split = "validate" }: BaselineOptions = {},
): Promise<FieldSkill[]> {
  const config = withSeeds(given);
  checkConfig(config);
  const store = await openStore(resolveStorePath(config.file_path, folder));
  try {
    checkAgainstStore(config, store);
    const context = {
      ...passSubject(config, store),
      validationDraws: drawEpoch({ config, store, split, epoch: 0 }),
      draws: (epoch: number) => drawEpoch({ config, store, split: "train", epoch }),
    };
    return await baselineScores(context, await fitBaselines(context));
  } finally {
    await store.close();
  }
}
