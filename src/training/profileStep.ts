/** One train step of a configuration, kernel by kernel, on random data. */
import * as tf from "@tensorflow/tfjs-core";
import type { RunConfig } from "../config/types.js";
import { openEngine } from "../engine/index.js";
import { profile, type Trace } from "../engine/profile.js";
import { initParameters } from "../model/index.js";
import { disposeBatch, toTensors } from "./batch.js";
import { randomBatch, type StepBenchmarkOptions } from "./bench.js";
import { disposeState, initState, stepModel, trainStep } from "./step.js";
import { checkConfig } from "./validateRun.js";

/**
 * Traces the second step, operation by operation, since a compiled step is one call.
 * @throws AtmorepError (config) if the configuration has faults
 * @example await writeFile("step.json", JSON.stringify(await profileStep(config)));
 */
export async function profileStep(
  config: RunConfig,
  { engine = "auto" }: Pick<StepBenchmarkOptions, "engine"> = {},
): Promise<Trace> {
  checkConfig(config);
  await openEngine(engine);
  const compile = process.env.ATMOREP_COMPILE;
  process.env.ATMOREP_COMPILE = "0";
  const model = stepModel(config);
  const batch = toTensors(randomBatch(config, model));
  const start = [...initParameters(model.spec, 1)].map(([key, { shape, data }]) => [key, tf.tensor(data, shape)]);
  let state = initState(Object.fromEntries(start), config);
  const step = async (number: number) => {
    const rates = { learningRate: 1e-4, dropoutSeeds: [[1, number]] as [number, number][], step: number };
    state = (await trainStep(model, state, [batch], rates)).state;
  };
  try {
    await step(1);
    return (await profile("train step", () => step(2))).trace;
  } finally {
    disposeState(state);
    disposeBatch(batch);
    if (compile === undefined) delete process.env.ATMOREP_COMPILE;
    else process.env.ATMOREP_COMPILE = compile;
  }
}
