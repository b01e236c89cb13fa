/** What a run would do and need, without doing it: `--dry-run`. */
import { parseFields } from "../config/fields.js";
import { resolveStorePath } from "../config/resolve.js";
import { withSeeds } from "../config/seeds.js";
import type { RunConfig } from "../config/types.js";
import { loadCubes } from "../data/loader.js";
import { drawEpoch } from "../data/sampling.js";
import { openStore } from "../data/store.js";
import { createMaskGenerators, maskBatch } from "../masking/index.js";
import { countParameters, type ModelSpec, modelSpec } from "../model/index.js";
import { type TrainOptions, withOverfit } from "./options.js";
import { checkAgainstStore, checkConfig } from "./validateRun.js";

export interface MemoryEstimate {
  /** bytes of weights, gradients and both moments of AdamW */
  parameters: number;
  /** bytes that the backward pass keeps, for one batch */
  activations: number;
  total: number;
}

export interface Plan {
  parameters: number;
  epochs: number;
  stepsPerEpoch: number;
  steps: number;
  validationSamples: number;
  memory: MemoryEstimate;
  /** shapes of the first batch, by field */
  firstBatch: Record<string, { tokens: number[]; infos: number[]; target: number[] }>;
  warnings: string[];
}

const FLOAT = 4;
/** Copies of every parameter: itself, its gradient, two moments. */
const PARAMETER_COPIES = 4;
/** Arrays of the width of a token that one attention block and one MLP keep for the backward pass (measured on WASM). */
const KEPT_PER_BLOCK = { attention: 8, mlp: 9 };

/**
 * Memory of a train step: exact for parameters, within a factor of about 1.5 for activations (attention matrices are
 * recomputed head by head and not kept).
 */
export function estimateMemory(spec: ModelSpec, batchSize: number): MemoryEstimate {
  const parameters = countParameters(spec) * FLOAT * PARAMETER_COPIES;
  const perLayer = KEPT_PER_BLOCK.attention + KEPT_PER_BLOCK.mlp;
  let floats = 0;
  for (const [f, { L, N, D, width }] of spec.fields.entries()) {
    const rows = batchSize * L * N;
    const layers = spec.encoder.layers + (spec.predicted.includes(f) ? spec.decoder.layers : 0);
    floats += rows * (2 * D + width * (2 + layers * perLayer));
    if (spec.predicted.includes(f)) floats += rows * spec.tail.members * (D * 3 + width);
  }
  const activations = floats * FLOAT;
  return { parameters, activations, total: parameters + activations };
}

/**
 * Parameters and memory of a valid configuration; needs no data.
 * @throws AtmorepError (config) naming every fault
 */
export function planNetwork(config: RunConfig): Pick<Plan, "parameters" | "memory"> {
  checkConfig(config);
  const spec = modelSpec(config);
  return { parameters: countParameters(spec), memory: estimateMemory(spec, config.batch_size) };
}

/**
 * Validates a run and says what it would do; reads one batch, writes nothing.
 * @throws AtmorepError (config, input) as `train`
 */
export async function planRun(given: RunConfig, options: TrainOptions = {}): Promise<Plan> {
  const config = withSeeds(withOverfit(given, options.overfit));
  const network = planNetwork(config);
  const store = await openStore(resolveStorePath(config.file_path, options.folder));
  try {
    const warnings = checkAgainstStore(config, store);
    const draws = drawEpoch({ config, store, split: "train", epoch: 0 });
    const validation = drawEpoch({ config, store, split: "validate", epoch: 0 });
    const fields = parseFields(config);
    const plan: Plan = {
      ...network,
      epochs: config.num_epochs,
      stepsPerEpoch: Math.floor(draws.length / config.grad_accumulation),
      steps: Math.min(
        options.maxSteps ?? Number.POSITIVE_INFINITY,
        Math.floor(draws.length / config.grad_accumulation) * config.num_epochs,
      ),
      validationSamples: validation.length * config.batch_size_validation,
      firstBatch: {},
      warnings,
    };
    for await (const cube of loadCubes({ storeLocation: store.location, store, config, draws: draws.slice(0, 1) })) {
      const masked = maskBatch(cube, fields, config, createMaskGenerators(config, fields));
      for (const { name, B, L, N, D, target } of masked.fields) {
        plan.firstBatch[name] = { tokens: [B, L, N, D], infos: [B, L, N, 8], target: [target.length / D, D] };
      }
    }
    return plan;
  } finally {
    await store.close();
  }
}
