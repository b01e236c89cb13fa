/** The weighted total of every loss over every predicted field, with each term by itself. */
import { add, div, mul, type Scalar } from "@tensorflow/tfjs-core";
import type { PredictedField, RunConfig } from "../config/types.js";
import { AtmorepError } from "../errors.js";
import type { Prediction } from "../model/types.js";
import { weightedMean } from "./reduce.js";
import { mse } from "./squared.js";
import { getLoss } from "./table.js";
import type { LossInputs } from "./types.js";

/** What a predicted field is compared with; `valid` and `area` as in `LossInputs`. */
export interface FieldTarget extends Pick<LossInputs, "target" | "valid" | "area"> {
  /** true if the field hides no token: the tensors then hold one row that does not count */
  empty?: boolean;
}

/** One loss of one field, before weighting. */
export interface LossTerm {
  loss: string;
  field: string;
  value: Scalar;
}

export interface TotalLoss {
  /** sum of weight * value over losses and fields, over the sum of the weights */
  total: Scalar;
  /** losses in the configured order, for each the predicted fields in theirs */
  terms: LossTerm[];
  /** mean squared error of the ensemble mean, per predicted field; null for a field without hidden tokens */
  mse: (Scalar | null)[];
  /** mean spread, per predicted field; null for a field without hidden tokens */
  spread: (Scalar | null)[];
}

/** Names of the losses of a configuration that read the latitudes. */
export function needsArea(config: Pick<RunConfig, "losses">): boolean {
  return config.losses.some((name) => getLoss(name).area);
}

/**
 * Every loss of every predicted field, and their total.
 * A field whose batch has no hidden token adds no term and no weight.
 *
 * @param predicted predicted fields in the order of `predictions` and `targets`
 * @throws AtmorepError `config` for an unknown loss, `failed` if no term has a weight
 */
export function totalLoss(
  config: Pick<RunConfig, "losses"> & Partial<Pick<RunConfig, "loss_weights">>,
  predicted: readonly PredictedField[],
  predictions: readonly Prediction[],
  targets: readonly FieldTarget[],
): TotalLoss {
  const filled = predicted.map((_, p) => !targets[p].empty);
  const terms: LossTerm[] = [];
  let sum: Scalar | null = null;
  let weights = 0;
  config.losses.forEach((name, l) => {
    const { fn } = getLoss(name);
    predicted.forEach(({ field, weight: fieldWeight }, p) => {
      if (!filled[p]) return;
      const value = fn({ ...predictions[p], ...targets[p] });
      terms.push({ loss: name, field: field.name, value });
      const weight = fieldWeight * (config.loss_weights?.[l] ?? 1);
      if (weight === 0) return;
      const weighted = mul(value, weight) as Scalar;
      sum = sum ? (add(sum, weighted) as Scalar) : weighted;
      weights += weight;
    });
  });
  if (!sum || weights === 0) {
    throw new AtmorepError("failed", "nothing to train on: no loss has a weight and hidden tokens", {
      where: "losses",
      found: { losses: config.losses, hiddenTokens: targets.map(({ target, empty }) => (empty ? 0 : target.shape[0])) },
      fix: "Check loss_weights, the weights of fields_prediction and the masking rates.",
    });
  }
  const perField = (value: (p: number) => Scalar) => predicted.map((_, p) => (filled[p] ? value(p) : null));
  return {
    total: div(sum, weights) as Scalar,
    terms,
    mse: perField((p) => mse({ ...targets[p], mean: predictions[p].mean })),
    spread: perField((p) => weightedMean(predictions[p].std, targets[p].valid ?? null)),
  };
}
