/** The two-or-more-layer perceptron that follows each attention block. */
import * as tf from "@tensorflow/tfjs-core";
import { gelu, layerNorm } from "../engine/kernels/index.js";
import { byRows, drop, type ForwardPass, project } from "./forwardPass.js";

/**
 * Layer norm, (linear, GELU, dropout) for all layers but the last, linear, GELU, residual.
 *
 * @param x [R, d]
 * @returns [R, d]
 */
export function mlp(run: ForwardPass, name: string, x: tf.Tensor, layers: number): tf.Tensor {
  return byRows(run, [x], (run, [x]) => {
    let y = run.spec.config.with_layernorm ? layerNorm(x) : x;
    for (let i = 0; i < layers; i++) {
      const block = `${name}.blocks.${3 * i}`;
      y = gelu(project(run, block, y));
      if (i < layers - 1) y = drop(run, block, y);
    }
    return tf.add(x, y);
  });
}
