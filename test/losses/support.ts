/** Random loss inputs, as plain arrays and as tensors. */
import * as tf from "@tensorflow/tfjs-core";
import { openEngine } from "../../src/engine/index.js";
import { ensembleMean, ensembleStd } from "../../src/engine/kernels/index.js";
import type { LossInputs } from "../../src/losses/types.js";
import fc from "../support/property.js";

export const useWasm = () => openEngine("wasm");

export interface Plain {
  shape: [M: number, E: number, D: number];
  target: Float32Array;
  ens: Float32Array;
}

/** Ensembles of `minE` to `maxE` members. Values are multiples of 1/1000, so that no kink of |x| lies inside a difference quotient. */
export const plainInputs = (maxE = 6, minE = 2): fc.Arbitrary<Plain> =>
  fc
    .tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: minE, max: maxE }), fc.integer({ min: 1, max: 5 }))
    .chain(([M, E, D]) => {
      const value = fc.float({ min: -4, max: 4, noNaN: true }).map((x) => Math.fround(Math.round(x * 1000) / 1000));
      const array = (n: number) => fc.array(value, { minLength: n, maxLength: n }).map((x) => Float32Array.from(x));
      return fc.record({
        shape: fc.constant([M, E, D] as Plain["shape"]),
        target: array(M * D),
        ens: array(M * E * D),
      });
    });

/** Mean and spread follow from the members. */
export function inputsOf({ shape: [M, E, D], target, ens }: Plain, valid?: ArrayLike<number>): LossInputs {
  const members = tf.tensor(ens, [M, E, D]);
  return { ...fromMembers(tf.tensor(target, [M, D]), members), valid: valid && tf.tensor(Array.from(valid), [M, D]) };
}

export const fromMembers = (target: tf.Tensor, ens: tf.Tensor): LossInputs => ({
  target,
  ens,
  mean: ensembleMean(ens),
  std: ensembleStd(ens),
});

/** Value and gradient by the members of a loss. */
export function valueAndGradient(
  fn: (inputs: LossInputs) => tf.Scalar,
  plain: Plain,
  extra: Partial<LossInputs> = {},
): { value: number; gradient: Float32Array } {
  return inScope(() => {
    const { target, ens } = inputsOf(plain);
    const { value, grad } = tf.valueAndGrad((members) => fn({ ...fromMembers(target, members), ...extra }))(ens);
    return { value: value.dataSync()[0], gradient: Float32Array.from(grad.dataSync()) };
  });
}

/** Runs `f`, releases every tensor it made. */
export function inScope<T>(f: () => T): T {
  tf.engine().startScope();
  try {
    return f();
  } finally {
    tf.engine().endScope();
  }
}

export const close = (actual: number, expected: number, rtol = 1e-5, atol = 2e-6) =>
  Math.abs(actual - expected) <= atol + rtol * Math.abs(expected);
