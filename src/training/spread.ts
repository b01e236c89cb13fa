/** What process 0 reads of a run and gives to all: a checkpoint, the weights to start from. */
import type { Communicator } from "../distributed/index.js";
import { bytesOf } from "../formats/tensors.js";
import type { PlainParams } from "../model/types.js";
import { type Continuation, readContinuation } from "../runs/continue.js";
import { runFolder } from "../runs/folder.js";

/**
 * The continuation of a run as process 0 has read it; the files may not be seen by the others. They know how many rows of
 * metrics there are, and not what is in them.
 * @throws AtmorepError as `readContinuation`, in process 0
 */
export async function continuationForAll(
  communicator: Communicator,
  out: string,
  reference: string,
): Promise<Continuation> {
  if (communicator.size === 1) return readContinuation(out, reference);
  const own = communicator.rank === 0 ? await readContinuation(out, reference) : null;
  const told = await communicator.broadcast(own && summaryOf(own));
  const { runId, path, warning, state, updates, rows, averaged, provenance } = told as ReturnType<typeof summaryOf>;
  const tensors = async (of: PlainParams | undefined | null) => paramsForAll(communicator, of ?? null);
  const params = await tensors(own?.checkpoint.params);
  const m = await tensors(own?.checkpoint.moments.m);
  const v = await tensors(own?.checkpoint.moments.v);
  const ema = averaged ? await tensors(own?.checkpoint.ema) : null;
  if (own) return own;
  const checkpoint = { state, params, moments: { m, v, updates }, ema, provenance };
  return { runId, folder: runFolder(out, runId), checkpoint, path, warning, metricsLines: new Array(rows).fill("") };
}

function summaryOf({ runId, path, warning, checkpoint, metricsLines }: Continuation) {
  const { state, moments, ema, provenance } = checkpoint;
  const rows = metricsLines.length;
  return { runId, path, warning, state, updates: moments.updates, rows, averaged: ema !== null, provenance };
}

/** `params` of process 0 in every process; what the others give is not looked at. */
export async function paramsForAll(communicator: Communicator, params: PlainParams | null): Promise<PlainParams> {
  if (communicator.size === 1) return params as PlainParams;
  const own = communicator.rank === 0 ? (params as PlainParams) : new Map();
  const shapes: [name: string, shape: number[]][] = await communicator.broadcast(
    [...own].map(([name, { shape }]) => [name, shape]),
  );
  const all: PlainParams = new Map();
  for (const [name, shape] of shapes) {
    const data = own.get(name)?.data ?? new Float32Array(shape.reduce((a, b) => a * b, 1));
    await communicator.broadcastBytes(bytesOf(data));
    all.set(name, { shape, data });
  }
  return all;
}
