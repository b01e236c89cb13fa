/**
 * Gradients of the operations of TensorFlow.js: all for which it has one, and TopK's. Its core package comes without, and
 * its umbrella package, which registers them, would also load every backend. They are the formulas of TensorFlow.js
 * (Apache-2.0, its `tfjs-core/src/gradients`) with two differences: a cumulative sum has one along every axis, and so
 * has gathering. test/engine/gradients.test.ts holds every one to TensorFlow.js's.
 */
import * as tf from "@tensorflow/tfjs-core";
import { ELEMENTWISE } from "./elementwise.js";
import { IMAGES } from "./images.js";
import { REDUCTIONS } from "./reductions.js";
import { SHAPES } from "./shapes.js";

/** Registers every rule; calling it again changes nothing. */
export function registerGradients(): void {
  for (const rules of [ELEMENTWISE, REDUCTIONS, SHAPES, IMAGES]) {
    for (const [kernelName, { inputs, outputs, all, grad }] of Object.entries(rules)) {
      tf.registerGradient({
        kernelName,
        ...(inputs && { inputsToSave: inputs }),
        ...(outputs && { outputsToSave: outputs }),
        ...(all && { saveAllInputs: true }),
        gradFunc: (dy, saved, attrs) => grad(dy as tf.Tensor, saved, attrs),
      });
    }
  }
}
