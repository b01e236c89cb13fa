/** Mean, spread and squared errors over ensemble members. */
import * as tf from "@tensorflow/tfjs-core";
import { FUSED, hasKernel, runFused, withGradient } from "./fused.js";

/**
 * Mean over the members.
 *
 * @param ens [M, E, D]
 * @returns [M, D]
 */
export const ensembleMean = (ens: tf.Tensor): tf.Tensor => tf.mean(ens, 1);

/**
 * Unbiased standard deviation over the members; 0 when there is one. Where all members agree its gradient is taken as
 * 0 (the formula's 0/0).
 *
 * @param ens [M, E, D]
 * @returns [M, D]
 */
export const ensembleStd = (ens: tf.Tensor): tf.Tensor => {
  const members = ens.shape[1]!;
  if (members === 1) return tf.zeros([ens.shape[0], ens.shape[2]!]);
  return withGradient([ens], ([ens]) => {
    const centred = tf.sub(ens, tf.mean(ens, 1, true));
    const value = tf.sqrt(tf.div(tf.sum(tf.square(centred), 1), members - 1));
    return {
      value,
      keep: [centred, value],
      grad: (dy, [centred, std]) => {
        const safe = tf.add(std, tf.cast(tf.equal(std, 0), "float32"));
        return [tf.mul(centred, tf.expandDims(tf.div(dy, tf.mul(safe, members - 1)), 1))];
      },
    };
  });
};

/**
 * `ensembleMean` and `ensembleStd`, in one pass where the engine has a kernel for it.
 *
 * @param ens [M, E, D]
 */
export function ensembleMoments(ens: tf.Tensor): { mean: tf.Tensor; std: tf.Tensor } {
  if (ens.shape[1] === 1 || !hasKernel(FUSED.moments)) return { mean: ensembleMean(ens), std: ensembleStd(ens) };
  const moments = withGradient([ens], ([ens]) => {
    const [value] = runFused(FUSED.moments, { ens });
    return {
      value,
      keep: [ens, value],
      grad: (dy, [ens, moments]) => runFused(FUSED.momentsGrad, { ens, moments, dy }),
    };
  });
  const [mean, std] = tf.unstack(moments);
  return { mean, std };
}

/**
 * The sum over members and points of weight (e - t)^2, or null where the engine has no kernel for it.
 *
 * @param ens [M, E, D]
 * @param target [M, D]
 * @param weigh gives weights [M, D], if there is a kernel; they have no gradient
 */
export function memberSquares(ens: tf.Tensor, target: tf.Tensor, weigh: () => tf.Tensor): tf.Scalar | null {
  if (!hasKernel(FUSED.squares)) return null;
  const weights = weigh();
  return withGradient([ens], ([ens]) => ({
    value: tf.sum(runFused(FUSED.squares, { ens, target, weights })[0]),
    keep: [ens, target, weights],
    grad: (dy, [ens, target, weights]) => runFused(FUSED.squaresGrad, { ens, target, weights, dy }),
  })) as tf.Scalar;
}
