/** A plain batch as the tensors of a step, and their release. */
import * as tf from "@tensorflow/tfjs-core";
import type { FieldTarget } from "../losses/total.js";
import type { NetworkInputs } from "../model/types.js";
import type { PlainBatch, PlainTarget } from "./plain.js";

/** A `PlainBatch` as tensors: what a step takes. */
export interface StepBatch {
  inputs: NetworkInputs;
  targets: FieldTarget[];
}

/**
 * Copies a batch into tensors, which `disposeBatch` releases. A field without hidden tokens gets one row that does not
 * count, since the WASM backend cannot hold tensors without elements.
 */
export function toTensors({ inputs, targets }: PlainBatch): StepBatch {
  const filled = targets.map((target) => (target.M === 0 ? standIn(target) : target));
  return {
    inputs: {
      fields: inputs.map(({ shape: [B, L, N, D], tokens, infos }) => ({
        tokens: tf.tensor(tokens, [B, L, N, D], "float32"),
        infos: tf.tensor(infos, [B, L, N, infos.length / (B * L * N)], "float32"),
      })),
      rows: filled.map(({ rows }) => tf.tensor1d(rows, "int32")),
    },
    targets: filled.map(({ M, D, target, valid, area }, p) => ({
      target: tf.tensor(target, [M, D], "float32"),
      valid: valid && tf.tensor(valid, [M, D], "float32"),
      area: area && tf.tensor(area, [M, D], "float32"),
      empty: targets[p].M === 0,
    })),
  };
}

function standIn({ name, D, area }: PlainTarget): PlainTarget {
  const zeros = () => new Float32Array(D);
  return { name, M: 1, D, rows: new Int32Array(1), target: zeros(), valid: zeros(), area: area && zeros().fill(1) };
}

/** Releases every tensor of a batch. */
export function disposeBatch({ inputs, targets }: StepBatch): void {
  for (const { tokens, infos } of inputs.fields) tf.dispose([tokens, infos]);
  tf.dispose(inputs.rows);
  for (const { target, valid, area } of targets) for (const tensor of [target, valid, area]) tensor?.dispose();
}
