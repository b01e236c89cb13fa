/** Dense attention: every token of a sample looks at every other. */
import type * as tf from "@tensorflow/tfjs-core";
import { recomputed } from "../forwardPass.js";
import { linearEntry, normEntry, type ParameterEntry } from "../parameterEntries.js";
import { encoderHeadCount, type ModelSpec } from "../spec.js";
import {
  attendProjected,
  coupledHeads,
  decoderHeads,
  decoderProjections,
  normRows,
  type Projections,
  residual,
} from "./denseHeads.js";
import type { AttentionKind } from "./kind.js";

/** What follows a block's heads, by its name within the block. */
const OUTPUT = "proj_out";

export const dense: AttentionKind = {
  parameters: { encoder, decoderSelf, decoderCross },

  encoderBlock(pass, name, _f, x, others) {
    const { config } = pass.spec;
    const [own, ...coupled] = [x, ...others].map((tokens) => (config.with_layernorm ? normRows(pass, tokens) : tokens));
    return residual(pass, name, x, coupledHeads(pass, name, own, coupled, config.encoder_num_heads));
  },

  decoderBlock: (pass, name, _p, x, encoded) => residual(pass, name, x, decoderHeads(pass, name, x, encoded)),

  onRows: {
    project(pass, name, x, encoded) {
      const { self, cross } = decoderProjections(pass, name, x, encoded);
      return [...(self ? [self] : []), ...(cross ?? [])];
    },
    attend(pass, name, x, projected, rows) {
      const heads = attendProjected(pass, name, projectionsOf(projected), rows);
      return recomputed(pass, `${name}.${OUTPUT}`, [x, heads], (pass, [x, heads]) => residual(pass, name, x, heads));
    },
  },
};

/** Cross heads come as two tensors, self heads as one. */
const projectionsOf = (tensors: tf.Tensor[]): Projections => {
  const [queries, keysAndValues] = tensors.slice(-2);
  const crossed = tensors.length > 1;
  return { self: tensors.length === 2 ? null : tensors[0], cross: crossed ? [queries, keysAndValues] : null };
};

function encoder(table: ParameterEntry[], spec: ModelSpec, f: number, name: string): void {
  const { width, coupled } = spec.fields[f];
  const crossWidth = spec.config.coupling_num_heads_per_field * (width / encoderHeadCount(spec));
  linearEntry(table, `${name}.${OUTPUT}`, width, width + coupled.length * crossWidth, false);
  linearEntry(table, `${name}.proj_heads`, 3 * width, width, false);
  if (coupled.length === 0) return;
  linearEntry(table, `${name}.proj_heads_other.0`, coupled.length * crossWidth, width, false);
  for (const [i, other] of coupled.entries()) {
    linearEntry(table, `${name}.proj_heads_other.${i + 1}`, 2 * crossWidth, spec.fields[other].width, false);
  }
}

function decoderSelf(table: ParameterEntry[], _spec: ModelSpec, width: number, name: string): void {
  linearEntry(table, `${name}.${OUTPUT}`, width, width, false);
  linearEntry(table, `${name}.proj_heads`, 3 * width, width, false);
}

function decoderCross(table: ParameterEntry[], spec: ModelSpec, width: number, name: string): void {
  const headWidth = width / spec.config.decoder_num_heads;
  const cross = spec.crossHeads * headWidth;
  const self = width - cross;
  if (self > 0) linearEntry(table, `${name}.proj_heads`, 3 * self, width, false);
  if (cross > 0) {
    linearEntry(table, `${name}.proj_heads_o_q`, cross, width, false);
    linearEntry(table, `${name}.proj_heads_o_kv`, 2 * cross, width, false);
  }
  normEntry(table, `${name}.ln_q`, headWidth);
  normEntry(table, `${name}.ln_k`, headWidth);
  linearEntry(table, `${name}.${OUTPUT}`, width, width, false);
}
