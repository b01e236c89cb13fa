/** What a run would do and need, without doing it: `--dry-run`. */
import { withOverfit } from "../batches/overfit.js";
import { parseFields } from "../config/fields.js";
import { withSeeds } from "../config/seeds.js";
import type { RunConfig } from "../config/types.js";
import { readCube } from "../data/cube.js";
import type { TimesOfSplits } from "../data/gaps.js";
import { openData } from "../data/openData.js";
import { drawEpoch, timesOfSplits } from "../data/sampling.js";
import type { Store } from "../data/storeTypes.js";
import type { Draw } from "../data/types.js";
import { createMaskStreams, type LevelGenerators, maskBatch } from "../masking/index.js";
import { countParameters, modelSpec } from "../model/index.js";
import { epochSteps, leftOverText } from "./epochSteps.js";
import { estimateFlops, estimateMemory, type MemoryEstimate, WASM_FLOPS } from "./estimate.js";
import { checkAgainstStore, checkConfig } from "./validate.js";

const SECONDS_PER_DAY = 86_400;

export interface Plan {
  parameters: number;
  epochs: number;
  stepsPerEpoch: number;
  /** of all epochs, or as many as `maxSteps` allows */
  steps: number;
  /** samples of one step: `batch_size` times `grad_accumulation` times the processes */
  samplesPerStep: number;
  /** batches at the end of each epoch that fill no step */
  leftOverBatches: number;
  validationSamples: number;
  /** batches of one epoch and of one validation */
  batches: { train: number; validate: number };
  /** times drawn from, and those left out because their cubes would cross a gap in the store's times */
  times: TimesOfSplits;
  memory: MemoryEstimate;
  /**
   * batches whose masks each process draws in a step (`mask_streams: run` needs those of all), and of several processes the seconds
   * that one takes here
   */
  masking: { batches: number; seconds: number };
  /** of several processes, the seconds that reading one batch takes here */
  reading: number;
  /** floating point operations of one step */
  stepFlops: number;
  /** days of all epochs on the WASM engine, validation aside; epochs as long as the configuration asks for */
  days: number;
  /** shapes of the first batch, by field */
  firstBatch: Record<string, { tokens: number[]; infos: number[]; target: number[] }>;
  warnings: string[];
}

/**
 * Parameters, memory and time of a valid configuration; needs no data.
 * @throws AtmorepError (config) naming every fault
 */
export function planNetwork(config: RunConfig): Pick<Plan, "parameters" | "memory" | "stepFlops" | "days"> {
  checkConfig(config);
  const spec = modelSpec(config);
  const stepFlops = estimateFlops(spec, config.batch_size);
  const steps = Math.floor(config.num_samples_per_epoch / config.batch_size) * config.num_epochs;
  return {
    parameters: countParameters(spec),
    memory: estimateMemory(spec, config.batch_size),
    stepFlops,
    days: (steps * stepFlops) / WASM_FLOPS / SECONDS_PER_DAY,
  };
}

/** What of a run's options decides its plan. */
export interface PlanOptions {
  overfit?: number;
  /** optimiser steps of the whole run */
  maxSteps?: number;
  /** folder that a relative `file_path` is taken from first; default the current one */
  folder?: string;
  /** that train together; default 1 */
  processes?: number;
}

/**
 * Validates a run and says what it would do; reads one batch, writes nothing.
 * @throws AtmorepError (config, input) as `train`
 */
export async function planRun(given: RunConfig, options: PlanOptions = {}): Promise<Plan> {
  const config = withSeeds(withOverfit(given, options.overfit));
  const network = planNetwork(config);
  const store = await openData(config, options.folder);
  try {
    const warnings = checkAgainstStore(config, store);
    const draws = drawEpoch({ config, store, split: "train", epoch: 0 });
    const validation = drawEpoch({ config, store, split: "validate", epoch: 0 });
    const dealt = epochSteps(config, draws.length, options.processes);
    const leftOver = leftOverText(dealt);
    if (leftOver) warnings.push(leftOver);
    const fields = parseFields(config);
    const plan: Plan = {
      ...network,
      epochs: config.num_epochs,
      stepsPerEpoch: dealt.steps,
      steps: Math.min(options.maxSteps ?? Number.POSITIVE_INFINITY, dealt.steps * config.num_epochs),
      samplesPerStep: dealt.batchesPerStep * config.batch_size,
      leftOverBatches: dealt.leftOver,
      validationSamples: validation.length * config.batch_size_validation,
      batches: { train: draws.length, validate: validation.length },
      times: timesOfSplits(config, store),
      masking: {
        batches: config.mask_streams === "batch" ? config.grad_accumulation : dealt.batchesPerStep,
        seconds: 0,
      },
      reading: 0,
      firstBatch: {},
      warnings,
    };
    const cube = await readCube(store, config, draws[0]);
    const generators = createMaskStreams(config, fields).of({ split: "train", epoch: 0, batch: 0 });
    const masked = maskBatch(cube, fields, config, generators);
    if ((options.processes ?? 1) > 1) {
      const [began, read, ended] = await timeBatch(store, config, draws.at(-1) as Draw, generators);
      plan.reading = (read - began) / 1000;
      plan.masking.seconds = (ended - read) / 1000;
    }
    for (const { name, B, L, N, D, target } of masked.fields) {
      plan.firstBatch[name] = { tokens: [B, L, N, D], infos: [B, L, N, 8], target: [target.length / D, D] };
    }
    return plan;
  } finally {
    await store.close();
  }
}

/** Another batch than the first, with which all code runs for the first time. @returns when it began, was read, and was masked */
async function timeBatch(store: Store, config: RunConfig, draw: Draw, generators: LevelGenerators): Promise<number[]> {
  const began = performance.now();
  const cube = await readCube(store, config, draw);
  const read = performance.now();
  maskBatch(cube, parseFields(config), config, generators);
  return [began, read, performance.now()];
}
