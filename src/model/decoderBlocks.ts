/** The sequence of blocks of a decoder, which parameters and network both walk through. */
import type { ModelSpec } from "./spec.js";

export type DecoderBlock =
  | { kind: "self"; index: number }
  | { kind: "cross"; index: number; encoderLayer: number }
  | { kind: "mlp"; index: number };

/**
 * Blocks by their index in the state names: per layer an optional self-attention block, a block with cross attention
 * to the encoder (U-Net order: from its last layer backwards), an MLP. Layers beyond the encoder's number have a
 * self-attention block and an MLP only.
 */
export function decoderBlocks({ config }: ModelSpec): DecoderBlock[] {
  const blocks: DecoderBlock[] = [];
  for (let layer = 0; layer < config.decoder_num_layers; layer++) {
    const beyond = layer >= config.encoder_num_layers;
    if (config.decoder_self_att || beyond) blocks.push({ kind: "self", index: blocks.length });
    if (!beyond) {
      const encoderLayer = Math.max(
        0,
        config.encoder_num_layers - 1 - Math.trunc(config.decoder_cross_att_rate * layer),
      );
      blocks.push({ kind: "cross", index: blocks.length, encoderLayer });
    }
    blocks.push({ kind: "mlp", index: blocks.length });
  }
  return blocks;
}
