/**
 * One optimiser step as a function of (parameters, optimiser state, batches, seeds, rates): gradients, numbers, update.
 * The numbers are looked at before the update, so that a step that went wrong changes nothing.
 */
import * as tf from "@tensorflow/tfjs-core";
import type { StepBatch } from "../batches/tensors.js";
import { ALONE, type Communicator } from "../distributed/index.js";
import type { Gradients } from "../engine/engine.js";
import { isAtmorepError } from "../errors.js";
import { toPlain } from "../model/tensors.js";
import type { Params, PlainParams } from "../model/types.js";
import type { StepContext, StepModel } from "./batchGradients.js";
import { findNonFinite, nonFiniteError } from "./nonFinite.js";
import { type SharedGradients, shareGradients } from "./sharedStep.js";
import type { TrainState } from "./state.js";
import { disposeGradients, type StepGradients, stepGradients } from "./stepGradients.js";
import { decodeNumbers } from "./stepNumbers.js";
import { readResult, resultIsFinite, resultSums, type StepResult } from "./stepResult.js";

export {
  type BatchGradients,
  batchGradients,
  type StepContext,
  type StepModel,
  stepModel,
} from "./batchGradients.js";
export { disposeState, initState, type TrainState } from "./state.js";
export { disposeGradients, stepGradients } from "./stepGradients.js";
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
  context: StepContext,
  state: TrainState,
  batches: readonly StepBatch[],
  rates: StepRates,
  communicator: Communicator = ALONE,
): Promise<StepOutcome> {
  const own = await stepGradients(context, state.params, batches, rates.dropoutSeeds);
  try {
    const { sums, gradientNorm } = await readNumbers(own);
    const result = readResult(sums, gradientNorm);
    const check = () => assertFinite(context.model, result, batches, state.params, own.grads, rates.step);
    if (communicator.size === 1) {
      await check();
      return await updated(context, state, own, result, rates);
    }
    const fault = await faultOf(check);
    const all = { sums, batches: batches.length * communicator.size, fault };
    const shared = await shareGradients(communicator, context.model, state.params, own.grads, all);
    try {
      const [norm] = await shared.norm.data();
      return await updated(context, state, shared, readResult(shared.sums, norm), rates);
    } finally {
      disposeShared(shared);
    }
  } finally {
    disposeGradients(own);
  }
}

/** The sums over the batches, and the norm of the averaged gradients. */
async function readNumbers({ norm, numbers }: StepGradients) {
  const [gradientNorm] = await norm.data();
  return { sums: resultSums(await Promise.all(numbers.map(decodeNumbers))), gradientNorm };
}

async function updated(
  context: StepContext,
  state: TrainState,
  gradients: Gradients,
  result: StepResult,
  { learningRate, keepGradients }: StepRates,
): Promise<StepOutcome> {
  const kept = keepGradients ? await scaled(gradients) : undefined;
  return { state: await nextState(context, state, gradients, learningRate), result, gradients: kept };
}

/** AdamW and the moving average as the configuration has them. `state` is used up, as `Engine.update` says. */
export const nextState = (
  { engine, model: { config } }: StepContext,
  state: TrainState,
  gradients: Gradients,
  learningRate: number,
): Promise<TrainState> =>
  engine.update(state, gradients, {
    learningRate,
    weightDecay: config.weight_decay,
    emaDecay: config.ema_decay ?? 0,
  });

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

/** The message of the error that `check` throws, or null. */
async function faultOf(check: () => Promise<void>): Promise<string | null> {
  try {
    await check();
    return null;
  } catch (error) {
    if (isAtmorepError(error)) return error.message;
    throw error;
  }
}

function disposeShared({ grads, scale, norm }: SharedGradients): void {
  tf.dispose([scale, norm, ...Object.values(grads)]);
}

/** Averaged and clipped gradients as plain numbers. */
async function scaled({ grads, scale }: Gradients): Promise<PlainParams> {
  const [factor] = await scale.data();
  const plain = await toPlain(grads);
  for (const { data } of plain.values()) for (let i = 0; i < data.length; i++) data[i] *= factor;
  return plain;
}
