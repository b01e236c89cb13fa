/** One optimiser step of a run. */
import type { PlainBatch } from "../batches/plain.js";
import { disposeBatch, toTensors } from "../batches/tensors.js";
import { type StepResult, trainStep } from "../step/step.js";
import { saveGradients } from "./saveGradients.js";
import type { Session } from "./session.js";

/** The tensors of the step's batches live only here. Other processes compute what is null in the group. */
export async function runStep(
  session: Session,
  group: (PlainBatch | null)[],
  learningRate: number,
): Promise<StepResult> {
  const { config, progress, communicator } = session;
  const step = progress.step + 1;
  const first = progress.step * group.length;
  const own = group.flatMap((batch, k) => (batch === null ? [] : [{ batch, number: first + k }]));
  const batches = own.map(({ batch }) => toTensors(batch));
  try {
    const seed = Number(config.torch_seed) % 2 ** 32;
    const dropoutSeeds = config.dropout_rate > 0 ? own.map(({ number }) => [seed, number] as const) : null;
    const remaining = session.draws(progress.epoch).length - progress.batch - group.length;
    const keepGradients = config.save_grads && session.writes && remaining < group.length;
    const ofThisStep = { learningRate, dropoutSeeds, step, keepGradients };
    const { state, result, gradients } = await trainStep(session, session.state, batches, ofThisStep, communicator);
    session.state = state;
    if (gradients) await saveGradients(session, gradients);
    return result;
  } finally {
    batches.forEach(disposeBatch);
  }
}
