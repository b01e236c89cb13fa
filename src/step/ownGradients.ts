/** The gradients of this process's batches of a step, added up as far as it can by itself. */
import * as tf from "@tensorflow/tfjs-core";
import type { StepBatch } from "../batches/tensors.js";
import { type Communicator, ownNodes, type Span, sumNode } from "../distributed/index.js";
import type { Seed } from "../engine/engine.js";
import type { Params } from "../model/types.js";
import type { StepContext } from "./batchGradients.js";
import { addGradients, partGradients } from "./stepGradients.js";
import { type BatchNumbers, decodeNumbers } from "./stepNumbers.js";

export interface OwnGradients {
  /** of each of the process's nodes of the tree of batches */
  nodes: Params[];
  /** of each batch */
  numbers: BatchNumbers[];
}

/**
 * @param seeds of each batch; null: no dropout
 * @returns tensors that `disposeOwn` releases
 */
export async function ownGradients(
  context: StepContext,
  params: Params,
  batches: readonly StepBatch[],
  seeds: readonly Seed[] | null,
  { rank, size }: Pick<Communicator, "rank" | "size">,
): Promise<OwnGradients> {
  const first = rank * batches.length;
  const numbers: BatchNumbers[] = [];
  const nodes: Params[] = [];
  const batch = async (k: number): Promise<Params> => {
    const found = await partGradients(context, params, batches[k - first], seeds?.[k - first] ?? null);
    numbers.push(await decodeNumbers(found.numbers));
    found.numbers.values.dispose();
    return found.grads;
  };
  for (const node of nodesOf(context, { start: first, end: first + batches.length }, batches.length * size)) {
    nodes.push(await sumNode(node, batch, (a, b) => addGradients(context, a, b)));
  }
  return { nodes, numbers };
}

/** The library's own sum is given one number a process. */
function nodesOf({ model: { config } }: StepContext, own: Span, total: number): Span[] {
  return config.reduction === "fast" ? [own] : ownNodes(own, total);
}

export const disposeOwn = ({ nodes }: OwnGradients): void => {
  for (const grads of nodes) tf.dispose(Object.values(grads));
};
