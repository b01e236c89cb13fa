/** How an epoch's batches are dealt to optimiser steps. */
import type { RunConfig } from "../config/types.js";
import { AtmorepError } from "../errors.js";

/** Of each epoch. */
export interface EpochSteps {
  /** batches of one step: `grad_accumulation` in each process */
  batchesPerStep: number;
  steps: number;
  /** batches at the end that fill no step and are not trained on */
  leftOver: number;
}

/**
 * @param batches of an epoch
 * @param processes that train together
 * @throws AtmorepError (config) if an epoch has no step: the run would validate again and again and learn nothing
 */
export function epochSteps(config: RunConfig, batches: number, processes = 1): EpochSteps {
  const { grad_accumulation, batch_size, num_samples_per_epoch } = config;
  const batchesPerStep = grad_accumulation * processes;
  const dealt = { batchesPerStep, steps: Math.floor(batches / batchesPerStep), leftOver: batches % batchesPerStep };
  if (dealt.steps > 0) return dealt;
  throw new AtmorepError("config", "an epoch has too few batches for one step", {
    where: "num_samples_per_epoch",
    found: `${num_samples_per_epoch}: ${batches} batches of ${batch_size} samples`,
    expected: `at least ${batchesPerStep} batches, ${grad_accumulation} (grad_accumulation) in each of ${processes} processes`,
    fix: `Set num_samples_per_epoch to ${batchesPerStep * batch_size} or more, or take less accumulation or fewer processes.`,
  });
}

/** What to say of batches that no step takes; null if there are none. */
export function leftOverText({ batchesPerStep, leftOver }: EpochSteps): string | null {
  if (leftOver === 0) return null;
  return `${leftOver} ${leftOver > 1 ? "batches" : "batch"} at the end of each epoch ${leftOver > 1 ? "are" : "is"} not trained on: a step takes ${batchesPerStep}`;
}
