/** Three AdamW steps on one batch: `values.steps`, `grad1.*`, `param3.*`, and the first step's predictions. */
import * as tf from "@tensorflow/tfjs-core";
import { plainBatch } from "../../batches/plain.js";
import { type StepBatch, toTensors } from "../../batches/tensors.js";
import type { PredictedField, RunConfig } from "../../config/types.js";
import { adamwConstants } from "../../engine/adamw.js";
import { type Engine, openEngine } from "../../engine/index.js";
import { toFloat32, toNumbers } from "../../formats/safetensors.js";
import type { MaskedField } from "../../masking/types.js";
import { pow } from "../../math/index.js";
import { namesOf } from "../../model/names.js";
import { parameterTable } from "../../model/parameters.js";
import type { Params } from "../../model/types.js";
import { predictBatch } from "../../prediction/predictBatch.js";
import {
  disposeGradients,
  disposeState,
  initState,
  nextState,
  type StepContext,
  type StepModel,
  stepGradients,
  stepModel,
} from "../../step/step.js";
import { type BatchNumbers, decodeNumbers } from "../../step/stepNumbers.js";
import { compare, compareJson, TOLERANCES } from "../compare.js";
import type { Comparison, GoldenCase, KindRunner } from "../types.js";

interface Values {
  lr: number;
  weight_decay: number;
  betas: [number, number];
  eps: number;
  steps: { total: number; mse: number; losses: Record<string, number[]>; mean_std: number }[];
  parameters_without_gradient: string[];
}

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
  const values = golden.values as unknown as Values;
  const { weight_decay } = values;
  const config = { ...golden.config, weight_decay, loss_weights: null, ema_decay: null } as unknown as RunConfig;
  const model = stepModel(config);
  const context = { engine, model };
  const batch = toTensors(plainBatch(readMasked(golden, model), model.predicted));
  const { beta1, beta2, eps } = adamwConstants({ weightDecay: weight_decay });
  const comparisons = [
    compareJson("betas and eps", [beta1, beta2, eps], [...values.betas, values.eps]),
    ...(await comparePredictions(golden, context, batch)),
  ];
  const initial = readParameters(golden, model);
  let state = initState(readParameters(golden, model), config);
  for (const [k, expected] of values.steps.entries()) {
    const found = await stepGradients(context, state.params, batch, null);
    const numbers = await decodeNumbers(found.numbers);
    comparisons.push(...compareNumbers(`step${k + 1}`, numbers, expected, model.predicted));
    if (k === 0) comparisons.push(...compareGradients(golden, found.grads, state.params, values));
    state = await nextState(context, state, found, values.lr);
    disposeGradients(found);
  }
  comparisons.push(...compareParameters(golden, state.params, initial, values));
  disposeState(state);
  return comparisons;
}

/** The case's inputs as a masked batch of the program. */
function readMasked({ tensors }: GoldenCase, { spec, config }: StepModel): { fields: MaskedField[] } {
  const need = (name: string) => {
    const tensor = tensors.get(name);
    if (!tensor) throw new Error(`${name} is missing`);
    return tensor;
  };
  const fields = spec.fields.map(({ L, N, D }, f): MaskedField => {
    const tokens = need(`in.tokens.${f}`);
    const p = spec.predicted.indexOf(f);
    const idx = Array.from({ length: L }, (_, l) =>
      tensors.has(`in.idx.${f}.${l}`) ? Int32Array.from(toNumbers(need(`in.idx.${f}.${l}`))) : new Int32Array(0),
    );
    return {
      name: config.fields[f][0],
      L,
      B: tokens.shape[0],
      N,
      D,
      source: toFloat32(tokens),
      infos: toFloat32(need(`in.token_infos.${f}`)),
      target: p < 0 ? new Float32Array(0) : toFloat32(need(`in.target.${p}`)),
      valid: null,
      idx,
      count: [],
      kind: [],
    };
  });
  return { fields };
}

/** The tensor of a state-dict name, under either name of an embedding. */
function entry({ tensors }: GoldenCase, prefix: string, name: string): Float32Array | null {
  const found = namesOf(name).flatMap((own) => tensors.get(`${prefix}.${own}`) ?? [])[0];
  return found ? toFloat32(found) : null;
}

function readParameters(golden: GoldenCase, { spec }: StepModel): Params {
  return Object.fromEntries(
    parameterTable(spec).map(({ name, shape }) => {
      const data = entry(golden, "param0", name);
      if (!data) throw new Error(`param0.${name} is missing`);
      return [name, tf.tensor(data, shape)];
    }),
  );
}

/** As validation takes them: compiled where the engine compiles. */
async function comparePredictions(golden: GoldenCase, context: StepContext, batch: StepBatch): Promise<Comparison[]> {
  const { predictions } = await predictBatch(context, readParameters(golden, context.model), batch, { members: true });
  return predictions.flatMap((prediction, p) =>
    (["mean", "std", "ens"] as const).flatMap((name) => {
      const expected = golden.tensors.get(`out1.pred.${p}.${name}`);
      const actual = prediction[name]!;
      return expected ? [compare(`out1.pred.${p}.${name}`, actual, toFloat32(expected), TOLERANCES.network)] : [];
    }),
  );
}

function compareNumbers(
  step: string,
  { total, terms, mse, spread }: BatchNumbers,
  expected: Values["steps"][number],
  predicted: readonly PredictedField[],
): Comparison[] {
  // every field of a case hides tokens
  const mean = (mse as number[]).reduce((a, b) => a + b, 0) / predicted.length;
  const one = (name: string, actual: number, value: number) =>
    compare(`${step}.${name}`, [actual], [value], TOLERANCES.loss);
  return [
    one("total", total, expected.total),
    one("mse", mean, expected.mse),
    one("mean_std", spread[0] as number, expected.mean_std),
    ...terms.map(({ loss, field, value }) => {
      const p = predicted.findIndex((candidate) => candidate.field.name === field);
      return one(`${loss}.${p}`, value, expected.losses[loss][p]);
    }),
  ];
}

/** Adding it shifts all logits of a query alike: its gradient is zero but for rounding, which AdamW turns into moves. */
const SHIFTS_ALL_LOGITS = /\.ln_k\.bias$/;

function compareGradients(golden: GoldenCase, grads: Params, params: Params, values: Values): Comparison[] {
  const without = Object.keys(params).filter((name) => !grads[name]);
  const comparisons = [
    compareJson("parameters_without_gradient", without.sort(), [...values.parameters_without_gradient].sort()),
  ];
  for (const [name, gradient] of Object.entries(grads)) {
    const expected = entry(golden, "grad1", name);
    const tensor = `grad1.${name}`;
    const actual = gradient.dataSync();
    if (!expected) comparisons.push({ tensor, ok: false, maxError: Infinity, ratio: Infinity, detail: "not expected" });
    else if (SHIFTS_ALL_LOGITS.test(name)) {
      comparisons.push(compare(tensor, actual, new Float32Array(actual.length), { atol: 1e-7, rtol: 0 }));
    } else comparisons.push(compare(tensor, actual, expected, TOLERANCES.gradient));
  }
  return comparisons;
}

function compareParameters(golden: GoldenCase, params: Params, initial: Params, values: Values): Comparison[] {
  const { lr, weight_decay, steps } = values;
  return Object.entries(params).map(([name, parameter]) => {
    const expected = entry(golden, "param3", name);
    const tensor = `param3.${name}`;
    const actual = parameter.dataSync();
    if (!expected) return { tensor, ok: false, maxError: Infinity, ratio: Infinity, detail: "not expected" };
    if (SHIFTS_ALL_LOGITS.test(name)) {
      const decayed = initial[name].dataSync().map((value) => value * pow(1 - lr * weight_decay, steps.length));
      return compare(tensor, actual, decayed, { atol: steps.length * lr, rtol: 0 });
    }
    if (values.parameters_without_gradient.includes(name)) {
      return compare(tensor, actual, expected, TOLERANCES.exact);
    }
    return compare(tensor, actual, expected, TOLERANCES.parameter);
  });
}
