/** Predictions as one call into an engine that compiles, by shapes. */
import * as tf from "@tensorflow/tfjs-core";
import type { StepBatch } from "../batches/tensors.js";
import { type CompiledFunction, compileFunction } from "../engine/compile/index.js";
import { compiler } from "../engine/native.js";
import { forward } from "../model/forward.js";
import type { Params, Prediction } from "../model/types.js";
import type { StepModel } from "./batchGradients.js";
import { batchTensors, LANES, tokenCounts, withTensors } from "./compiledStep.js";
import { padBatch } from "./pad.js";

const compiled = new WeakMap<StepModel, Map<string, CompiledFunction>>();

/**
 * `forward` without dropout, one prediction a predicted field; compiled where the engine compiles, for as many hidden
 * tokens as the next twelfth of a field's.
 *
 * @returns tensors that the caller disposes
 */
export async function predictions(model: StepModel, params: Params, given: StepBatch): Promise<Prediction[]> {
  const engine = compiler();
  if (!engine) return forward(params, model.spec, given.inputs);
  const { batch, release } = padBatch(given, tokenCounts(model, given));
  // of a batch only what the network sees is fed; the targets keep their places without tensors
  const seen: StepBatch = { ...batch, targets: [] };
  try {
    const names = Object.keys(params);
    const inputs = [...Object.values(params), ...batchTensors(seen)];
    const shapes = inputs.map(({ shape, dtype }) => ({ shape: [...shape], dtype }));
    const calls = compiled.get(model) ?? new Map<string, CompiledFunction>();
    compiled.set(model, calls);
    const key = JSON.stringify(shapes);
    const call =
      calls.get(key) ??
      compileFunction(engine, "predict", shapes, (tensors) => {
        const own = Object.fromEntries(names.map((name, i) => [name, tensors[i]]));
        const { inputs } = withTensors(seen, tensors.slice(names.length));
        return forward(own, model.spec, inputs, { lanes: LANES }).flatMap(({ mean, std, ens }) => [mean, std, ens]);
      });
    calls.set(key, call);
    const outputs = await call.run(inputs);
    return given.inputs.rows.map(({ shape: [M] }, p) => {
      const [mean, std, ens] = outputs.slice(3 * p, 3 * p + 3).map((tensor) => firstRows(tensor, M));
      return { mean, std, ens } as Prediction;
    });
  } finally {
    release();
  }
}

/** The first rows of a tensor, which is released. */
function firstRows(tensor: tf.Tensor, rows: number): tf.Tensor {
  if (tensor.shape[0] === rows) return tensor;
  const [, ...rest] = tensor.shape;
  const kept = tf.slice(tensor, [0, ...rest.map(() => 0)], [rows, ...rest]);
  tensor.dispose();
  return kept;
}
