/** Times of one optimiser step on random data of a configuration's shapes; no store is opened. */
import * as tf from "@tensorflow/tfjs-core";
import { type PlainBatch, plainBatch } from "../batches/plain.js";
import { disposeBatch, type StepBatch, toTensors } from "../batches/tensors.js";
import { checkConfig } from "../checks/validate.js";
import { parseFields } from "../config/fields.js";
import type { Field, RunConfig } from "../config/types.js";
import type { CubeBatch, FieldCube } from "../data/types.js";
import type { Prepared } from "../engine/engine.js";
import { type EngineName, openEngine } from "../engine/index.js";
import { needsArea, totalLoss } from "../losses/index.js";
import { createMaskGenerators, maskBatch } from "../masking/index.js";
import { countParameters, forward, initParameters } from "../model/index.js";
import type { Params } from "../model/types.js";
import { derive, type Generator } from "../random/index.js";
import {
  disposeGradients,
  disposeState,
  initState,
  type StepContext,
  type StepModel,
  stepGradients,
  stepModel,
  trainStep,
} from "../step/step.js";
import { median } from "./median.js";

export interface Times {
  /** seconds */
  median: number;
  min: number;
}

export interface StepBenchmark {
  engine: EngineName;
  description: string;
  threads: number;
  parameters: number;
  /** tokens that the network sees of one sample, over all fields and levels */
  tokens: number;
  samples: number;
  /** masked tokens of each predicted field */
  masked: number[];
  repeats: number;
  step: Times;
  /** forward is measured by itself; the others are differences of medians */
  parts: { forward: number; backward: number; optimiser: number };
  samplesPerSecond: number;
  /** seconds of the first step, which sets the engine up */
  firstStep: number;
  /** bytes */
  peakRss: number;
  /** weighted total of the last step */
  loss: number;
}

export interface StepBenchmarkOptions {
  engine?: "auto" | EngineName;
  /** steps that count */
  repeats?: number;
  /** steps before those */
  warmup?: number;
}

/**
 * Times the train step of `config`.
 *
 * @throws AtmorepError (config) if the configuration has faults
 *
 * @example
 * const { step } = await benchStep(resolveConfig({ preset: "storm" }).config);
 * console.log(step.median);
 */
export async function benchStep(
  config: RunConfig,
  { engine: name = "auto", repeats = 10, warmup = 2 }: StepBenchmarkOptions = {},
): Promise<StepBenchmark> {
  checkConfig(config);
  const engine = await openEngine(name);
  const model = stepModel(config);
  const context = { engine, model };
  const plain = randomBatch(config, model);
  const params = Object.fromEntries(
    [...initParameters(model.spec, 1)].map(([key, { shape, data }]) => [key, tf.tensor(data, shape)]),
  );
  const batch = toTensors(plain);
  let state = initState(params, config);
  const times = { forward: [] as number[], gradients: [] as number[], step: [] as number[] };
  const forward = forwardOf(context);
  let firstStep = 0;
  let loss = Number.NaN;
  try {
    for (let i = 0; i < warmup + repeats; i++) {
      const forwardTime = await seconds(() => forwardOnly(forward, { params: state.params, batch }));
      const gradientTime = await seconds(() => gradientsOnly(context, state.params, batch));
      const stepTime = await seconds(async () => {
        const done = await trainStep(context, state, [batch], {
          learningRate: 1e-4,
          dropoutSeeds: [[1, i]],
          step: i + 1,
        });
        state = done.state;
        loss = done.result.total;
      });
      if (i === 0) firstStep = stepTime;
      if (i < warmup) continue;
      times.forward.push(forwardTime);
      times.gradients.push(gradientTime);
      times.step.push(stepTime);
    }
  } finally {
    forward.release();
    disposeState(state);
    disposeBatch(batch);
  }
  const [forwardMedian, gradientMedian, stepMedian] = [times.forward, times.gradients, times.step].map(median);
  return {
    engine: engine.name,
    description: engine.description,
    threads: engine.threads,
    parameters: countParameters(model.spec),
    tokens: model.spec.fields.reduce((sum, { L, N }) => sum + L * N, 0),
    samples: plain.samples,
    masked: plain.targets.map(({ M }) => M),
    repeats,
    step: { median: stepMedian, min: Math.min(...times.step) },
    parts: {
      forward: forwardMedian,
      backward: Math.max(0, gradientMedian - forwardMedian),
      optimiser: Math.max(0, stepMedian - gradientMedian),
    },
    samplesPerSecond: plain.samples / stepMedian,
    firstStep,
    peakRss: process.resourceUsage().maxRSS * 1024,
    loss,
  };
}

interface ForwardInputs {
  params: Params;
  batch: StepBatch;
}

/** The total alone. */
const forwardOf = ({ engine, model: { config, spec, predicted } }: StepContext): Prepared<ForwardInputs, tf.Scalar> =>
  engine.prepare("forward", ({ params, batch: { inputs, targets } }, dropoutSeed) => {
    const predictions = forward(params, spec, inputs, { dropoutSeed });
    return totalLoss(config, predicted, predictions, targets).total;
  });

async function forwardOnly(forward: Prepared<ForwardInputs, tf.Scalar>, inputs: ForwardInputs): Promise<void> {
  const value = await forward.call(inputs, [1, 0]);
  await value.data();
  value.dispose();
}

async function gradientsOnly(context: StepContext, params: Params, batch: StepBatch): Promise<void> {
  const gradients = await stepGradients(context, params, batch, [1, 0]);
  await gradients.norm.data();
  disposeGradients(gradients);
}

async function seconds(work: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}

/** Normally distributed tokens with plausible token infos, masked by the configuration's own strategy. */
export function randomBatch(config: RunConfig, { predicted }: StepModel): PlainBatch {
  const fields = parseFields(config);
  const rng = derive(7, "bench");
  const cube: CubeBatch = {
    draw: { timeIndex: 0, places: Array.from({ length: config.batch_size }, () => [90, 180]) },
    windows: [],
    fields: fields.map((field) => randomCube(field, config.batch_size, rng)),
  };
  const masked = maskBatch(cube, fields, config, createMaskGenerators({ ...config, rng_seed: 1 }, fields));
  const [, ny] = fields[0].numTokens;
  const rows = Array.from({ length: ny * fields[0].tokenSize[1] }, (_, y) => 40 + y);
  const lats = needsArea(config) ? cube.draw.places.map(() => rows) : null;
  return plainBatch(masked, predicted, lats);
}

function randomCube({ name, L, N, D, levels, numTokens, tokenSize }: Field, B: number, rng: Generator): FieldCube {
  const infos = new Float32Array(L * B * N * 8);
  for (let l = 0; l < L; l++) {
    for (let token = 0; token < B * N; token++) {
      const n = token % N;
      const level = levels[l];
      infos.set([2021, 100, n % 24, level, 40 + (n % 30), n % 360, level, 0.25], (l * B * N + token) * 8);
    }
  }
  return {
    name,
    shape: [L, B, ...numTokens, ...tokenSize],
    tokens: Float32Array.from(rng.standardNormal(L * B * N * D)),
    infos,
    valid: null,
  };
}
