/**
 * A pass over draws by several processes: each predicts some batches, and process 0 is given all of them in order, as if it
 * had predicted them itself. So scores, sums and files have the bits of one process.
 */
import { readyBatches } from "../batches/ready.js";
import type { Draw } from "../data/types.js";
import type { Communicator } from "../distributed/index.js";
import { collectAfter } from "../engine/garbage.js";
import type { Params } from "../model/types.js";
import { packPrediction, unpackPrediction } from "./packPrediction.js";
import { type PassContext, type PassOptions, type PredictedBatch, predictDraws, predictReady } from "./pass.js";

/**
 * Every process calls it with the same draws, of which process k predicts every `size`-th from the k-th on.
 * Process 0 gets all batches, the others none. Aborted in any process, it ends in all, and yields fewer.
 */
export async function* predictTogether(
  communicator: Communicator,
  context: PassContext,
  params: Params,
  draws: readonly Draw[],
  options: PassOptions,
): AsyncGenerator<PredictedBatch> {
  if (communicator.size === 1) yield* predictDraws(context, params, draws, options);
  else if (communicator.rank === 0) yield* lead(communicator, context, params, draws, options);
  else await help(communicator, context, params, draws, options);
}

const STOP = Uint8Array.of(0);
const NOTHING = new Uint8Array(0);
const isStop = (bytes: Uint8Array) => bytes.length === STOP.length;

/** It makes every batch, for scores and stores need them, and predicts its own. */
async function* lead(
  communicator: Communicator,
  context: PassContext,
  params: Params,
  draws: readonly Draw[],
  { streams, split, members = false, signal }: PassOptions,
): AsyncGenerator<PredictedBatch> {
  const { size } = communicator;
  let round: Uint8Array[] = [];
  let n = 0;
  // for the word that begins the next round
  let othersWait = false;
  try {
    for await (const ready of readyBatches(context, draws, streams, split)) {
      const place = n % size;
      let prediction = place === 0 ? await predictReady(context, params, ready, members) : null;
      if (place === 0) {
        othersWait = false;
        round = await communicator.collect(signal?.aborted ? STOP : NOTHING);
        if (round.some(isStop)) return;
        othersWait = n + size < draws.length;
      }
      // one who has no prediction leaves it to this process
      prediction ??= unpackPrediction(round[place]) ?? (await predictReady(context, params, ready, members));
      n += 1;
      collectAfter(n);
      yield { ...ready, ...prediction };
      await new Promise((resolve) => setImmediate(resolve));
    }
  } finally {
    // whoever reads has left it
    if (othersWait) await communicator.collect(STOP).catch(() => {});
  }
}

/** Process k predicts batch k of each round of `size`. */
async function help(
  communicator: Communicator,
  context: PassContext,
  params: Params,
  draws: readonly Draw[],
  { streams, split, members = false, signal }: PassOptions,
): Promise<void> {
  const { rank, size } = communicator;
  // streams that run on are moved on by the others' batches too
  const numbers = [...draws.keys()].filter((n) => !streams.independent || n % size === rank);
  const own = numbers.map((n) => draws[n]);
  const batches = readyBatches(context, own, streams, split, numbers);
  try {
    for (let first = 0; first < draws.length; first += size) {
      const wanted = first + rank;
      let packed: Uint8Array = NOTHING;
      if (wanted < draws.length && !signal?.aborted) {
        const skipped = streams.independent ? 0 : first === 0 ? rank : size - 1;
        for (let k = 0; k < skipped; k++) await batches.next();
        const { value: ready } = await batches.next();
        if (ready) packed = packPrediction(await predictReady(context, params, ready, members));
      }
      const round = await communicator.collect(signal?.aborted ? STOP : packed);
      if (round.some(isStop)) return;
      await new Promise((resolve) => setImmediate(resolve));
    }
  } finally {
    await batches.return(undefined);
  }
}
