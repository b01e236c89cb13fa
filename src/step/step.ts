/**
 * One optimiser step as a function of (parameters, optimiser state, batches, seeds, rates): gradients, numbers, update.
 * The numbers are looked at before the update, so that a step that went wrong changes nothing.
 */
import type { StepBatch } from "../batches/tensors.js";
import { ALONE, type Communicator } from "../distributed/index.js";
import type { StepContext } from "./batchGradients.js";
import { nonFiniteOf } from "./nonFinite.js";
import { sharedStep } from "./sharedStep.js";
import type { TrainState } from "./state.js";
import { disposeGradients, stepGradients } from "./stepGradients.js";
import { decodeNumbers } from "./stepNumbers.js";
import { readResult, resultIsFinite, resultSums } from "./stepResult.js";
import { type StepOutcome, type StepRates, updated } from "./update.js";

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
export { nextState, type StepOutcome, type StepRates } from "./update.js";

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
  if (batches.length * communicator.size > 1) return sharedStep(context, state, batches, rates, communicator);
  const [batch] = batches;
  const own = await stepGradients(context, state.params, batch, rates.dropoutSeeds?.[0] ?? null);
  try {
    const [gradientNorm] = await own.norm.data();
    const result = readResult(resultSums([await decodeNumbers(own.numbers)]), gradientNorm);
    if (!resultIsFinite(result)) {
      const suspects = { terms: result.terms, batches, params: state.params, grads: [own.grads] };
      throw (await nonFiniteOf(context.model, suspects, rates.step)).error;
    }
    return await updated(context, state, own, result, rates);
  } finally {
    disposeGradients(own);
  }
}
