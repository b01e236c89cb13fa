/** GELU in its exact form, `x Phi(x)` (Hendrycks and Gimpel 2016). */
import * as tf from "@tensorflow/tfjs-core";
import { FUSED, hasKernel, runFused, withGradient } from "./fused.js";

const INVERSE_SQRT_TWO_PI = 0.3989422804014327;

/** GELU of each element. Keeps only `x` for the backward pass. */
export const gelu = (x: tf.Tensor): tf.Tensor =>
  withGradient([x], ([x]) => ({
    value: hasKernel(FUSED.gelu) ? runFused(FUSED.gelu, { x })[0] : tf.mul(x, phi(x)),
    keep: [x],
    grad: (dy, [x]) => [hasKernel(FUSED.geluGrad) ? runFused(FUSED.geluGrad, { x, dy })[0] : tf.mul(dy, slope(x))],
  }));

/** Phi(x), the normal distribution function */
const phi = (x: tf.Tensor): tf.Tensor => tf.mul(tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1), 0.5);

/** Phi(x) + x phi(x) */
const slope = (x: tf.Tensor): tf.Tensor =>
  tf.add(phi(x), tf.mul(x, tf.mul(tf.exp(tf.mul(tf.square(x), -0.5)), INVERSE_SQRT_TWO_PI)));
