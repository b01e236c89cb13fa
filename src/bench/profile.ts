/** One train step of a configuration, operation by operation, on random data. */
import * as tf from "@tensorflow/tfjs-core";
import { disposeBatch, toTensors } from "../batches/tensors.js";
import { checkConfig } from "../checks/validate.js";
import type { RunConfig } from "../config/types.js";
import { openEngine } from "../engine/index.js";
import type { Trace } from "../engine/profile.js";
import { initParameters } from "../model/index.js";
import { disposeState, initState, stepModel, trainStep } from "../step/step.js";
import { randomBatch, type StepBenchmarkOptions } from "./step.js";

/**
 * Traces the second step: the operations inside the compiled functions where the engine compiles (`ATMOREP_COMPILE`),
 * else the kernels that are called.
 * @throws AtmorepError (config) if the configuration has faults
 * @example await writeFile("step.json", JSON.stringify(await profileStep(config)));
 */
export async function profileStep(
  config: RunConfig,
  { engine: name = "auto" }: Pick<StepBenchmarkOptions, "engine"> = {},
): Promise<Trace> {
  checkConfig(config);
  const engine = await openEngine(name);
  const model = stepModel(config);
  const batch = toTensors(randomBatch(config, model));
  const start = [...initParameters(model.spec, 1)].map(([key, { shape, data }]) => [key, tf.tensor(data, shape)]);
  let state = initState(Object.fromEntries(start), config);
  const step = async (number: number) => {
    const rates = { learningRate: 1e-4, dropoutSeeds: [[1, number]] as [number, number][], step: number };
    state = (await trainStep({ engine, model }, state, [batch], rates)).state;
  };
  try {
    await step(1);
    const { trace } = await engine.profile("train step", () => step(2));
    return trace;
  } finally {
    disposeState(state);
    disposeBatch(batch);
  }
}
