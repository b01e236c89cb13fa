/**
 * One optimiser step as a function of (parameters, optimiser state, batch, seeds, rates). Engines that can compile run
 * loss and gradients as one call, and the update as another: between them the numbers are looked at, so that a step
 * that went wrong changes nothing.
 */
import * as tf from "@tensorflow/tfjs-core";
import type { StepBatch } from "../batches/tensors.js";
import type { RunConfig } from "../config/types.js";
import { ALONE, type Communicator } from "../distributed/index.js";
import { compiler } from "../engine/native.js";
import { isAtmorepError } from "../errors.js";
import { toPlain } from "../model/tensors.js";
import type { Params, PlainParams } from "../model/types.js";
import { adamwRates, adamwUpdate } from "./adamw.js";
import { batchGradients, combine, type NumberNames, type StepGradients, type StepModel } from "./batchGradients.js";
import { compiledGradients, compiledUpdate } from "./compiledStep.js";
import { emaUpdate } from "./ema.js";
import { findNonFinite, nonFiniteError } from "./nonFinite.js";
import { shareGradients } from "./sharedStep.js";
import { releaseFormer, type TrainState } from "./state.js";
import { readResult, resultIsFinite, resultSums, type StepResult } from "./stepResult.js";

export { type BatchGradients, batchGradients, type StepModel, stepModel } from "./batchGradients.js";
export { disposeState, initState, type TrainState } from "./state.js";
export type { StepResult } from "./stepResult.js";

/** What changes from step to step. */
export interface StepRates {
  learningRate: number;
  /** per batch the run's seed and a number of its own; null: no dropout */
  dropoutSeeds: readonly (readonly [seed: number, step: number])[] | null;
  /** number of the step, for messages */
  step: number;
  /** also read the gradients */
  keepGradients?: boolean;
}

/** What a step gives. */
export interface StepOutcome {
  state: TrainState;
  result: StepResult;
  /** averaged and clipped, if asked for */
  gradients?: PlainParams;
}

/**
 * One optimiser step over `batches` (one, or `grad_accumulation` of them, whose gradients are averaged, over all
 * processes of the run).
 * The tensors of `state` that the new state does not hold are released; the batches stay the caller's.
 *
 * @throws AtmorepError `failed` if a loss or the gradients are not finite, naming the step, the terms, the fields and
 *   the tensors with bad values; `state` then is as it was
 */
export async function trainStep(
  model: StepModel,
  state: TrainState,
  batches: readonly StepBatch[],
  rates: StepRates,
  communicator: Communicator = ALONE,
): Promise<StepOutcome> {
  if (communicator.size > 1) return sharedTrainStep(model, state, batches, rates, communicator);
  const { grads, scale, numbers, parts } = await stepGradients(model, state.params, batches, rates.dropoutSeeds);
  try {
    const [gradientNorm, ...values] = await numbers.data();
    const result = readResult(resultSums(parts, values), gradientNorm);
    await assertFinite(model, result, batches, state.params, grads, rates.step);
    const gradients = rates.keepGradients ? await scaled(grads, scale) : undefined;
    return { state: await nextState(model, state, { grads, scale }, rates.learningRate), result, gradients };
  } finally {
    tf.dispose([scale, numbers, ...Object.values(grads)]);
  }
}

async function assertFinite(
  { config, predicted }: StepModel,
  result: StepResult,
  batches: readonly StepBatch[],
  params: Params,
  grads: Params,
  step: number,
): Promise<void> {
  if (resultIsFinite(result)) return;
  const names = { fields: config.fields.map(([name]) => name), predicted: predicted.map(({ field }) => field.name) };
  throw nonFiniteError(step, await findNonFinite({ terms: result.terms, batches, names, params, grads }));
}

/** The step with the gradients of all processes. */
async function sharedTrainStep(
  model: StepModel,
  state: TrainState,
  batches: readonly StepBatch[],
  rates: StepRates,
  communicator: Communicator,
): Promise<StepOutcome> {
  const { params } = state;
  const { grads: own, scale, numbers, parts } = await stepGradients(model, params, batches, rates.dropoutSeeds);
  let shared: Awaited<ReturnType<typeof shareGradients>> | null = null;
  try {
    const [norm, ...values] = await numbers.data();
    const sums = resultSums(parts, values);
    const fault = await assertFinite(model, readResult(sums, norm), batches, params, own, rates.step).then(
      () => null,
      (error) => {
        if (isAtmorepError(error)) return error.message;
        throw error;
      },
    );
    const all = { sums, batches: batches.length * communicator.size, fault };
    shared = await shareGradients(communicator, model, params, own, all);
    const [gradientNorm] = await shared.norm.data();
    const result = readResult(shared.sums, gradientNorm);
    const gradients = rates.keepGradients ? await scaled(shared.grads, shared.scale) : undefined;
    return { state: await nextState(model, state, shared, rates.learningRate), result, gradients };
  } finally {
    tf.dispose([scale, numbers, ...Object.values(own)]);
    if (shared) tf.dispose([shared.scale, shared.norm, ...Object.values(shared.grads)]);
  }
}

async function scaled(grads: Params, scale: tf.Scalar): Promise<PlainParams> {
  const factor = (await scale.data())[0];
  const plain = await toPlain(grads);
  for (const { data } of plain.values()) for (let i = 0; i < data.length; i++) data[i] *= factor;
  return plain;
}

/**
 * Gradients over the batches of a step.
 * @returns tensors that the caller disposes
 */
export async function stepGradients(
  model: StepModel,
  params: Params,
  batches: readonly StepBatch[],
  seeds: StepRates["dropoutSeeds"],
): Promise<StepGradients & { parts: NumberNames[] }> {
  const engine = compiler();
  if (!engine) {
    const parts = batches.map((batch, k) => batchGradients(model, params, batch, seeds?.[k] ?? null));
    return sumUp(parts, model.config);
  }
  const parts: (StepGradients & NumberNames)[] = [];
  for (const [k, batch] of batches.entries()) {
    parts.push(await compiledGradients(engine, model, params, batch, seeds?.[k] ?? null));
  }
  if (parts.length === 1) return { ...parts[0], parts };
  // each batch's own norm stands before its numbers
  const withoutNorm = parts.map((part) => {
    const numbers = tf.slice(part.numbers, 1);
    tf.dispose([part.scale, part.numbers]);
    return { ...part, numbers };
  });
  return sumUp(withoutNorm, model.config);
}

/** `combine`, which releases the parts. */
function sumUp<T extends NumberNames & { grads: Params; numbers: tf.Tensor1D }>(
  parts: T[],
  config: RunConfig,
): StepGradients & { parts: NumberNames[] } {
  const combined = combine(parts, config);
  const kept = new Set<tf.Tensor>(Object.values(combined.grads));
  for (const { grads, numbers } of parts) {
    tf.dispose([numbers, ...Object.values(grads).filter((gradient) => !kept.has(gradient))]);
  }
  return { ...combined, parts };
}

/**
 * AdamW and the moving average, by one call on engines that compile. What the new state does not hold of the former one
 * is released.
 */
export async function nextState(
  model: StepModel,
  state: TrainState,
  gradients: Pick<StepGradients, "grads" | "scale">,
  learningRate: number,
): Promise<TrainState> {
  const engine = compiler();
  if (engine) return compiledUpdate(engine, model, state, gradients, learningRate);
  const { params, optimizer, ema } = state;
  const { grads, scale } = gradients;
  const { config } = model;
  const updates = optimizer.updates + 1;
  const options = { weightDecay: config.weight_decay };
  const next = tf.tidy(() => {
    const rates = adamwRates(learningRate, updates, options);
    const { params: p, state } = adamwUpdate(params, grads, optimizer, rates, scale, options);
    return { p, m: state.m, v: state.v, ema: ema ? emaUpdate(ema, p, config.ema_decay ?? 0, grads) : {} };
  });
  const renewed = { params: next.p, optimizer: { m: next.m, v: next.v, updates }, ema: ema && next.ema };
  releaseFormer(state, renewed);
  return renewed;
}
