/** Predictions of a batch as bytes, every bit of each number kept. */
import { bytesOf } from "../formats/tensors.js";
import type { BatchPrediction, PlainPrediction } from "./predictBatch.js";

interface Head {
  /** null: no hidden point counts; the numbers follow, which JSON could not keep if they are not finite */
  counted: boolean[];
  fields: Pick<PlainPrediction, "field" | "M" | "E" | "D">[];
  members: boolean[];
}

/** Head's length as uint32, head as JSON, errors as float64, then mean, std and members of each field as float32. */
export function packPrediction({ mse, predictions }: BatchPrediction): Uint8Array {
  const head: Head = {
    counted: mse.map((value) => value !== null),
    fields: predictions.map(({ field, M, E, D }) => ({ field, M, E, D })),
    members: predictions.map(({ ens }) => ens !== null),
  };
  const text = new TextEncoder().encode(JSON.stringify(head));
  const parts = [
    Uint32Array.of(text.length),
    text,
    Float64Array.from(mse, (value) => value ?? 0),
    ...predictions.flatMap(({ mean, std, ens }) => [mean, std, ...(ens ? [ens] : [])]),
  ].map(bytesOf);
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** @returns null for no bytes: whoever sent them has no prediction */
export function unpackPrediction(bytes: Uint8Array): BatchPrediction | null {
  if (bytes.length === 0) return null;
  let at = 0;
  // copied, since numbers must stand at multiples of their size
  const take = (length: number) => {
    at += length;
    return bytes.slice(at - length, at).buffer;
  };
  const [length] = new Uint32Array(take(4));
  const { counted, fields, members }: Head = JSON.parse(new TextDecoder().decode(take(length)));
  const errors = new Float64Array(take(8 * counted.length));
  const floats = (count: number) => new Float32Array(take(4 * count));
  return {
    mse: counted.map((counts, p) => (counts ? errors[p] : null)),
    predictions: fields.map(({ field, M, E, D }, p) => ({
      ...{ field, M, E, D },
      mean: floats(M * D),
      std: floats(M * D),
      ens: members[p] ? floats(M * E * D) : null,
    })),
  };
}
