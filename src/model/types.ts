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

/** The weights of one group of heads, as the forward pass shows them. */
export interface AttendedHeads {
  /** state-dict name of the block, such as `encoders.0.heads.1` or `decoders.0.blocks.0` */
  block: string;
  /** what is attended to: 0 the block's own tokens, k > 0 the k-th coupled field, or the encoder's in a decoder */
  source: number;
  /** what is attended along: every token, or one axis */
  axis: "all" | "place" | "time" | "level";
  /** [sequences, heads, queries, keys]; each row sums to 1 */
  weights: Tensor;
}
