/**
 * Validation: the same draws and masks every time, so that epochs can be compared. One pass gives the loss, the
 * scores beside the baselines, and the result stores.
 */
import type { Draw } from "../data/types.js";
import { ALONE, type Communicator } from "../distributed/index.js";
import { createMaskStreams } from "../masking/index.js";
import type { Params } from "../model/types.js";
import { openAttentionWriter, openResultsWriter, type WritersPlace } from "../results/openWriters.js";
import type { AttentionWriter } from "../results/writeAttention.js";
import type { FieldSkill, Series } from "../runs/events.js";
import { validationSeries } from "../runs/series.js";
import type { BaselineParams } from "../scores/index.js";
import type { PassContext } from "./pass.js";
import { predictTogether } from "./together.js";
import { ValidationScores } from "./validationScores.js";

/** What every validation of a run has in common. */
export interface ValidationContext extends PassContext {
  /** the same each time */
  validationDraws: Draw[];
}

/** One validation of a run. */
export interface ValidationRequest extends WritersPlace {
  /** those that predict; the caller's */
  weights: Params;
  /** what the baselines were fitted to */
  baselines: BaselineParams;
  /** false: no result stores, whatever the configuration says; default true */
  stores?: boolean;
  /** other cubes than validation's, such as the test's */
  instead?: { split: "test"; draws: Draw[] };
  /** ends the pass before the next batch */
  signal?: AbortSignal;
  /** processes that share the pass, each with the same request; default this one alone */
  communicator?: Communicator;
}

export interface Validation {
  /** mean squared error of the mean prediction, averaged over fields */
  loss: number;
  /** by predicted field */
  losses: Record<string, number>;
  /** `val. loss <strategy>`, `val., <strategy>, <field>` */
  series: Series;
  skill: FieldSkill[];
  /** who wins, in one sentence */
  verdict: string;
}

/**
 * One validation pass. Writes the result stores if `log_test_num_ranks` is above 0.
 * @returns null if the run is interrupted meanwhile, when nothing is written, and in other processes than the first
 */
export async function validate(context: ValidationContext, request: ValidationRequest): Promise<Validation | null> {
  const { config, model } = context;
  const { weights, baselines, signal, stores = true, communicator = ALONE } = request;
  const { split, draws } = request.instead ?? { split: "validate" as const, draws: context.validationDraws };
  const members = (stores && config.log_test_num_ranks > 0) || (config.metrics ?? []).length > 0;
  const streams = createMaskStreams(config, context.fields);
  const pass = predictTogether(communicator, context, weights, draws, { split, streams, members, signal });
  if (communicator.rank > 0) {
    for await (const _ of pass);
    return null;
  }
  const scores = new ValidationScores(context, baselines, true);
  const writes = stores && config.log_test_num_ranks > config.par_rank;
  const results = writes ? await openResultsWriter(context, request) : null;
  let attention: AttentionWriter | null = null;
  const sums = new Map<string, { sum: number; batches: number }>();
  let batches = 0;
  try {
    attention = writes && config.attention ? await openAttentionWriter(context, request) : null;
    for await (const { mse, predictions, ...batch } of pass) {
      batches += 1;
      for (const [p, value] of mse.entries()) {
        if (value === null) continue;
        const field = model.predicted[p].field.name;
        const { sum, batches } = sums.get(field) ?? { sum: 0, batches: 0 };
        sums.set(field, { sum: sum + value, batches: batches + 1 });
      }
      await scores.add(batch, predictions);
      await results?.append({
        windows: batch.cube.windows,
        fields: batch.masked.fields,
        predictions: predictions.map(({ mean, ens }) => ({ mean, ens: ens! })),
      });
      await attention?.append(weights, { windows: batch.cube.windows, plain: batch.plain });
    }
    if (batches < draws.length) {
      await attention?.abort();
      await results?.abort();
      return null;
    }
    await attention?.close();
    await results?.close();
  } catch (error) {
    await attention?.abort();
    await results?.abort();
    throw error;
  }
  const losses = Object.fromEntries([...sums].map(([field, { sum, batches }]) => [field, sum / batches]));
  const values = Object.values(losses);
  const loss = values.reduce((a, b) => a + b, 0) / values.length;
  const series = { ...validationSeries(config.BERT_strategy, loss, losses), ...scores.metrics() };
  return { loss, losses, series, skill: scores.skill(), verdict: scores.verdict() };
}
