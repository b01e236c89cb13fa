/** The train step as calls into a compiling engine: one for loss and gradients, one for the update. */
import type * as tf from "@tensorflow/tfjs-core";
import type { StepBatch } from "../batches/tensors.js";
import {
  type CompiledFunction,
  type CompiledUpdate,
  compileAdamw,
  compileFunction,
  createVariables,
  ownCopy,
  type Signature,
  updateInPlace,
  type Variables,
} from "../engine/compile/index.js";
import type { Kernels } from "../engine/jit/operations.js";
import { jitKernels } from "../engine/jit/register.js";
import type { Tensorflow } from "../engine/tensorflow/index.js";
import type { Params } from "../model/types.js";
import { adamwConstants, adamwRates } from "./adamw.js";
import { batchGradients, combine, type NumberNames, type StepGradients, type StepModel } from "./batchGradients.js";
import { collectGarbage } from "./garbage.js";
import { padBatch } from "./pad.js";
import { onDispose, releaseFormer, type TrainState } from "./state.js";

/** Groups of samples or tokens in a compiled graph: as many as operations run at once, whatever the number of threads. */
export const LANES = 2;

interface CompiledGradients extends NumberNames {
  call: CompiledFunction;
  /** parameters that have a gradient */
  names: string[];
}

/** What is compiled for a model, by shapes; it lives as long as the model. */
interface Compiled {
  gradients: Map<string, CompiledGradients>;
  updates: Map<string, CompiledUpdate>;
}

const compiled = new WeakMap<StepModel, Compiled>();
const variables = new WeakMap<TrainState, { names: string; held: Variables }>();

function compiledFor(model: StepModel): Compiled {
  let found = compiled.get(model);
  if (!found) {
    found = { gradients: new Map(), updates: new Map() };
    compiled.set(model, found);
  }
  return found;
}

/**
 * Gradients, clipping factor and numbers of one batch, as `combine([batchGradients(...)])` gives them.
 * @returns tensors that the caller disposes
 */
export async function compiledGradients(
  engine: Tensorflow,
  model: StepModel,
  params: Params,
  given: StepBatch,
  seed: readonly [number, number] | null,
): Promise<StepGradients & NumberNames> {
  const { batch, release } = padBatch(given, tokenCounts(model, given));
  try {
    const { gradients } = compiledFor(model);
    const inputs = [...Object.values(params), ...batchTensors(batch)];
    const shapes = inputs.map(({ shape, dtype }): Signature => ({ shape: [...shape], dtype }));
    const key = JSON.stringify([shapes, batch.targets.map(({ empty }) => empty ?? false), seed !== null]);
    let found = gradients.get(key);
    if (!found) {
      found = traceGradients(engine, model, Object.keys(params), batch, shapes, seed !== null);
      gradients.set(key, found);
      // once the engine has its own copies, what they were made from and what tracing left need not wait for the peak
      engine.backend.getInputTensorIds(inputs);
      collectGarbage();
    }
    const { call, names, terms, hidden } = found;
    const [numbers, scale, ...grads] = await call.run(inputs, seed ?? undefined);
    return {
      grads: Object.fromEntries(names.map((name, i) => [name, grads[i]])),
      scale: scale as tf.Scalar,
      numbers: numbers as tf.Tensor1D,
      terms,
      hidden,
    };
  } finally {
    release();
  }
}

/** Tokens of each predicted field in a batch, over samples and levels. */
export function tokenCounts({ spec }: StepModel, { inputs }: StepBatch): number[] {
  return spec.predicted.map((f) => {
    const [B, L, N] = inputs.fields[f].tokens.shape;
    return B * L * N;
  });
}

function traceGradients(
  engine: Tensorflow,
  model: StepModel,
  paramNames: string[],
  batch: StepBatch,
  shapes: Signature[],
  seeded: boolean,
): CompiledGradients {
  let names: string[] = [];
  let numberNames: NumberNames = { terms: [], hidden: [] };
  const call = compileFunction(
    engine,
    "train_step",
    shapes,
    (inputs) => {
      const params = Object.fromEntries(paramNames.map((name, i) => [name, inputs[i]]));
      // the seed given here is an offset to the one that each call is fed
      const part = batchGradients(
        model,
        params,
        withTensors(batch, inputs.slice(paramNames.length)),
        seeded ? [0, 0] : null,
        LANES,
      );
      const { grads, scale, numbers } = combine([part], model.config);
      names = Object.keys(grads);
      numberNames = { terms: part.terms, hidden: part.hidden };
      part.numbers.dispose();
      return [numbers, scale, ...Object.values(grads)];
    },
    { seeded },
  );
  return { call, names, ...numberNames };
}

/** The tensors of a batch in a fixed order. */
export function batchTensors({ inputs, targets }: StepBatch): tf.Tensor[] {
  return [
    ...inputs.fields.flatMap(({ tokens, infos }) => [tokens, infos]),
    ...inputs.rows,
    ...targets.flatMap(({ target, valid, area }) =>
      [target, valid, area].filter((tensor) => tensor !== null && tensor !== undefined),
    ),
  ];
}

/** A batch like another, with these tensors in the order of `batchTensors`. */
export function withTensors({ inputs, targets }: StepBatch, tensors: readonly tf.Tensor[]): StepBatch {
  let at = 0;
  const next = () => tensors[at++];
  const fields = inputs.fields.map(() => ({ tokens: next(), infos: next() }));
  const rows = inputs.rows.map(next);
  return {
    inputs: { ...inputs, fields, rows },
    targets: targets.map(({ valid, area, ...rest }) => ({
      ...rest,
      target: next(),
      valid: valid ? next() : valid,
      area: area ? next() : area,
    })),
  };
}

/**
 * AdamW and the moving average in place. `state` is used up: its tensors are released, since TensorFlow copies a
 * variable before changing it as long as somebody else holds its elements.
 */
export async function compiledUpdate(
  engine: Tensorflow,
  model: StepModel,
  state: TrainState,
  { grads, scale }: Pick<StepGradients, "grads" | "scale">,
  learningRate: number,
): Promise<TrainState> {
  const kernels = jitKernels(engine);
  if (kernels) return updatedInPlace(engine, kernels, model, state, { grads, scale }, learningRate);
  const { config } = model;
  const names = Object.keys(state.params).filter((name) => grads[name]);
  const { params, optimizer, ema } = state;
  const records = [params, optimizer.m, optimizer.v, ...(ema ? [ema] : [])];
  const held = heldVariables(engine, state, records, names);
  const key = JSON.stringify([names.length, ema !== null]);
  const { updates } = compiledFor(model);
  const options = { weightDecay: config.weight_decay };
  let update = updates.get(key);
  if (!update) {
    const { beta1, beta2, eps } = adamwConstants(options);
    update = compileAdamw(engine, names.length, { beta1, beta2, eps, emaDecay: ema ? (config.ema_decay ?? 0) : null });
    updates.set(key, update);
  }
  const rates = adamwRates(learningRate, optimizer.updates + 1, options);
  const { backend } = engine;
  const gradientIds = backend.getInputTensorIds(names.map((name) => grads[name]));
  const [scaleId, ratesId] = backend.getInputTensorIds([scale, rates]);
  for (const record of records) for (const name of names) record[name].dispose();
  const results = await update.run(held.handles, gradientIds, scaleId, ratesId);
  rates.dispose();
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

/** The same by a kernel of our own: the state's tensors themselves change, without copies of those that have no clones. */
async function updatedInPlace(
  engine: Tensorflow,
  kernels: Kernels,
  { config }: StepModel,
  { params, optimizer, ema }: TrainState,
  { grads, scale }: Pick<StepGradients, "grads" | "scale">,
  learningRate: number,
): Promise<TrainState> {
  const names = Object.keys(params).filter((name) => grads[name]);
  const options = { weightDecay: config.weight_decay };
  const updates = optimizer.updates + 1;
  const own = (record: Params): Params => {
    const changed = names.map((name) => [name, ownCopy(engine, record[name])]);
    return { ...record, ...Object.fromEntries(changed) };
  };
  const next: TrainState = {
    params: own(params),
    optimizer: { m: own(optimizer.m), v: own(optimizer.v), updates },
    ema: ema && own(ema),
  };
  const parameters = names.map((name) => ({
    p: next.params[name],
    m: next.optimizer.m[name],
    v: next.optimizer.v[name],
    gradient: grads[name],
    average: next.ema?.[name] ?? null,
  }));
  const rates = adamwRates(learningRate, updates, options);
  const constants = { ...adamwConstants(options), emaDecay: ema ? (config.ema_decay ?? 0) : null };
  try {
    await updateInPlace(engine, kernels, constants, parameters, { scale, rates });
  } finally {
    rates.dispose();
  }
  return next;
}

/** The variables behind a state, made on its first update. */
function heldVariables(engine: Tensorflow, state: TrainState, records: readonly Params[], names: string[]): Variables {
  const found = variables.get(state);
  variables.delete(state);
  if (found?.names === JSON.stringify(names)) return found.held;
  found?.held.release();
  return createVariables(
    engine,
    records.flatMap((record) => names.map((name) => record[name])),
  );
}
