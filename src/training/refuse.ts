/** What keeps a run from starting, beside its configuration and its store. */
import { createHash } from "node:crypto";
import { readConfigFile } from "../config/text/files.js";
import type { RunConfig } from "../config/types.js";
import { readCube } from "../data/cube.js";
import type { Store } from "../data/store.js";
import type { Draw } from "../data/types.js";
import { type Communicator, launchOf } from "../distributed/index.js";
import { AtmorepError } from "../errors.js";
import { bytesOf } from "../formats/tensors.js";
import type { Continuation } from "../runs/continue.js";
import { configPath } from "../runs/folder.js";

/**
 * Faults of the data that show in the first batches are found before anything is written.
 * @returns SHA-256 of what was read, 16 hexadecimal digits of it
 */
export async function readOneBatch(config: RunConfig, store: Store, draws: Draw[]): Promise<string> {
  const hash = createHash("sha256");
  for (const draw of draws) {
    for (const { tokens } of (await readCube(store, config, draw)).fields) hash.update(bytesOf(tokens));
  }
  return hash.digest("hex").slice(0, 16);
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

/** Samples of one step over all processes, and how they come about. */
function stepSize({ batch_size, grad_accumulation, par_size }: RunConfig): [samples: number, text: string] {
  const samples = batch_size * grad_accumulation * par_size;
  return [samples, `${samples} samples (${par_size} x ${grad_accumulation} x ${batch_size})`];
}

/** What to say where a run goes on with steps of another size than before; null if it does not. */
export function otherStepSize(config: RunConfig, { folder, runId }: Continuation): string | null {
  const before = stepSize({ ...config, ...readConfigFile(configPath(folder.resultsDir, runId)).values } as RunConfig);
  const now = stepSize(config);
  if (before[0] === now[0]) return null;
  return `a step takes ${now[1]} now, processes x grad_accumulation x batch_size; ${before[1]} before: the run goes on with other numbers`;
}

/** @throws AtmorepError (config) for keys that several processes cannot honour */
export function assertShares({ par_size, with_ddp, optimizer_zero, save_grads }: RunConfig): void {
  if (par_size === 1) return;
  if (!with_ddp) {
    throw new AtmorepError("config", "the work is not to be shared, and several processes were started", {
      where: "with_ddp",
      found: `false, in ${par_size} processes`,
      fix: "Share it: --set with_ddp=true. Or start one process.",
    });
  }
  if (optimizer_zero && save_grads) {
    throw new AtmorepError("config", "no process has the gradients and moments that are to be written", {
      where: "save_grads",
      found: `true, with optimizer_zero in ${par_size} processes`,
      fix: "Set one of the two to false.",
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
