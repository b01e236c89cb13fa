/** The simple baselines of a configuration by themselves: what a model must beat, known before it is trained. */
import { type BatchContext, readyBatches } from "../batches/ready.js";
import { checkAgainstStore, checkConfig } from "../checks/validate.js";
import { parseFields } from "../config/fields.js";
import { resolveStorePath } from "../config/resolve.js";
import { withSeeds } from "../config/seeds.js";
import type { RunConfig } from "../config/types.js";
import { cubeSpan, usualStep } from "../data/gaps.js";
import { loadCubes } from "../data/loader.js";
import { drawEpoch } from "../data/sampling.js";
import { openStore, type Store } from "../data/store.js";
import { HOUR_NS } from "../data/time.js";
import type { Draw } from "../data/types.js";
import { createMaskStreams, maskBatch } from "../masking/index.js";
import type { FieldSkill } from "../runs/events.js";
import { distributionsFit } from "../scores/baselines/distributions.js";
import { diurnalFit } from "../scores/baselines/diurnal.js";
import { needsGaps } from "../scores/baselines/registry.js";
import { ridgeMapsFit } from "../scores/baselines/ridgeMaps.js";
import { type BaselineParams, dampingFit } from "../scores/index.js";
import { type PassSubject, passSubject } from "./pass.js";
import { ValidationScores } from "./validationScores.js";

/** Samples that the baselines are fitted to: at least so many, and of small cubes more, up to as many values. */
const FEWEST_CUBES = 64;
const MOST_CUBES = 256;
const MOST_VALUES = 2e7;
const DAY_NS = 24n * HOUR_NS;
/** Validation points up to which the baselines are scored before training; larger runs tell them with their first validation. */
const EAGER_POINTS = 2e6;

/**
 * Fits the baselines that need it, to the training period only: one pass over cubes of its first epoch, hidden as
 * validation hides.
 * @param draws of an epoch of training, one a batch
 */
export async function fitBaselines({
  config,
  store,
  draws,
}: Pick<BatchContext, "config" | "store"> & { draws(epoch: number): Draw[] }): Promise<BaselineParams> {
  const fields = parseFields(config);
  const values = fields.reduce((sum, { L, N, D }) => sum + L * N * D, 0);
  const cubes = Math.max(FEWEST_CUBES, Math.min(MOST_CUBES, Math.floor(MOST_VALUES / values)));
  const used = draws(0).slice(0, Math.ceil(cubes / config.batch_size));
  const hours = hoursOfDay(store);
  const stepsPerDay = dayInSteps(config, store);
  const diurnal = diurnalFit({ hours, columns: store.lons.length, points: store.lats.length * store.lons.length });
  const ends = used.map(({ timeIndex }) => timeIndex);
  const gaps = needsGaps(config.BERT_strategy)
    ? {
        damping: dampingFit(),
        ridge: ridgeMapsFit({
          hours,
          range: [Math.min(...ends) - cubeSpan(config), Math.max(...ends) - 1],
          cubes: used.length,
        }),
        distributions: distributionsFit(used.length, hours, store.lons.length),
      }
    : null;
  const streams = createMaskStreams(config, fields);
  let batch = 0;
  for await (const cube of loadCubes({ storeLocation: store.location, store, config, draws: used })) {
    diurnal?.add(cube);
    if (!gaps) continue;
    const masked = maskBatch(cube, fields, config, streams.of({ split: "train", epoch: 0, batch: batch++ })).fields;
    gaps.damping.add(cube);
    gaps.ridge.add(cube, masked);
    gaps.distributions.add(cube, masked);
  }
  const daily = diurnal?.finish() ?? null;
  return {
    ...(daily && stepsPerDay !== 1 ? { diurnal: daily } : {}),
    ...(stepsPerDay !== null ? { stepsPerDay } : {}),
    ...(gaps
      ? {
          damping: gaps.damping.finish(),
          ridge: gaps.ridge.finish(),
          distributions: gaps.distributions.finish(stepsPerDay !== 1 ? daily : null),
        }
      : {}),
  };
}

/** Hour of the day (UTC) of each time of a store. */
const hoursOfDay = ({ times }: Pick<Store, "times">): Float64Array =>
  Float64Array.from(times, (time) => Number((((time % DAY_NS) + DAY_NS) % DAY_NS) / 1_000_000_000n) / 3600);

/** Steps of a cube in 24 hours; null unless that is a whole number and a cube is longer. */
function dayInSteps(config: Pick<RunConfig, "n_size" | "time_sampling">, { times }: Pick<Store, "times">) {
  const step = usualStep(times) * BigInt(config.time_sampling);
  if (step <= 0n || DAY_NS % step !== 0n) return null;
  const steps = Number(DAY_NS / step);
  return steps < config.n_size[0] ? steps : null;
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
