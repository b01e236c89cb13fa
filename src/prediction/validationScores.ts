/** The scores of one validation: the model (if any) and the baselines on the same points. */
import type { ReadyBatch } from "../batches/ready.js";
import { displayUnit } from "../data/units.js";
import { getStrategy } from "../masking/index.js";
import { storeNormalization } from "../results/storeNormalization.js";
import type { FieldSkill, Series } from "../runs/events.js";
import { metricSeries } from "../runs/series.js";
import { usableBaselines } from "../scores/baselines/registry.js";
import {
  type BaselineParams,
  metricQuantities,
  quantityScores,
  SCORED_KINDS,
  type ScoreAccumulator,
  scoreAccumulator,
  scoreRow,
  verdict,
} from "../scores/index.js";
import type { PassSubject } from "./pass.js";
import type { PlainPrediction } from "./predictBatch.js";
import { scoreBatch } from "./scoreBatch.js";

/** Scores one validation pass: the model (if any) and the baselines on the same points. */
export class ValidationScores {
  readonly accumulator: ScoreAccumulator;
  private readonly lookup;

  constructor(
    private readonly context: PassSubject,
    private readonly params: BaselineParams,
    private readonly withModel: boolean,
  ) {
    const { store, fields, config } = context;
    const names = usableBaselines(config.BERT_strategy, params);
    this.lookup = storeNormalization(store);
    this.accumulator = scoreAccumulator({
      predictors: withModel ? ["model", ...names] : names,
      levels: Object.fromEntries(fields.map(({ name, levels }) => [name, levels])),
      grid: store,
      quantities: withModel ? metricQuantities(config.metrics ?? [], context.model.spec.config.net_tail_num_nets) : [],
    });
  }

  /** `val. <metric>, <field>` of the registered metrics that the configuration names. */
  metrics(): Series {
    const series: Series = {};
    for (const { field } of this.context.predicted) {
      const selection = { field: field.name, level: "all", lead: "all", region: "global", kind: "all" } as const;
      for (const [name, score] of Object.entries(quantityScores(this.accumulator, selection))) {
        if ("value" in score) series[metricSeries(name, field.name)] = score.value;
      }
    }
    return series;
  }

  async add(batch: ReadyBatch, predictions: readonly PlainPrediction[]): Promise<void> {
    const { context, params } = this;
    for (const [p, { field }] of context.predicted.entries()) {
      if (batch.masked.fields[field.index].target.length === 0) continue;
      const model = this.withModel ? predictions[p].mean : null;
      const scored = await scoreBatch(context, batch, field, model, { lookup: this.lookup, params });
      this.accumulator.add({ ...scored, members: predictions[p]?.ens ?? undefined });
    }
  }

  /** One row a field; where the strategy hides in several ways also one a kind of hidden token. */
  skill(): FieldSkill[] {
    const { predicted, config } = this.context;
    const kinds = getStrategy(config.BERT_strategy).severalKinds
      ? (["all", ...SCORED_KINDS] as const)
      : (["all"] as const);
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
    const units = Object.fromEntries(this.context.fields.map(({ name }) => [name, displayUnit(name).unit]));
    // what BERT hides is what it masks: noised and coarsened tokens still show most of themselves
    const kind = getStrategy(this.context.config.BERT_strategy).severalKinds ? "masked" : "all";
    const select = this.context.predicted.map(({ field }) => ({ field: field.name, kind }) as const);
    return verdict(this.accumulator, { units, select }).sentence;
  }
}
