/** What a train step needs, from the network's shape alone: memory and floating point operations. */
import { countParameters, type ModelSpec } from "../model/index.js";

export interface MemoryEstimate {
  /** bytes of weights, gradients and both moments of AdamW */
  parameters: number;
  /** bytes that the backward pass keeps, for one batch */
  activations: number;
  total: number;
}

const FLOAT = 4;
/** Copies of every parameter: itself, its gradient, two moments. */
const PARAMETER_COPIES = 4;
/** Arrays of the width of a token that one attention block and one MLP keep for the backward pass: what kernels save. */
const KEPT_PER_BLOCK = { attention: 8, mlp: 9 };

/**
 * Memory that a train step's arrays need: exact for parameters, a lower bound for activations (attention matrices are
 * recomputed head by head and not kept). The process itself and what an engine holds back for reuse come on top.
 */
export function estimateMemory(spec: ModelSpec, batchSize: number): MemoryEstimate {
  const parameters = countParameters(spec) * FLOAT * PARAMETER_COPIES;
  const { config } = spec;
  const perLayer = KEPT_PER_BLOCK.attention + KEPT_PER_BLOCK.mlp;
  let floats = 0;
  for (const [f, { L, N, D, width }] of spec.fields.entries()) {
    const rows = batchSize * L * N;
    const layers = config.encoder_num_layers + (spec.predicted.includes(f) ? config.decoder_num_layers : 0);
    floats += rows * (2 * D + width * (2 + layers * perLayer));
    if (spec.predicted.includes(f)) floats += rows * config.net_tail_num_nets * (D * 3 + width);
  }
  const activations = floats * FLOAT;
  return { parameters, activations, total: parameters + activations };
}

/** Matrix-product speed of the WASM engine, one thread: 36 GFLOP of peer `small` in 2.4 s (docs/performance.md). */
export const WASM_FLOPS = 15e9;
/** A forward pass, and a backward pass of twice its products. */
const PASSES = 3;
/** Share of tokens that a tail works on: BERT draws a rate between 0 and the total, other strategies differ little. */
const HIDDEN_SHARE = 0.5;

/**
 * Floating point operations of the matrix products of one train step; dense attention is assumed, axial needs less.
 * Small networks take longer than this tells: single operations then cost more than their arithmetic.
 */
export function estimateFlops(spec: ModelSpec, batchSize: number): number {
  const { config } = spec;
  const ratio = spec.crossHeads / config.decoder_num_heads;
  let flops = 0;
  for (const [f, { L, N, D, width: d, coupled }] of spec.fields.entries()) {
    const tokens = L * N;
    const rows = batchSize * tokens;
    const attention = 4 * rows * tokens * d;
    const mlp = (layers: number) => 2 * rows * (4 * d * d + (layers - 2) * 4 * d * d);
    const cross = coupled.reduce((sum, other) => {
      const rowsOther = batchSize * spec.fields[other].L * spec.fields[other].N;
      const share = config.coupling_num_heads_per_field / config.encoder_num_heads;
      return sum + share * (2 * rows * d * d + 4 * rowsOther * d * d + (4 * rows * rowsOther * d) / batchSize);
    }, 0);
    const encoder = 8 * rows * d * d + attention + cross + mlp(config.encoder_num_mlp_layers);
    flops += 2 * rows * D * d + config.encoder_num_layers * encoder;
    if (!spec.predicted.includes(f)) continue;
    const projections = 2 * rows * d * d * (3 * (1 - ratio) + 3 * ratio + 1);
    flops += config.decoder_num_layers * (projections + attention + mlp(config.decoder_num_mlp_layers));
    flops += 2 * HIDDEN_SHARE * rows * d * config.net_tail_num_nets * (D + config.net_tail_num_layers * d);
  }
  return PASSES * flops;
}
