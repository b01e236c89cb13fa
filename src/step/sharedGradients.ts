/** The sum of a step's gradients over the batches of all processes. */
import { type Communicator, equalParts, grown } from "../distributed/index.js";
import type { Gradient } from "../engine/engine.js";
import type { Params } from "../model/types.js";
import type { StepContext } from "./batchGradients.js";
import type { OwnGradients } from "./ownGradients.js";

/** Where the gradients of a step lie in memory, one parameter after the other. */
export interface Layout {
  /** of the parameters that have a gradient in some process, in their order */
  names: string[];
  /** where each begins, and where the last ends */
  at: number[];
  /** where each process's part ends */
  ends: number[];
  /** first and last (exclusive) of `names` whose sums this process needs: its part where parts are kept apart, else all */
  own: [from: number, to: number];
  apart: boolean;
}

/**
 * @param absent names without a gradient in any process
 * @param owners the parameters of each process, one process's after the other's; null: parts are equal and of no meaning
 */
export function layoutOf(
  params: Params,
  absent: ReadonlySet<string>,
  owners: readonly (readonly string[])[] | null,
  { rank, size }: Pick<Communicator, "rank" | "size">,
): Layout {
  const names = Object.keys(params).filter((name) => !absent.has(name));
  const at = [0];
  for (const name of names) at.push(at[at.length - 1] + params[name].size);
  const length = at[names.length];
  if (!owners) return { names, at, ends: equalParts(length, size), own: [0, names.length], apart: false };
  const present = new Set(names);
  let count = 0;
  const last = owners.map((own) => {
    count += own.filter((name) => present.has(name)).length;
    return count;
  });
  return { names, at, ends: last.map((k) => at[k]), own: [last[rank - 1] ?? 0, last[rank]], apart: true };
}

/** The sums of a process's nodes, one array each; kept from step to step. */
const arrays = new WeakMap<Communicator, Float32Array[]>();

/** `count` arrays on ArrayBuffers of their own, which the next step writes over. */
export function stepArrays(communicator: Communicator, count: number, length: number): Float32Array[] {
  const kept = arrays.get(communicator) ?? [];
  arrays.set(communicator, kept);
  return grown(kept, count, length)
    .slice(0, count)
    .map((values) => values.subarray(0, length));
}

/**
 * Adds up over the processes.
 * @returns the sums of this process's part of the names, where they lie until the next step
 */
export async function sharedGradients(
  { engine, model: { config } }: StepContext,
  communicator: Communicator,
  { nodes }: OwnGradients,
  { names, at, ends, own, apart }: Layout,
  batches: number,
): Promise<Record<string, Gradient>> {
  const values = stepArrays(communicator, nodes.length, at[names.length]);
  for (const [k, grads] of nodes.entries()) {
    // neighbours that are there are copied in one call
    for (let from = 0; from < names.length; ) {
      let to = from;
      while (to < names.length && grads[names[to]]) to++;
      const present = names.slice(from, to);
      await engine.copyOut(
        present.map((name) => grads[name]),
        values[k].subarray(at[from], at[to]),
      );
      if (to < names.length) values[k].fill(0, at[to], at[to + 1]);
      from = to + 1;
    }
  }
  if (config.reduction === "fast") await communicator.sumFast(values[0]);
  else await communicator.sum(values, { batches, ends, whole: !apart });
  const found: Record<string, Gradient> = {};
  for (let i = own[0]; i < own[1]; i++) found[names[i]] = values[0].subarray(at[i], at[i + 1]);
  return found;
}
