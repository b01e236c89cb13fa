/** The scores of an evaluation: model beside baselines, members, anomalies, registered metrics, region by region. */

import type { ReadyBatch } from "../batches/ready.js";
import type { Field, RunConfig } from "../config/types.js";
import { usualStep } from "../data/gaps.js";
import type { Store } from "../data/store.js";
import type { Draw } from "../data/types.js";
import { displayUnit } from "../data/units.js";
import type { PassContext } from "../prediction/pass.js";
import { scoreBatch } from "../prediction/scoreBatch.js";
import type { NormalizationLookup } from "../results/physical.js";
import { dressedPredictions } from "../scores/baselines/distributions.js";
import { usableBaselines } from "../scores/baselines/registry.js";
import { dressedQuantity } from "../scores/dressedQuantity.js";
import {
  anomalyQuantity,
  type BaselineParams,
  boxRegion,
  type CalibrationOptions,
  type CalibrationReport,
  type CalibrationSample,
  calibrationReport,
  calibrationSample,
  ensembleQuantity,
  metricQuantities,
  namedRegion,
  placeQuantity,
  probabilityQuantity,
  type Region,
  type ScoreAccumulator,
  type ScoreReport,
  scoreAccumulator,
  scoreReport,
  type Verdict,
  verdict,
} from "../scores/index.js";
import { anomalyRefusal, climatologyLookup } from "./climatology.js";

/** What is scored of one field of a batch. */
export interface ScoredPrediction {
  /** [M, D] */
  mean: Float32Array;
  /** [M, E, D] */
  ens: Float32Array;
}

/** Places in a roll-out: steps of lead before the cube, and the initial time. */
export interface ScorePlace {
  leadOffset: number;
  initialTime: number;
  /** predictions that take the place of the baselines, by name */
  baselines?: Record<string, Float32Array>;
}

export class EvaluationScores {
  readonly accumulator: ScoreAccumulator;
  private readonly refused: string | null;
  private readonly climatology;
  private readonly sample: CalibrationSample;

  constructor(
    private readonly context: PassContext,
    private readonly lookup: NormalizationLookup,
    private readonly params: BaselineParams,
    draws: readonly Draw[],
    span: number,
  ) {
    const { config, store, fields, predicted, model } = context;
    const predictors = ["model", ...usableBaselines(config.BERT_strategy, params)];
    const scored = predicted.map(({ field }) => field);
    this.refused = anomalyRefusal(store, scored, draws, span);
    this.climatology = climatologyLookup(store);
    const E = model.spec.config.net_tail_num_nets;
    const levels = Object.fromEntries(fields.map(({ name, levels: own }) => [name, own]));
    const regions = regionsOf(config);
    this.sample = calibrationSample({ E, levels, region: regions[0] });
    this.accumulator = scoreAccumulator({
      predictors,
      levels,
      grid: store,
      regions,
      observer: this.sample.observer,
      quantities: [
        ensembleQuantity(E),
        ...(params.distributions ? [dressedQuantity()] : []),
        probabilityQuantity(E),
        placeQuantity,
        anomalyQuantity(predictors, this.refused),
        ...metricQuantities(config.metrics, E),
      ],
    });
  }

  /** Adds one field of a batch; a field without hidden tokens adds nothing. */
  async add(
    prepared: Pick<ReadyBatch, "cube" | "masked">,
    field: Field,
    { mean, ens }: ScoredPrediction,
    place?: ScorePlace,
  ) {
    const own = prepared.masked.fields[field.index];
    if (own.target.length === 0) return;
    const { lookup, params } = this;
    const batch = await scoreBatch(this.context, prepared, field, mean, { lookup, params });
    const { distributions, diurnal = null } = params;
    const before = prepared.cube.fields[field.index];
    this.accumulator.add({
      ...batch,
      // the cubes of a roll-out after its first show what was hidden at its start
      dressed:
        distributions && !place
          ? dressedPredictions(before, own, prepared.cube.windows, distributions, diurnal)
          : undefined,
      predictions: place?.baselines ? { model: mean, ...place.baselines } : batch.predictions,
      members: ens,
      climatology: this.refused === null ? await this.climatology(field, prepared.cube, own, lookup) : undefined,
      leadOffset: place?.leadOffset,
      initialTime: place?.initialTime,
    });
  }

  report(): ScoreReport {
    return scoreReport(this.accumulator, { units: unitsOf(this.context.fields) });
  }

  /** Diagrams of calibration and post-hoc calibration; null for one member. */
  calibration(given?: CalibrationOptions["given"]): CalibrationReport | null {
    const { fields, model } = this.context;
    const E = model.spec.config.net_tail_num_nets;
    return calibrationReport(this.accumulator, this.sample, { units: unitsOf(fields), E, given });
  }

  verdict(): Verdict {
    const region = this.accumulator.options.regions?.[0]?.name ?? "global";
    const fields = [...new Set(this.accumulator.cells().map(({ field }) => field))];
    return verdict(this.accumulator, {
      select: fields.map((field) => ({ field, region })),
      units: unitsOf(this.context.fields),
    });
  }
}

export const unitsOf = (fields: readonly { name: string }[]): Record<string, string> =>
  Object.fromEntries(fields.map(({ name }) => [name, displayUnit(name).unit]));

/** The regions of a configuration. @throws AtmorepError `config` for a box that is none */
export function regionsOf({ score_regions }: Pick<RunConfig, "score_regions">): Region[] {
  return score_regions.map((region) => (typeof region === "string" ? namedRegion(region) : boxRegion(...region)));
}

/** Hours between two time steps of a cube. */
export function stepHours({ times }: Pick<Store, "times">, timeSampling: number): number {
  if (times.length < 2) return 0;
  return (Number(usualStep(times)) / 3.6e12) * timeSampling;
}
