/** A step of several batches, in one process or several: their gradients added up, looked at, and the update. */
import * as tf from "@tensorflow/tfjs-core";
import type { StepBatch } from "../batches/tensors.js";
import { type Communicator, markShared } from "../distributed/index.js";
import type { Gradient } from "../engine/engine.js";
import { AtmorepError } from "../errors.js";
import type { Params } from "../model/types.js";
import type { StepContext } from "./batchGradients.js";
import { clipFactor } from "./gradients.js";
import { nonFiniteOf } from "./nonFinite.js";
import { disposeOwn, type OwnGradients, ownGradients } from "./ownGradients.js";
import { layoutOf, sharedGradients } from "./sharedGradients.js";
import type { TrainState } from "./state.js";
import { mergeSums, type ResultSums, readResult, resultIsFinite, resultSums } from "./stepResult.js";
import { type StepOutcome, type StepRates, updated } from "./update.js";
import { gatherParameters, ownersOf } from "./zero.js";

/** As `trainStep`. */
export async function sharedStep(
  context: StepContext,
  state: TrainState,
  batches: readonly StepBatch[],
  rates: StepRates,
  communicator: Communicator,
): Promise<StepOutcome> {
  const { engine, model } = context;
  const { params } = state;
  const count = batches.length * communicator.size;
  const own = await ownGradients(context, params, batches, rates.dropoutSeeds, communicator);
  const fault = () => faultOf(context, params, batches, own, rates.step, communicator);
  try {
    const { sums, absent, finite } = await exchanged(own, params, communicator);
    if (!finite) throw await fault();
    const owners = ownersOf(params, model.config, communicator);
    const layout = layoutOf(params, absent, owners, communicator);
    const grads: Record<string, Gradient> =
      communicator.size === 1
        ? own.nodes[0]
        : await sharedGradients(context, communicator, own, layout, batches.length);
    const squares = await engine.squares(Object.values(grads));
    // each knows those of its part; what is not finite is null on its way
    const all = owners ? (await communicator.gather(squares)).flat().map((value) => value ?? Number.NaN) : squares;
    const norm = Math.sqrt(all.reduce((a, b) => a + b, 0)) / count;
    const result = readResult(sums, Math.fround(norm));
    if (!resultIsFinite(result)) throw await fault();
    const scale = tf.scalar(clipFactor(norm, model.config.grad_clip) / count);
    try {
      const outcome = await updated(context, state, { grads, scale }, result, rates);
      if (owners) await gatherParameters(engine, communicator, outcome.state, layout);
      return outcome;
    } finally {
      scale.dispose();
    }
  } finally {
    disposeOwn(own);
  }
}

interface Exchanged {
  /** over the batches of all processes */
  sums: ResultSums;
  /** names without a gradient in any batch */
  absent: Set<string>;
  /** of all losses */
  finite: boolean;
}

/** What each process says of its batches before their gradients are added up. */
async function exchanged(
  { nodes, numbers }: OwnGradients,
  params: Params,
  communicator: Communicator,
): Promise<Exchanged> {
  const sums = resultSums(numbers);
  const absent = Object.keys(params).filter((name) => nodes.every((grads) => !grads[name]));
  const all = await communicator.gather({ sums, absent, finite: resultIsFinite(readResult(sums, 0)) });
  const missing = all.map((other) => other.absent).reduce((a, b) => a.filter((name) => b.includes(name)));
  return {
    sums: mergeSums(all.map((other) => other.sums)),
    absent: new Set(missing),
    finite: all.every((other) => other.finite),
  };
}

/** The same error in every process: of the first in which something is not finite. */
async function faultOf(
  { model }: StepContext,
  params: Params,
  batches: readonly StepBatch[],
  { nodes, numbers }: OwnGradients,
  step: number,
  communicator: Communicator,
): Promise<AtmorepError> {
  const { terms } = readResult(resultSums(numbers), 0);
  const { error, found } = await nonFiniteOf(model, { terms, batches, params, grads: nodes }, step);
  if (communicator.size === 1) return error;
  const all = await communicator.gather({ found, message: error.message });
  const first = Math.max(
    0,
    all.findIndex((other) => other.found > 0),
  );
  const shared = new AtmorepError("failed", `process ${first}: ${all[first].message}`);
  markShared(shared);
  return shared;
}
