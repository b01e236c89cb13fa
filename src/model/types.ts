/** Types at the border of the network. Letters: B, L, N, D as in `data/types.ts`, d width, E members, M masked tokens. */
import type { Tensor } from "@tensorflow/tfjs-core";

/** Parameters as tensors, keyed by the reference's state-dict names (`embeds.F.*` only, not its alias). */
export type Params = Record<string, Tensor>;

/** Parameters as plain arrays. */
export type PlainParams = Map<string, { shape: number[]; data: Float32Array }>;

/** What the network is fed: one entry per field, and for each predicted field the rows its tail works on. */
export interface NetworkInputs {
  fields: {
    /** [B, L, N, D] masked tokens */
    tokens: Tensor;
    /** [B, L, N, 8] */
    infos: Tensor;
  }[];
  /** per predicted field, int32 [M]: row (b*L + l)*N + n of the field's [B*L*N, d] embeddings, in target order */
  rows: Tensor[];
}

export interface Prediction {
  /** [M, D] */
  mean: Tensor;
  /** [M, D], unbiased; 0 when E = 1 */
  std: Tensor;
  /** [M, E, D] */
  ens: Tensor;
}
