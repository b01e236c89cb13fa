/** AdamW and the moving average as the configuration has them, and what a step gives. */
import type { Gradients } from "../engine/engine.js";
import type { PlainParams } from "../model/types.js";
import type { StepContext } from "./batchGradients.js";
import type { TrainState } from "./state.js";
import type { StepResult } from "./stepResult.js";

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

/** `state` is used up, as `Engine.update` says. */
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

/** The update and what the step gives; `state` is used up. */
export async function updated(
  context: StepContext,
  state: TrainState,
  gradients: Gradients,
  result: StepResult,
  { learningRate, keepGradients }: StepRates,
): Promise<StepOutcome> {
  const kept = keepGradients ? await scaled(state, gradients) : undefined;
  return { state: await nextState(context, state, gradients, learningRate), result, gradients: kept };
}

/** Averaged and clipped gradients as plain numbers. */
async function scaled({ params }: TrainState, { grads, scale }: Gradients): Promise<PlainParams> {
  const [factor] = await scale.data();
  const plain: PlainParams = new Map();
  for (const [name, values] of Object.entries(grads)) {
    const numbers = values instanceof Float32Array ? values : await values.data();
    const data = Float32Array.from(numbers, (value) => value * factor);
    plain.set(name, { shape: params[name].shape.slice(), data });
  }
  return plain;
}
