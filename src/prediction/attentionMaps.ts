/** Attention weights of a network on a batch, head by head, as plain arrays. */
import * as tf from "@tensorflow/tfjs-core";
import type { StepBatch } from "../batches/tensors.js";
import { forward } from "../model/forward.js";
import type { AttendedHeads } from "../model/index.js";
import { placeOfBlock } from "../model/names.js";
import type { Params } from "../model/types.js";
import type { StepModel } from "../step/step.js";

/** What one head of one block attends to in one sample. */
export interface AttentionMap {
  /** for people, such as `encoder layer 0, head 2` */
  title: string;
  /** state-dict name of the block */
  block: string;
  part: "encoder" | "decoder";
  /** field of the queries */
  field: string;
  /** field of the keys; a decoder's cross heads look at the encoder's tokens of the same field */
  keyField: string;
  /** true if the keys come from another field or, in a decoder, from the encoder */
  cross: boolean;
  axis: AttendedHeads["axis"];
  head: number;
  queries: number;
  keys: number;
  /**
   * [queries, keys]; each row sums to 1. With axis `all` tokens count level by level, `l*N + n`; along one axis the
   * matrix is the mean over the sample's lines of tokens.
   */
  values: Float32Array;
}

/**
 * The attention weights of one sample, without dropout. Every tensor made is released.
 *
 * @param sample of the batch
 */
export async function attentionMaps(
  { config, spec, predicted }: StepModel,
  params: Params,
  { inputs }: StepBatch,
  sample = 0,
): Promise<AttentionMap[]> {
  const B = inputs.fields[0].tokens.shape[0];
  const found: (Omit<AttendedHeads, "weights"> & { weights: tf.Tensor })[] = [];
  const attended = ({ weights, ...place }: AttendedHeads) => {
    // lines of tokens of the sample, one after the other: their mean
    const [sequences, ...shape] = weights.shape;
    const lines = sequences / B;
    const own = tf.slice(weights, [sample * lines, 0, 0, 0], [lines, ...shape]);
    found.push({ ...place, weights: tf.keep(tf.mean(own, 0)) });
  };
  const outputs = forward(params, spec, inputs, { attended });
  tf.dispose(outputs.flatMap(({ mean, std, ens }) => [mean, std, ens]));
  try {
    const names = config.fields.map(([name]) => name);
    const maps: AttentionMap[] = [];
    for (const { block, source, axis, weights } of found) {
      const [heads, queries, keys] = weights.shape;
      const all = Float32Array.from(await weights.data());
      const place = placeOf(block, source, names, spec.fields, predicted);
      for (let head = 0; head < heads; head++) {
        const along = axis === "all" ? "" : `, along ${axis}`;
        const values = all.slice(head * queries * keys, (head + 1) * queries * keys);
        const title = `${place.name}, head ${head}${along}`;
        maps.push({ ...place.facts, title, block, cross: source > 0, axis, head, queries, keys, values });
      }
    }
    return maps;
  } finally {
    for (const { weights } of found) weights.dispose();
  }
}

function placeOf(
  block: string,
  source: number,
  names: readonly string[],
  fields: StepModel["spec"]["fields"],
  predicted: StepModel["predicted"],
): { name: string; facts: Pick<AttentionMap, "part" | "field" | "keyField"> } {
  const { part, index, layer } = placeOfBlock(block);
  if (part === "decoder") {
    const { name: field } = predicted[index].field;
    const to = source > 0 ? " to the encoder" : "";
    return { name: `${field}, decoder block ${layer}${to}`, facts: { part, field, keyField: field } };
  }
  const field = names[index];
  const keyField = source > 0 ? names[fields[index].coupled[source - 1]] : field;
  const to = source > 0 ? ` to ${keyField}` : "";
  return { name: `${field}, encoder layer ${layer}${to}`, facts: { part, field, keyField } };
}
