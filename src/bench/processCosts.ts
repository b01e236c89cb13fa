/** What one process of a run needs by itself, measured here; nothing is written. */
import { freemem } from "node:os";
import { WASM_FLOPS } from "../checks/estimate.js";
import { planNetwork } from "../checks/plan.js";
import type { RunConfig } from "../config/types.js";
import { openEngine } from "../engine/index.js";
import type { ProcessCosts } from "./scaling.js";
import { benchStep } from "./step.js";

const FLOAT = 4;
/** Of free memory: what a step's arrays may take, engine and process aside. */
const FREE_SHARE = 0.5;
/** Floating point operations a second and thread, on slow machines; a step that takes longer than this is not tried out. */
const FLOPS = { native: 30e9, wasm: WASM_FLOPS };
const SECONDS_TRIED = 10;

/** Times of one batch of a run, in seconds. */
export interface BatchTimes {
  reading: number;
  masking: number;
}

/**
 * Costs of `config`: a step on random numbers is timed, twice.
 * @returns null where a step is too large to be tried out
 * @throws AtmorepError (config) naming every fault
 */
export async function processCosts(config: RunConfig, batch: BatchTimes): Promise<ProcessCosts | null> {
  const { name, threads } = await openEngine("auto");
  const { stepFlops, parameters, memory } = planNetwork(config);
  if (stepFlops / FLOPS[name] / threads > SECONDS_TRIED || memory.total > freemem() * FREE_SHARE) return null;
  const { parts } = await benchStep(config, { engine: name, warmup: 1, repeats: 2 });
  const weights = parameters * FLOAT;
  const averaged = config.ema_decay ? 1 : 0;
  return {
    ...batch,
    threads,
    gradients: parts.forward + parts.backward,
    forward: parts.forward,
    update: parts.optimiser,
    gradientBytes: weights,
    // the weights of the epoch and the latest, and the state with both moments
    savedBytes: weights * (2 + 3 + averaged),
  };
}
