/**
 * A pass over draws in parts by processes that cannot talk to each other: each predicts its range of batches into a folder,
 * and one reads all of them in order, as if it had predicted them itself.
 */
import { readyBatches } from "../batches/ready.js";
import type { Draw } from "../data/types.js";
import { collectAfter } from "../engine/garbage.js";
import type { Params } from "../model/types.js";
import { type Part, rangeOf } from "../parts.js";
import { isKept, keepPrediction, keptPrediction } from "./keptPredictions.js";
import { type PassContext, type PassOptions, type PredictedBatch, predictReady } from "./pass.js";

/**
 * Predicts the batches of a part that are not kept yet. Aborted, it ends after a batch; what is done is kept.
 * @returns how many of the part's batches are kept
 */
export async function predictPart(
  folder: string,
  part: Part,
  context: PassContext,
  params: Params,
  draws: readonly Draw[],
  { streams, split, members = false, signal }: PassOptions,
  onProgress?: (done: number, total: number) => void,
): Promise<{ done: number; total: number }> {
  const [from, to] = rangeOf(part, draws.length);
  const missing = new Set<number>();
  for (let n = from; n < to; n++) if (!(await isKept(folder, n))) missing.add(n);
  const total = to - from;
  let done = total - missing.size;
  // streams that run on are moved on by the batches before
  const last = Math.max(...missing);
  const numbers = [...draws.keys()].filter((n) => (streams.independent ? missing.has(n) : n <= last));
  const batches = readyBatches(
    context,
    numbers.map((n) => draws[n]),
    streams,
    split,
    numbers,
  );
  let at = 0;
  for await (const ready of batches) {
    if (signal?.aborted) break;
    const n = numbers[at++];
    if (!missing.has(n)) continue;
    await keepPrediction(folder, n, await predictReady(context, params, ready, members));
    done += 1;
    collectAfter(done);
    onProgress?.(done, total);
    await new Promise((resolve) => setImmediate(resolve));
  }
  return { done, total };
}

/**
 * All batches with the predictions that parts have kept, in order. Aborted, it yields fewer.
 * @throws AtmorepError (input) for a prediction that is damaged
 */
export async function* predictedInParts(
  folder: string,
  context: PassContext,
  draws: readonly Draw[],
  { streams, split, signal }: PassOptions,
): AsyncGenerator<PredictedBatch> {
  let n = 0;
  for await (const ready of readyBatches(context, draws, streams, split)) {
    if (signal?.aborted) return;
    const counts = context.predicted.map(({ field }) => ready.masked.fields[field.index].target.length);
    yield { ...ready, ...(await keptPrediction(folder, n, counts)) };
    n += 1;
    await new Promise((resolve) => setImmediate(resolve));
  }
}
