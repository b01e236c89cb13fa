/** Computing activations again in the backward pass, to save memory (Chen et al. 2016). */
import * as tf from "@tensorflow/tfjs-core";
import { withGradient } from "./fused.js";
import { currentSchedule } from "./schedule.js";

/**
 * `fn(inputs)`, of which only the inputs and the value are kept for the backward pass.
 *
 * @param inputs every tensor that has a gradient
 * @param fn must give the same value when it is called again
 */
export const checkpoint = (inputs: tf.Tensor[], fn: (inputs: tf.Tensor[]) => tf.Tensor): tf.Tensor =>
  withGradient(inputs, (given) => ({
    value: fn(given),
    keep: given,
    grad: (dy, kept) => {
      const engine = tf.engine();
      // a recording within a backward pass would leave the outer one without its tape
      const { activeTape } = engine.state;
      const compute = () => engine.gradients(() => fn(kept), kept, dy, true);
      try {
        const { grads } = currentSchedule()?.again(compute) ?? compute();
        return kept.map((input, i) => (grads[i] as tf.Tensor | undefined) ?? tf.zerosLike(input));
      } finally {
        engine.state.activeTape = activeTape;
      }
    },
  }));
