/** Gradients and numbers of a step over the batches of several processes. */
import * as tf from "@tensorflow/tfjs-core";
import type { Communicator } from "../distributed/index.js";
import { tidied } from "../engine/tree.js";
import { AtmorepError } from "../errors.js";
import type { Params } from "../model/types.js";
import type { StepModel } from "./batchGradients.js";
import { type NormedGradients, normedGradients } from "./stepGradients.js";
import { mergeSums, type ResultSums } from "./stepResult.js";

/** Over the batches of all processes. */
export interface SharedGradients extends NormedGradients {
  sums: ResultSums;
}

/** Errors that every process of a run has thrown, at the same place. */
const shared = new WeakSet<object>();

/** True for an error that the other processes have thrown too: each can tidy up before it ends. */
export const isShared = (error: unknown): boolean => typeof error === "object" && error !== null && shared.has(error);

/**
 * Adds up, in the order of the ranks. With one batch a process the result has the bits of one process that accumulates as
 * many batches.
 *
 * @param grads of this process's batches; a name may be missing
 * @param batches of all processes
 * @param fault message if this process's numbers are not finite
 * @returns tensors that the caller disposes
 * @throws AtmorepError (failed) in every process if one of them has a fault
 */
export async function shareGradients(
  communicator: Communicator,
  model: StepModel,
  params: Params,
  grads: Params,
  { sums, batches, fault }: { sums: ResultSums; batches: number; fault: string | null },
): Promise<SharedGradients> {
  const names = Object.keys(params);
  const absent = names.filter((name) => !(name in grads));
  const all = await communicator.gather({ sums, absent, fault });
  const faulty = all.findIndex((other) => other.fault !== null);
  if (faulty >= 0) {
    const error = new AtmorepError("failed", `process ${faulty}: ${all[faulty].fault}`);
    shared.add(error);
    throw error;
  }
  const missing = new Set(all.map((other) => other.absent).reduce((a, b) => a.filter((name) => b.includes(name))));
  const present = names.filter((name) => !missing.has(name));
  const sizes = present.map((name) => params[name].size);
  const flat = new Float32Array(sizes.reduce((a, b) => a + b, 0));
  let at = 0;
  for (const [i, name] of present.entries()) {
    if (grads[name]) flat.set((await grads[name].data()) as Float32Array, at);
    at += sizes[i];
  }
  await communicator.sum(flat);
  const tensors = tidied(() => {
    let from = 0;
    const summed: Params = {};
    for (const [i, name] of present.entries()) {
      summed[name] = tf.tensor(flat.slice(from, from + sizes[i]), params[name].shape, "float32");
      from += sizes[i];
    }
    return normedGradients(summed, batches, model.config);
  });
  return { ...tensors, sums: mergeSums(all.map((other) => other.sums)) };
}
