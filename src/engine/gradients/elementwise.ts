/** Gradients of operations that compute element by element. */
import * as tf from "@tensorflow/tfjs-core";
import { cast, fromOutput, noSlope, oneInput, type Rules, reduceTo, twoInputs } from "./rule.js";

/** Of tf.selu (Klambauer et al. 2017). */
const SELU = { scaleAlpha: 1.7580993408473768, scale: 1.0507009873554805 };

/** The gradient where the input is positive, times something where it is not. */
const whereAbove = (x: tf.Tensor, above: tf.Tensor, below: tf.Tensor) => tf.where(tf.greater(x, 0), above, below);

const squaredSum = (a: tf.Tensor, b: tf.Tensor) => tf.add(tf.square(a), tf.square(b));

export const ELEMENTWISE: Rules = {
  [tf.Add]: twoInputs(
    (dy) => dy,
    (dy) => dy,
  ),
  [tf.AddN]: {
    all: true,
    grad: (dy, inputs) => Object.fromEntries(inputs.map((_, i) => [i, () => tf.clone(dy)])),
  },
  [tf.Sub]: twoInputs(
    (dy) => dy,
    (dy) => tf.neg(dy),
  ),
  [tf.Multiply]: twoInputs(
    (dy, _, b) => tf.mul(dy, b),
    (dy, a) => tf.mul(dy, a),
  ),
  [tf.RealDiv]: twoInputs(
    (dy, _, b) => tf.div(dy, b),
    (dy, a, b) => tf.neg(tf.div(tf.mul(dy, a), tf.square(b))),
  ),
  [tf.Maximum]: twoInputs(
    (dy, a, b) => tf.mul(dy, cast(tf.greaterEqual(a, b))),
    (dy, a, b) => tf.mul(dy, cast(tf.less(a, b))),
  ),
  [tf.Minimum]: twoInputs(
    (dy, a, b) => tf.mul(dy, cast(tf.lessEqual(a, b))),
    (dy, a, b) => tf.mul(dy, cast(tf.greater(a, b))),
  ),
  [tf.SquaredDifference]: twoInputs(
    (dy, a, b) => tf.mul(dy, tf.mul(2, tf.sub(a, b))),
    (dy, a, b) => tf.mul(dy, tf.mul(2, tf.sub(b, a))),
  ),
  [tf.Neg]: { grad: (dy) => ({ x: () => tf.neg(dy) }) },
  [tf.Square]: oneInput(["x"], (dy, x) => tf.mul(dy, tf.mul(x, 2))),
  [tf.Abs]: oneInput(["x"], (dy, x) => tf.mul(dy, tf.sub(cast(tf.greater(x, 0)), cast(tf.less(x, 0))))),
  [tf.Log]: oneInput(["x"], (dy, x) => tf.div(dy, x)),
  [tf.Log1p]: oneInput(["x"], (dy, x) => tf.div(dy, tf.add(x, 1))),
  [tf.Erf]: oneInput(["x"], (dy, x) => tf.mul(dy, tf.mul(tf.exp(tf.neg(tf.square(x))), 2 / 1.7724538509055159))),
  [tf.Relu]: oneInput(["x"], (dy, x) => tf.mul(dy, cast(tf.greater(x, 0)))),
  [tf.Exp]: fromOutput((dy, y) => tf.mul(dy, y)),
  [tf.Sqrt]: fromOutput((dy, y) => tf.div(dy, tf.mul(y, 2))),
  [tf.Rsqrt]: fromOutput((dy, y) => tf.mul(dy, tf.mul(tf.mul(tf.square(y), y), -0.5))),
  [tf.Reciprocal]: fromOutput((dy, y) => tf.neg(tf.mul(dy, tf.square(y)))),
  [tf.Tanh]: fromOutput((dy, y) => tf.mul(dy, tf.sub(1, tf.square(y)))),
  [tf.Sigmoid]: fromOutput((dy, y) => tf.mul(dy, tf.mul(y, tf.sub(1, y)))),
  [tf.ClipByValue]: {
    inputs: ["x"],
    grad: (dy, [x], { clipValueMin, clipValueMax }) => ({
      x: () =>
        tf.mul(
          dy,
          cast(tf.logicalAnd(tf.greaterEqual(x, clipValueMin as number), tf.lessEqual(x, clipValueMax as number))),
        ),
    }),
  },
  [tf.Select]: {
    inputs: ["condition"],
    grad: (dy, [condition]) => ({
      condition: () => tf.zeros(condition.shape),
      t: () => tf.where(condition, dy, tf.zerosLike(dy)),
      e: () => tf.where(condition, tf.zerosLike(dy), dy),
    }),
  },
  [tf.ZerosLike]: { grad: (dy) => ({ x: () => tf.zerosLike(dy) }) },
  [tf.Pow]: {
    inputs: ["a", "b"],
    outputs: [true],
    grad: (dy, [a, b, y]) => {
      const toBase = () => tf.mul(dy, tf.mul(cast(b), tf.pow(a, tf.sub(cast(b), 1))));
      // where the base is not positive the power has no slope by its exponent
      const logarithm = () => tf.where(tf.greater(a, 0), tf.log(a), tf.zerosLike(a));
      return {
        a: () => reduceTo(toBase(), a.shape),
        b: () => reduceTo(tf.mul(dy, tf.mul(y, logarithm())), b.shape),
      };
    },
  },
  [tf.Atan2]: twoInputs(
    (dy, a, b) => tf.mul(dy, tf.div(b, squaredSum(a, b))),
    (dy, a, b) => tf.neg(tf.mul(dy, tf.div(a, squaredSum(a, b)))),
  ),
  [tf.Mod]: twoInputs(
    (dy) => dy,
    (dy, a, b) => tf.neg(tf.mul(dy, tf.floor(tf.div(a, b)))),
  ),
  // as TensorFlow.js: as if it did not round
  [tf.FloorDiv]: twoInputs(
    (dy, _, b) => tf.div(dy, cast(b)),
    (dy, a, b) => tf.neg(tf.div(tf.mul(dy, cast(a)), cast(tf.square(b)))),
  ),
  [tf.Sin]: oneInput(["x"], (dy, x) => tf.mul(dy, tf.cos(x))),
  [tf.Cos]: oneInput(["x"], (dy, x) => tf.neg(tf.mul(dy, tf.sin(x)))),
  [tf.Tan]: oneInput(["x"], (dy, x) => tf.div(dy, tf.square(tf.cos(x)))),
  [tf.Asin]: oneInput(["x"], (dy, x) => tf.div(dy, tf.sqrt(tf.sub(1, tf.square(x))))),
  [tf.Acos]: oneInput(["x"], (dy, x) => tf.neg(tf.div(dy, tf.sqrt(tf.sub(1, tf.square(x)))))),
  [tf.Atan]: oneInput(["x"], (dy, x) => tf.div(dy, tf.add(1, tf.square(x)))),
  [tf.Sinh]: oneInput(["x"], (dy, x) => tf.mul(dy, tf.cosh(x))),
  [tf.Cosh]: oneInput(["x"], (dy, x) => tf.mul(dy, tf.sinh(x))),
  [tf.Asinh]: oneInput(["x"], (dy, x) => tf.div(dy, tf.sqrt(tf.add(1, tf.square(x))))),
  [tf.Acosh]: oneInput(["x"], (dy, x) => tf.div(dy, tf.sqrt(tf.sub(tf.square(x), 1)))),
  [tf.Atanh]: oneInput(["x"], (dy, x) => tf.div(dy, tf.sub(1, tf.square(x)))),
  [tf.Expm1]: oneInput(["x"], (dy, x) => tf.mul(dy, tf.exp(x))),
  [tf.Softplus]: oneInput(["x"], (dy, x) => tf.mul(dy, tf.sigmoid(x))),
  [tf.Elu]: fromOutput((dy, y) => whereAbove(y, dy, tf.mul(dy, tf.add(y, 1)))),
  [tf.Selu]: oneInput(["x"], (dy, x) =>
    whereAbove(x, tf.mul(dy, SELU.scale), tf.mul(tf.mul(dy, SELU.scaleAlpha), tf.exp(x))),
  ),
  [tf.Relu6]: oneInput(["x"], (dy, x) => tf.mul(dy, cast(tf.logicalAnd(tf.greater(x, 0), tf.lessEqual(x, 6))))),
  [tf.LeakyRelu]: {
    inputs: ["x"],
    grad: (dy, [x], { alpha }) => ({ x: () => whereAbove(x, dy, tf.mul(dy, alpha as number)) }),
  },
  [tf.Prelu]: {
    inputs: ["x", "alpha"],
    grad: (dy, [x, alpha]) => ({
      x: () => whereAbove(x, dy, tf.mul(dy, alpha)),
      alpha: () => reduceTo(whereAbove(x, tf.zerosLike(dy), tf.mul(dy, x)), alpha.shape),
    }),
  },
};

/** Steps, which are constant almost everywhere. */
for (const name of [tf.Ceil, tf.Floor, tf.Round, tf.Sign, tf.Step, tf.IsFinite, tf.IsInf, tf.IsNan, tf.OnesLike]) {
  ELEMENTWISE[name] = noSlope;
}

/** Comparisons, too. */
for (const name of [
  ...[tf.Greater, tf.GreaterEqual, tf.Less, tf.LessEqual, tf.Equal, tf.NotEqual],
  ...[tf.LogicalAnd, tf.LogicalOr],
]) {
  ELEMENTWISE[name] = twoInputs(
    (dy) => tf.zeros(dy.shape),
    (dy) => tf.zeros(dy.shape),
  );
}
