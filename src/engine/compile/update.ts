/** AdamW and the moving average as one call that changes the state in place. */
import * as tf from "@tensorflow/tfjs-core";
import { adamwConstants, adamwRates, type UpdateSettings } from "../adamw.js";
import { asTensors } from "../eager/inMemory.js";
import type { Gradients, Tensors } from "../engine.js";
import type { Kernels } from "../jit/operations.js";
import { jitKernels } from "../jit/register.js";
import { onDispose, releaseFormer, type TrainState } from "../state.js";
import type { Tensorflow } from "../tensorflow/index.js";
import { type CompiledUpdate, compileAdamw } from "./adamw.js";
import { ownCopy, updateInPlace } from "./inPlace.js";
import { createVariables, type Variables } from "./variables.js";

/** As `Engine.update`: by a kernel of our own where there are such, else on TensorFlow's variables. */
export async function compiledUpdate(
  engine: Tensorflow,
  state: TrainState,
  gradients: Gradients,
  settings: UpdateSettings,
): Promise<TrainState> {
  const names = Object.keys(state.params).filter((name) => gradients.grads[name]);
  const rates = tf.tensor1d(adamwRates(settings.learningRate, state.optimizer.updates + 1, settings));
  const work = { names, state, gradients, settings, rates };
  try {
    const kernels = jitKernels(engine);
    return kernels ? await byKernel(engine, kernels, work) : await onVariables(engine, work);
  } finally {
    rates.dispose();
  }
}

interface Work {
  /** of the parameters that change */
  names: readonly string[];
  state: TrainState;
  gradients: Gradients;
  settings: UpdateSettings;
  rates: tf.Tensor1D;
}

const updateConstants = (settings: UpdateSettings, { ema }: TrainState) => ({
  ...adamwConstants(settings),
  emaDecay: ema ? settings.emaDecay : null,
});

/** The state's tensors themselves change, without copies of those that have no clones. */
async function byKernel(engine: Tensorflow, kernels: Kernels, work: Work): Promise<TrainState> {
  const { names, state, settings, rates } = work;
  const { grads, scale } = work.gradients;
  const { params, optimizer, ema } = state;
  const own = (record: Tensors): Tensors => ({
    ...record,
    ...Object.fromEntries(names.map((name) => [name, ownCopy(engine, record[name])])),
  });
  const next: TrainState = {
    params: own(params),
    optimizer: { m: own(optimizer.m), v: own(optimizer.v), updates: optimizer.updates + 1 },
    ema: ema && own(ema),
  };
  const parameters = names.map((name) => ({
    p: next.params[name],
    m: next.optimizer.m[name],
    v: next.optimizer.v[name],
    gradient: grads[name],
    average: next.ema?.[name] ?? null,
  }));
  await updateInPlace(engine, kernels, updateConstants(settings, state), parameters, { scale, rates });
  return next;
}

/** What is kept of a state beside its tensors, from one update to the next. */
const variables = new WeakMap<TrainState, { names: string; held: Variables }>();
/** What is compiled, by the number of parameters and the settings. */
const compiled = new WeakMap<Tensorflow, Map<string, CompiledUpdate>>();

/**
 * The state's tensors are released before the call: TensorFlow copies a variable before changing it as long as
 * somebody else holds its elements.
 */
async function onVariables(engine: Tensorflow, work: Work): Promise<TrainState> {
  const { names, state, settings, rates } = work;
  const { params, optimizer, ema } = state;
  const { scale } = work.gradients;
  const { grads, release } = asTensors(work.gradients.grads, params);
  const records = [params, optimizer.m, optimizer.v, ...(ema ? [ema] : [])];
  const held = heldVariables(engine, state, records, names);
  const constants = updateConstants(settings, state);
  const updates = compiled.get(engine) ?? new Map<string, CompiledUpdate>();
  compiled.set(engine, updates);
  const { beta1, beta2, eps, emaDecay } = constants;
  const key = JSON.stringify([names.length, beta1, beta2, eps, emaDecay]);
  const update = updates.get(key) ?? compileAdamw(engine, names.length, constants);
  updates.set(key, update);
  const { backend } = engine;
  const gradientIds = backend.getInputTensorIds(names.map((name) => grads[name]));
  const [scaleId, ratesId] = backend.getInputTensorIds([scale, rates]);
  for (const record of records) for (const name of names) record[name].dispose();
  const results = await update.run(held.handles, gradientIds, scaleId, ratesId);
  release();
  const renewed = records.map((record, kind) => ({
    ...record,
    ...Object.fromEntries(names.map((name, i) => [name, backend.createOutputTensor(results[kind * names.length + i])])),
  }));
  const next: TrainState = {
    params: renewed[0],
    optimizer: { m: renewed[1], v: renewed[2], updates: optimizer.updates + 1 },
    ema: ema && renewed[3],
  };
  releaseFormer(state, next);
  variables.set(next, { names: JSON.stringify(names), held });
  onDispose(next, () => held.release());
  return next;
}

/** The variables behind a state, made on its first update. */
function heldVariables(
  engine: Tensorflow,
  state: TrainState,
  records: readonly Tensors[],
  names: readonly string[],
): Variables {
  const found = variables.get(state);
  variables.delete(state);
  if (found?.names === JSON.stringify(names)) return found.held;
  found?.held.release();
  return createVariables(
    engine,
    records.flatMap((record) => names.map((name) => record[name])),
  );
}
