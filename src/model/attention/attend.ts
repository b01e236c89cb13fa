/** Attention whose weights can be looked at. */
import type * as tf from "@tensorflow/tfjs-core";
import { type AttentionInputs, attention, attentionWeights, type Heads } from "../../engine/kernels/index.js";
import type { ForwardPass } from "../forwardPass.js";
import type { AttendedHeads } from "../types.js";

/** `attention`; its weights, those of all queries, are also computed and shown if the run wants to see them. */
export function attend(
  { attended }: ForwardPass,
  place: Omit<AttendedHeads, "weights">,
  inputs: AttentionInputs,
  shape: Heads,
  rows: tf.Tensor | null = null,
): tf.Tensor {
  attended?.({ ...place, weights: attentionWeights(inputs, shape) });
  return attention(inputs, shape, rows);
}
