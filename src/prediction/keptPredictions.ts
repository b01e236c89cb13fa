/**
 * Predictions kept in a folder, a file a batch: what the parts of an evaluation leave for its end. A file is the SHA-256 of
 * what follows, then what `packPrediction` makes.
 */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { orElse, readBounded } from "../budgets.js";
import { AtmorepError } from "../errors.js";
import { writeFileAtomic } from "../formats/atomic.js";
import { systemFault } from "../formats/systemFault.js";
import { packPrediction, unpackPrediction } from "./packPrediction.js";
import type { BatchPrediction } from "./predictBatch.js";

const DIGEST_BYTES = 32;
/** Beyond what a batch of a network that fits in memory can have. */
const MOST_BYTES = 2 ** 32;

const digestOf = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest();

export const batchFile = (folder: string, batch: number): string =>
  join(folder, `batch-${String(batch).padStart(6, "0")}.bin`);

/** @throws AtmorepError (failed) if it cannot be written */
export async function keepPrediction(folder: string, batch: number, prediction: BatchPrediction): Promise<void> {
  const packed = packPrediction(prediction);
  const path = batchFile(folder, batch);
  await writeFileAtomic(path, Buffer.concat([digestOf(packed), packed])).catch((error) => {
    throw systemFault(error, "failed", "the predictions of this part cannot be kept", {
      where: path,
      fix: "Make room and give the same command again: what is there is not predicted again.",
    });
  });
}

/** The bytes of a batch's prediction; null where there are none, or not those that were written. */
async function packedOf(folder: string, batch: number): Promise<Uint8Array | null> {
  const bytes = await readBounded(batchFile(folder, batch), MOST_BYTES).catch(orElse(null));
  if (bytes === null || bytes.length <= DIGEST_BYTES) return null;
  // no Buffer, whose slices share its memory
  const packed = new Uint8Array(bytes.buffer, bytes.byteOffset + DIGEST_BYTES, bytes.length - DIGEST_BYTES);
  return digestOf(packed).equals(bytes.subarray(0, DIGEST_BYTES)) ? packed : null;
}

export const isKept = async (folder: string, batch: number): Promise<boolean> =>
  (await packedOf(folder, batch)) !== null;

/**
 * @param counts numbers of hidden values of each predicted field, [M * D]
 * @throws AtmorepError (input) if it is not there whole, or not of this batch
 */
export async function keptPrediction(
  folder: string,
  batch: number,
  counts: readonly number[],
): Promise<BatchPrediction> {
  const packed = await packedOf(folder, batch);
  const prediction = packed && unpackPrediction(packed);
  const fits = prediction?.predictions.every(({ mean, ens, E }, p) => {
    return mean.length === counts[p] && (ens === null || ens.length === counts[p] * E);
  });
  if (prediction && fits && prediction.predictions.length === counts.length) return prediction;
  throw new AtmorepError("input", "a prediction that a part has left is damaged", {
    where: batchFile(folder, batch),
    fix: "Remove the file and give the command of its part again: it predicts what is not there.",
  });
}
