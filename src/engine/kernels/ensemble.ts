/** Mean and spread over ensemble members. */
import * as tf from "@tensorflow/tfjs-core";
import { withGradient } from "./fused.js";

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
