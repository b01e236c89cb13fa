/**
 * Validation: the same draws and masks every time, so that epochs can be compared. One pass gives the loss, the
 * scores beside the baselines, and the result stores.
 */

import { type PreparedBatch, preparedBatches } from "../batches/batches.js";
import { loadCubes } from "../data/loader.js";
import { displayUnit } from "../data/units.js";
import { createMaskGenerators } from "../masking/index.js";
import { AttentionWriter } from "../results/attentionStore.js";
import { ResultsWriter, resultPath } from "../results/results.js";
import { storeNormalization } from "../results/storeNormalization.js";
import type { FieldSkill, Series } from "../runs/events.js";
import {
  type BaselineParams,
  baselineNames,
  dampingFit,
  metricQuantities,
  quantityScores,
  SCORED_KINDS,
  type ScoreAccumulator,
  scoreAccumulator,
  scoreRow,
  verdict,
} from "../scores/index.js";
import type { Session } from "../training/session.js";
import type { PlainPrediction } from "./evalStep.js";
import { type PassContext, predictionPass, scoreBatch } from "./pass.js";

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

/** Cubes that damped persistence is fitted on: enough for a factor a lead, few enough to start at once. */
const DAMPING_CUBES = 64;
/** Validation points up to which the baselines are scored before training; larger runs tell them with their first validation. */
const EAGER_POINTS = 2e6;

/** Scores one validation pass: the model (if any) and the baselines on the same points. */
export class ValidationScores {
  readonly accumulator: ScoreAccumulator;
  private readonly lookup;

  constructor(
    private readonly session: PassContext,
    private readonly params: BaselineParams,
    private readonly withModel: boolean,
  ) {
    const { store, fields, config } = session;
    const names = baselineNames(config.BERT_strategy).filter(
      (name) => name !== "damped_persistence" || params.damping !== undefined,
    );
    this.lookup = storeNormalization(store);
    this.accumulator = scoreAccumulator({
      predictors: withModel ? ["model", ...names] : names,
      levels: Object.fromEntries(fields.map(({ name, levels }) => [name, levels])),
      grid: store,
      quantities: withModel ? metricQuantities(config.metrics ?? [], session.model.spec.config.net_tail_num_nets) : [],
    });
  }

  /** `val. <metric>, <field>` of the registered metrics that the configuration names. */
  metrics(): Series {
    const series: Series = {};
    for (const { field } of this.session.predicted) {
      const selection = { field: field.name, level: "all", lead: "all", region: "global", kind: "all" } as const;
      for (const [name, score] of Object.entries(quantityScores(this.accumulator, selection))) {
        if ("value" in score) series[`val. ${name}, ${field.name}`] = score.value;
      }
    }
    return series;
  }

  async add(prepared: PreparedBatch, predictions: readonly PlainPrediction[]): Promise<void> {
    const { session, params } = this;
    for (const [p, { field }] of session.predicted.entries()) {
      if (prepared.masked.fields[field.index].target.length === 0) continue;
      const model = this.withModel ? predictions[p].mean : null;
      const batch = await scoreBatch(session, prepared, field, model, { lookup: this.lookup, params });
      this.accumulator.add({ ...batch, members: predictions[p]?.ens ?? undefined });
    }
  }

  /** One row a field; for BERT also one a kind of hidden token. */
  skill(): FieldSkill[] {
    const { predicted, config } = this.session;
    const kinds = config.BERT_strategy === "BERT" ? (["all", ...SCORED_KINDS] as const) : (["all"] as const);
    return predicted.flatMap(({ field }) =>
      kinds.flatMap((kind) => {
        const row = scoreRow(this.accumulator, {
          field: field.name,
          level: "all",
          lead: "all",
          region: "global",
          kind,
        });
        if (!row) return [];
        const column = (key: "rmse" | "rmseNorm") =>
          Object.fromEntries(Object.entries(row.scores).map(([name, scores]) => [name, scores[key]]));
        return [
          {
            field: field.name,
            kind,
            unit: displayUnit(field.name).unit,
            points: row.points,
            rmse: column("rmse"),
            rmseNormalized: column("rmseNorm"),
          },
        ];
      }),
    );
  }

  /** Who wins, in one sentence. */
  verdict(): string {
    const units = Object.fromEntries(this.session.fields.map(({ name }) => [name, displayUnit(name).unit]));
    // what BERT hides is what it masks: noised and coarsened tokens still show most of themselves
    const kind = this.session.config.BERT_strategy === "BERT" ? "masked" : "all";
    const select = this.session.predicted.map(({ field }) => ({ field: field.name, kind }) as const);
    return verdict(this.accumulator, { units, select }).sentence;
  }
}

/** What baselines are fitted to: the training period only. */
export async function fitBaselines({
  config,
  store,
  draws,
}: Pick<Session, "config" | "store" | "draws">): Promise<BaselineParams> {
  if (!baselineNames(config.BERT_strategy).includes("damped_persistence")) return {};
  const fit = dampingFit();
  const count = Math.ceil(DAMPING_CUBES / config.batch_size);
  for await (const cube of loadCubes({ storeLocation: store.location, store, config, draws: draws(0).slice(0, count) }))
    fit.add(cube);
  return { damping: fit.finish() };
}

/** The baselines on the validation points, before any training; empty if that would delay a large run. */
export async function baselineSkill(session: Session, params: BaselineParams): Promise<FieldSkill[]> {
  const { config, validationDraws, fields } = session;
  const points = fields.reduce((sum, { L, N, D }) => sum + L * N * D, 0);
  if (validationDraws.length * config.batch_size_validation * points > EAGER_POINTS) return [];
  return baselineScores(session, params);
}

type ValidationContext = PassContext & Pick<Session, "validationDraws">;

/** The baselines on the validation points, however many. */
export async function baselineScores(context: ValidationContext, params: BaselineParams): Promise<FieldSkill[]> {
  const scores = new ValidationScores(context, params, false);
  for await (const batch of validationBatches(context)) await scores.add(batch, []);
  return scores.skill();
}

const validationBatches = (session: ValidationContext) =>
  preparedBatches(session, session.validationDraws, createMaskGenerators(session.config, session.fields));

/**
 * One validation pass with the weights as they are. Writes the result stores if `log_test_num_ranks` is above 0.
 * @returns null if the run is interrupted meanwhile; nothing is written then
 */
export async function validate(session: Session, params: BaselineParams): Promise<Validation | null> {
  const { config, state, model, options } = session;
  const scores = new ValidationScores(session, params, true);
  const writes = config.log_test_num_ranks > config.par_rank;
  const results = writes ? await openResults(session) : null;
  let attention: AttentionWriter | null = null;
  const sums = new Map<string, { sum: number; batches: number }>();
  let batches = 0;
  try {
    attention = writes && config.attention ? await openAttention(session) : null;
    const weights = state.ema ?? state.params;
    const pass = predictionPass(session, weights, session.validationDraws, {
      generators: createMaskGenerators(config, session.fields),
      members: results !== null || (config.metrics ?? []).length > 0,
      signal: options.signal,
    });
    for await (const { mse, predictions, ...prepared } of pass) {
      batches += 1;
      for (const [p, value] of mse.entries()) {
        if (value === null) continue;
        const field = model.predicted[p].field.name;
        const { sum, batches } = sums.get(field) ?? { sum: 0, batches: 0 };
        sums.set(field, { sum: sum + value, batches: batches + 1 });
      }
      await scores.add(prepared, predictions);
      await results?.append({
        windows: prepared.cube.windows,
        fields: prepared.masked.fields,
        predictions: predictions.map(({ mean, ens }) => ({ mean, ens: ens! })),
      });
      await attention?.append(weights, { windows: prepared.cube.windows, plain: prepared.plain });
    }
    if (batches < session.validationDraws.length) {
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
  const series: Series = { [`val. loss ${config.BERT_strategy}`]: loss };
  for (const [field, value] of Object.entries(losses)) series[`val., ${config.BERT_strategy}, ${field}`] = value;
  Object.assign(series, scores.metrics());
  return { loss, losses, series, skill: scores.skill(), verdict: scores.verdict() };
}

function openAttention({ folder, progress, model, fields, store }: Session): Promise<AttentionWriter> {
  const path = resultPath(folder.resultsDir, folder.id, progress.epoch, "attention");
  return AttentionWriter.open(path, model, fields, store);
}

function openResults({ config, fields, predicted, folder, store, progress }: Session): Promise<ResultsWriter> {
  return ResultsWriter.open({
    dir: folder.resultsDir,
    runId: folder.id,
    epoch: progress.epoch,
    strategy: config.BERT_strategy,
    forecastTokens: config.forecast_num_tokens,
    fields,
    predicted,
    axes: store,
    normalization: storeNormalization(store),
  });
}
