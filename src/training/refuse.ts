/** What keeps a run from starting, beside its configuration and its store. */
import type { RunConfig } from "../config/types.js";
import { readCube } from "../data/cube.js";
import type { Store } from "../data/store.js";
import type { Draw } from "../data/types.js";
import { type Communicator, launchOf } from "../distributed/index.js";
import { AtmorepError } from "../errors.js";
import type { Continuation } from "../runs/continue.js";

/** Faults of the data that show in the first batches are found before anything is written. */
export async function readOneBatch(config: RunConfig, store: Store, draws: Draw[]): Promise<void> {
  for (const draw of draws) await readCube(store, config, draw);
}

/** @throws AtmorepError (usage) if nothing is left to do or the epoch in progress has another length now */
export function checkContinuation(
  config: RunConfig,
  { runId, checkpoint: { state } }: Continuation,
  draws: (epoch: number) => Draw[],
  maxSteps: number | undefined,
): void {
  if (state.epoch >= config.num_epochs) {
    throw new AtmorepError("usage", "the run has finished", {
      where: runId,
      found: `${state.epoch} epochs done`,
      expected: `num_epochs above ${state.epoch}`,
      fix: `Give it more: --set num_epochs=${state.epoch + 6}`,
    });
  }
  if (maxSteps !== undefined && (state.step > maxSteps || (state.step === maxSteps && state.batch === 0))) {
    throw new AtmorepError("usage", "the run has done these steps already", {
      where: "--max-steps",
      found: `${maxSteps}; ${state.step} steps done`,
      expected: `more than ${state.step}, since it counts the steps of the whole run`,
      fix: `--max-steps ${state.step + 100}`,
    });
  }
  const batches = draws(state.epoch).length;
  if (state.batch > batches) {
    throw new AtmorepError("usage", "the epoch in progress is shorter now", {
      where: runId,
      found: `${batches} batches an epoch, ${state.batch} of them done`,
      fix: "Keep num_samples_per_epoch, batch_size and the dates, or start anew with --init-from.",
    });
  }
}

/** Several processes that do not know of each other would each train the whole run. */
export function assertJoined({ size }: Communicator): void {
  const launch = launchOf();
  if (!launch || size > 1) return;
  throw new AtmorepError("usage", "this process is one of several that do not train together", {
    where: launch.variable,
    found: launch.size,
    fix: "Train with the command (srun --mpi=pmix npx atmorep train), give train a communicator, or start one task.",
  });
}
