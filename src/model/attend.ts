/** Attention whose weights can be looked at. */
import type * as tf from "@tensorflow/tfjs-core";
import { type AttentionInputs, attention, attentionWeights, type Heads } from "../engine/kernels/index.js";
import type { Run } from "./run.js";

/** The weights of one group of heads, as the forward pass shows them. */
export interface AttendedHeads {
  /** state-dict name of the block, such as `encoders.0.heads.1` or `decoders.0.blocks.0` */
  block: string;
  /** what is attended to: 0 the block's own tokens, k > 0 the k-th coupled field, or the encoder's in a decoder */
  source: number;
  /** what is attended along: every token, or one axis */
  axis: "all" | "place" | "time" | "level";
  /** [sequences, heads, queries, keys]; each row sums to 1 */
  weights: tf.Tensor;
}

/** `attention`; its weights, those of all queries, are also computed and shown if the run wants to see them. */
export function attend(
  { attended }: Run,
  place: Omit<AttendedHeads, "weights">,
  inputs: AttentionInputs,
  shape: Heads,
  rows: tf.Tensor | null = null,
): tf.Tensor {
  attended?.({ ...place, weights: attentionWeights(inputs, shape) });
  return attention(inputs, shape, rows);
}
