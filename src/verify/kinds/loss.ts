/**
 * Losses and their gradients by the members: `spec_float64` for values; for gradients the original's, except of the
 * losses that are defective there, which are compared with central differences of the formulas in float64.
 */
import * as tf from "@tensorflow/tfjs-core";
import { predictedFields } from "../../config/fields.js";
import type { PredictedField, RunConfig } from "../../config/types.js";
import { callOnce } from "../../engine/callOnce.js";
import { type Engine, openEngine } from "../../engine/index.js";
import { ensembleMean, ensembleStd } from "../../engine/kernels/index.js";
import { toFloat32 } from "../../formats/safetensors.js";
import { getLoss } from "../../losses/table.js";
import { totalLoss } from "../../losses/total.js";
import type { LossInputs } from "../../losses/types.js";
import { compare, TOLERANCES } from "../compare.js";
import type { Comparison, GoldenCase, KindRunner } from "../types.js";
import { lossAndGradient, POINT_FORMULAS } from "./lossFormulas.js";

/** The original's gradients of these are not those of their formulas. */
const DEFECTIVE = new Set(["crps", "kernel_crps", "weighted_mse"]);

export const runner: KindRunner = async (golden, { engine }) => {
  const opened = await openEngine(engine);
  tf.engine().startScope();
  try {
    return await compareCase(golden, opened);
  } finally {
    tf.engine().endScope();
  }
};

async function compareCase(golden: GoldenCase, engine: Engine): Promise<Comparison[]> {
  const config = golden.config as unknown as RunConfig;
  const expected = golden.values.spec_float64 as Record<string, Record<string, number>>;
  const weights = golden.values.loss_weights as number[];
  const predicted = predictedFields(config).map((field, p) => ({ ...field, weight: weights[p] }));
  const fields = predicted.map((_, p) => readInputs(golden, p));
  const comparisons: Comparison[] = [];
  const gradients = fields.map(() => new Map<string, Float64Array>());
  for (const [p, inputs] of fields.entries()) {
    for (const name of config.losses) {
      const { fn } = getLoss(name);
      const [value, actual] = await callOnce(engine, "loss", inputs, (own) => [
        fn(own),
        tf.grad((ens) => fn(withEnsemble(own, ens)))(own.ens),
      ]);
      comparisons.push(compare(`${name}.${p}`, value.dataSync(), [expected[p][name]], TOLERANCES.loss));
      const gradient = referenceGradient(golden, name, p, inputs);
      gradients[p].set(name, gradient);
      comparisons.push(compare(`grad.${name}.${p}`, actual.dataSync(), gradient, TOLERANCES.gradient));
    }
  }
  comparisons.push(...(await compareTotal(engine, config, predicted, fields, expected, gradients)));
  return comparisons;
}

function readInputs({ tensors }: GoldenCase, p: number): LossInputs {
  const read = (name: string) => {
    const found = tensors.get(`in.${name}.${p}`);
    return found ? tf.tensor(toFloat32(found), found.shape) : null;
  };
  const need = (name: string) => {
    const tensor = read(name);
    if (!tensor) throw new Error(`in.${name}.${p} is missing`);
    return tensor;
  };
  return {
    target: need("target"),
    mean: need("mean"),
    std: need("std"),
    ens: need("ens"),
    area: read("weights_true"),
  };
}

const withEnsemble = (inputs: LossInputs, ens: tf.Tensor): LossInputs => ({
  ...inputs,
  ens,
  mean: ensembleMean(ens),
  std: ensembleStd(ens),
});

function referenceGradient({ tensors }: GoldenCase, name: string, p: number, inputs: LossInputs): Float64Array {
  const original = tensors.get(`out.grad.${name}.${p}`);
  if (original && !DEFECTIVE.has(name)) return Float64Array.from(toFloat32(original));
  const { target, ens, area } = inputs;
  const weights = getLoss(name).area && area ? area.dataSync() : null;
  const shape = ens.shape as [number, number, number];
  return lossAndGradient(POINT_FORMULAS[name], target.dataSync(), ens.dataSync(), shape, weights).gradient;
}

async function compareTotal(
  engine: Engine,
  config: RunConfig,
  predicted: PredictedField[],
  fields: LossInputs[],
  expected: Record<string, Record<string, number>>,
  gradients: Map<string, Float64Array>[],
): Promise<Comparison[]> {
  const sum = config.losses.length * predicted.reduce((all, { weight }) => all + weight, 0);
  const share = (p: number) => predicted[p].weight / sum;
  let total = 0;
  for (const [p] of predicted.entries()) for (const name of config.losses) total += share(p) * expected[p][name];
  const [value, ...actual] = await callOnce(engine, "total_loss", fields, (own) => {
    const of = (ens: readonly tf.Tensor[]) => {
      const inputs = own.map((field, p) => withEnsemble(field, ens[p]));
      return totalLoss({ losses: config.losses }, predicted, inputs, inputs).total;
    };
    const members = own.map(({ ens }) => ens);
    return [of(members), ...tf.grads((...ens) => of(ens))(members)];
  });
  return [
    compare("total", value.dataSync(), [total], TOLERANCES.loss),
    ...actual.map((gradient, p) => {
      const reference = new Float64Array(gradient.size);
      for (const part of gradients[p].values()) {
        for (let i = 0; i < reference.length; i++) reference[i] += share(p) * part[i];
      }
      return compare(`grad.total.${p}`, gradient.dataSync(), reference, TOLERANCES.gradient);
    }),
  ];
}
