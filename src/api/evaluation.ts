/** Evaluating runs, and scoring result stores. */
import type { SetValues } from "../config/types.js";
import type { StoredCard } from "../evaluation/readCard.js";
import type { EvaluateRequest, Evaluation } from "../evaluation/request.js";
import type { ScoredResults, ScoreResultsOptions } from "../evaluation/scoreResults.js";
import type { AttentionChoice, StoredAttention } from "../results/readAttention.js";
import type { RunReference } from "../runs/locate.js";
import type { CardOptions } from "../scores/index.js";

export interface EvaluateOptions extends Omit<EvaluateRequest, "run" | "set"> {
  /** keys of the configuration or options of the mode: `{ forecast_num_tokens: 1 }` or `["fields[0][2]=[123]"]` */
  set?: readonly string[] | SetValues;
}

/**
 * Predicts with a run's weights, scores beside baselines and writes `results/id<NEW>/`: configuration, result stores,
 * `scores.json`. The run's own files are only read; one batch is in memory at a time.
 * @param run `ab12cd34`, `ab12cd34@best`, a path to the run's folder, or what `train` returns; default the newest run
 * @throws AtmorepError (usage, config, input) before anything is written; (failed) if interrupted
 * @example
 * const { scores, verdict } = await evaluate("ab12cd34@best", { mode: "forecast", set: { forecast_num_tokens: 1 } });
 * console.log(scores.velocity_u["500"].all.global.rmse, verdict);
 */
export async function evaluate(run?: RunReference, options: EvaluateOptions = {}): Promise<Evaluation> {
  const { evaluate: evaluateRun } = await import("../evaluation/evaluate.js");
  const { set = [], ...rest } = options;
  const overrides = isList(set) ? set : Object.entries(set).map(([key, value]) => `${key}=${JSON.stringify(value)}`);
  if (run === undefined || typeof run === "string") return evaluateRun({ ...rest, set: overrides, run });
  return evaluateRun({ ...rest, set: overrides, run: run.runId, out: rest.out ?? run.out });
}

/**
 * Scores the result stores in a folder, ours or the reference's: physical units, no run and no input store needed.
 * @throws AtmorepError (usage) if there are none; (input) if they contradict each other
 * @example const { scores, about } = await scoreResults("results/idab12cd34", { epoch: 12 });
 */
export async function scoreResults(dir: string, options: ScoreResultsOptions = {}): Promise<ScoredResults> {
  return (await import("../evaluation/scoreResults.js")).scoreResults(dir, options);
}

/**
 * Score card of evaluations at the same times: each cell (field, level, lead time) a paired test, each run against the
 * first and against its own baselines, with the share of false findings kept in check.
 * @param evaluations ids of evaluations, what `evaluate` returns, or ids of runs with one evaluation each
 * @throws AtmorepError (usage) if one is not there, or if they do not share times and points (naming what differs)
 * @example
 * const { comparisons } = await scoreCard(["ij90kl12", "mn34op56"], { score: "crps" });
 * console.log(comparisons[0].better, comparisons[0].tests);
 */
export async function scoreCard(
  evaluations: readonly RunReference[],
  options: CardOptions & { out?: string } = {},
): Promise<StoredCard> {
  const { out, ...choice } = options;
  return (await import("../evaluation/readCard.js")).readScoreCard(evaluations, out, choice);
}

/**
 * Heads of an attention store that validation or `evaluate` wrote (`attention: true`), one after the other.
 * @throws AtmorepError (input) if the file is damaged; (usage) if it holds no such head
 * @example
 * for await (const { path, shape } of readAttention("results/idab12cd34/results_idab12cd34_epoch00001_attention.zarr", { layer: 0 }))
 *   console.log(path, shape);
 */
export async function* readAttention(file: string, choice: AttentionChoice = {}): AsyncGenerator<StoredAttention> {
  yield* (await import("../results/readAttention.js")).readAttention(file, choice);
}

const isList = (set: NonNullable<EvaluateOptions["set"]>): set is readonly string[] => Array.isArray(set);
