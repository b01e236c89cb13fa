/** One use of every operation for which TensorFlow.js has a gradient, and of some that it leaves out. */
import * as tf from "@tensorflow/tfjs-core";
import { type Fn, normal, type Plain } from "./support.js";

export interface Case {
  fn: Fn;
  inputs: Plain[];
}

const X = normal(1, [3, 4]);
const Y = normal(2, [3, 4]);
const ROW = normal(3, [4]);
const IMAGE = normal(4, [1, 6, 6, 2]);
const VOLUME = normal(5, [1, 4, 4, 4, 2]);

const one = (fn: (x: tf.Tensor) => tf.Tensor, input = X): Case => ({ fn: ([x]) => fn(x), inputs: [input] });
const two = (fn: (a: tf.Tensor, b: tf.Tensor) => tf.Tensor, a = X, b = ROW): Case => ({
  fn: ([a, b]) => fn(a, b),
  inputs: [a, b],
});
const number = (x: tf.Tensor) => tf.cast(x, "float32");
/** within (-1, 1) */
const inside = (x: tf.Tensor) => tf.mul(tf.tanh(x), 0.9);
/** above 1 */
const above = (x: tf.Tensor) => tf.add(tf.square(x), 1.1);
const image = (fn: (x: tf.Tensor4D) => tf.Tensor) => one((x) => fn(x as tf.Tensor4D), IMAGE);
const volume = (fn: (x: tf.Tensor5D) => tf.Tensor) => one((x) => fn(x as tf.Tensor5D), VOLUME);
const ids = () => tf.tensor1d([1, 0, 1], "int32");

/** By the kernel's name. */
export const CASES: Record<string, Case> = {
  [tf.Abs]: one(tf.abs),
  [tf.Acos]: one((x) => tf.acos(inside(x))),
  [tf.Acosh]: one((x) => tf.acosh(above(x))),
  [tf.Add]: two(tf.add),
  [tf.AddN]: two((a, b) => tf.addN([a, b, a]), X, Y),
  [tf.ArgMax]: one((x) => number(tf.argMax(x, 1))),
  [tf.ArgMin]: one((x) => number(tf.argMin(x, 1))),
  [tf.Asin]: one((x) => tf.asin(inside(x))),
  [tf.Asinh]: one(tf.asinh),
  [tf.Atan2]: two(tf.atan2),
  [tf.Atan]: one(tf.atan),
  [tf.Atanh]: one((x) => tf.atanh(inside(x))),
  [tf.AvgPool3D]: volume((x) => tf.avgPool3d(x, 2, 2, "valid")),
  [tf.AvgPool]: image((x) => tf.avgPool(x, 2, 2, "valid")),
  [tf.BatchMatMul]: two((a, b) => tf.matMul(a, b, false, true), X, Y),
  [tf.BatchToSpaceND]: one(
    (x) =>
      tf.batchToSpaceND(
        x,
        [2, 2],
        [
          [0, 0],
          [0, 0],
        ],
      ),
    normal(6, [4, 2, 2, 1]),
  ),
  [tf.Cast]: one((x) => tf.cast(x, "float32")),
  [tf.Ceil]: one(tf.ceil),
  [tf.ClipByValue]: one((x) => tf.clipByValue(x, -0.5, 0.7)),
  [tf.Concat]: two((a, b) => tf.concat([a, b, a], 1), X, Y),
  [tf.Conv2D]: two((x, w) => tf.conv2d(x as tf.Tensor4D, w as tf.Tensor4D, 1, "same"), IMAGE, normal(7, [3, 3, 2, 2])),
  [tf.Conv2DBackpropInput]: two(
    (x, w) => tf.conv2dTranspose(x as tf.Tensor4D, w as tf.Tensor4D, [1, 6, 6, 2], 1, "same"),
    IMAGE,
    normal(7, [3, 3, 2, 2]),
  ),
  [tf.Conv3D]: two(
    (x, w) => tf.conv3d(x as tf.Tensor5D, w as tf.Tensor5D, 1, "same"),
    VOLUME,
    normal(8, [2, 2, 2, 2, 1]),
  ),
  [tf.Cos]: one(tf.cos),
  [tf.Cosh]: one(tf.cosh),
  [tf.Cumsum]: one((x) => tf.cumsum(x, 1, true, true)),
  [tf.DepthwiseConv2dNative]: two(
    (x, w) => tf.depthwiseConv2d(x as tf.Tensor4D, w as tf.Tensor4D, 1, "same"),
    IMAGE,
    normal(7, [3, 3, 2, 2]),
  ),
  [tf.Dilation2D]: two(
    (x, w) => tf.dilation2d(x as tf.Tensor4D, w as tf.Tensor3D, 1, "same"),
    IMAGE,
    normal(9, [2, 2, 2]),
  ),
  [tf.Elu]: one(tf.elu),
  [tf.Erf]: one(tf.erf),
  [tf.Exp]: one(tf.exp),
  [tf.ExpandDims]: one((x) => tf.expandDims(x, 1)),
  [tf.Expm1]: one(tf.expm1),
  [tf.Floor]: one(tf.floor),
  [tf.FloorDiv]: two((a, b) => number(tf.floorDiv(tf.mul(a, 10), above(b)))),
  [tf.FusedBatchNorm]: {
    fn: ([x, mean, variance, offset, scale]) =>
      tf.batchNorm(
        x as tf.Tensor2D,
        mean as tf.Tensor1D,
        above(variance) as tf.Tensor1D,
        offset as tf.Tensor1D,
        scale as tf.Tensor1D,
      ),
    inputs: [X, ...[11, 12, 13, 14].map((seed) => normal(seed, [4]))],
  },
  [tf.GatherV2]: one((x) => tf.gather(x, tf.tensor1d([2, 0, 2, 1], "int32"), 0)),
  [tf.GreaterEqual]: two((a, b) => number(tf.greaterEqual(a, b)), X, Y),
  [tf.Identity]: one((x) => tf.clone(x)),
  [tf.IsFinite]: one((x) => number(tf.isFinite(x))),
  [tf.IsInf]: one((x) => number(tf.isInf(x))),
  [tf.IsNan]: one((x) => number(tf.isNaN(x))),
  [tf.LRN]: image((x) => tf.localResponseNormalization(x, 2)),
  [tf.LeakyRelu]: one((x) => tf.leakyRelu(x, 0.3)),
  [tf.Log1p]: one((x) => tf.log1p(above(x))),
  [tf.Log]: one((x) => tf.log(above(x))),
  [tf.Max]: one((x) => tf.max(x, 1)),
  [tf.MaxPool3D]: volume((x) => tf.maxPool3d(x, 2, 2, "valid")),
  [tf.MaxPool]: image((x) => tf.maxPool(x, 2, 2, "valid")),
  [tf.Maximum]: two(tf.maximum, X, Y),
  [tf.Mean]: one((x) => tf.mean(x, 1)),
  [tf.Min]: one((x) => tf.min(x, 0)),
  [tf.Minimum]: two(tf.minimum, X, Y),
  [tf.MirrorPad]: one((x) =>
    tf.mirrorPad(
      x as tf.Tensor2D,
      [
        [0, 0],
        [0, 0],
      ],
      "reflect",
    ),
  ),
  [tf.Mod]: two((a, b) => tf.mod(a, above(b))),
  [tf.Multiply]: two(tf.mul),
  [tf.Neg]: one(tf.neg),
  [tf.OneHot]: one((x) => tf.add(tf.sum(tf.oneHot(tf.tensor1d([0, 2], "int32"), 4)), x)),
  [tf.OnesLike]: one((x) => tf.onesLike(x)),
  [tf.Pack]: two((a, b) => tf.stack([a, b], 1), X, Y),
  [tf.PadV2]: one((x) =>
    tf.pad(x, [
      [1, 0],
      [2, 1],
    ]),
  ),
  [tf.Pow]: two((a, b) => tf.pow(above(a), b)),
  [tf.Prelu]: two((a, b) => tf.prelu(a, b)),
  [tf.Prod]: one((x) => tf.prod(x, 1)),
  [tf.RealDiv]: two((a, b) => tf.div(a, above(b))),
  [tf.Reciprocal]: one((x) => tf.reciprocal(above(x))),
  [tf.Relu6]: one((x) => tf.relu6(tf.mul(x, 5))),
  [tf.Relu]: one(tf.relu),
  [tf.Reshape]: one((x) => tf.reshape(x, [2, 6])),
  [tf.ResizeBilinear]: image((x) => tf.image.resizeBilinear(x, [4, 3])),
  [tf.ResizeNearestNeighbor]: image((x) => tf.image.resizeNearestNeighbor(x, [4, 3])),
  [tf.Reverse]: one((x) => tf.reverse(x, [-1])),
  [tf.Round]: one(tf.round),
  [tf.Rsqrt]: one((x) => tf.rsqrt(above(x))),
  [tf.Select]: two((a, b) => tf.where(tf.tensor2d([1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 1], [3, 4], "bool"), a, b), X, Y),
  [tf.Selu]: one(tf.selu),
  [tf.Sigmoid]: one(tf.sigmoid),
  [tf.Sign]: one(tf.sign),
  [tf.Sin]: one(tf.sin),
  [tf.Sinh]: one(tf.sinh),
  [tf.Slice]: one((x) => tf.slice(x, [1, 0], [2, 3])),
  [tf.Softmax]: one((x) => tf.softmax(x)),
  [tf.Softplus]: one(tf.softplus),
  [tf.SpaceToBatchND]: one(
    (x) =>
      tf.spaceToBatchND(
        x,
        [2, 2],
        [
          [0, 0],
          [0, 0],
        ],
      ),
    normal(6, [1, 4, 4, 1]),
  ),
  [tf.SplitV]: one((x) => tf.mul(tf.split(x, 2, 1)[0], tf.split(x, [1, 2, 1], 1)[1])),
  [tf.Sqrt]: one((x) => tf.sqrt(above(x))),
  [tf.Square]: one(tf.square),
  [tf.SquaredDifference]: two(tf.squaredDifference, X, Y),
  [tf.Step]: one((x) => tf.step(x, 0.5)),
  [tf.Sub]: two(tf.sub),
  [tf.Sum]: one((x) => tf.sum(x, 0)),
  [tf.Tan]: one((x) => tf.tan(inside(x))),
  [tf.Tanh]: one(tf.tanh),
  [tf.Tile]: one((x) => tf.tile(x, [2, 3])),
  [tf.Transpose]: one((x) => tf.transpose(x)),
  [tf.Unpack]: one((x) => tf.unstack(x, 1)[2]),
  [tf.UnsortedSegmentSum]: one((x) => tf.unsortedSegmentSum(x, ids(), 2)),
  [tf.ZerosLike]: one((x) => tf.zerosLike(x)),
};

/** TensorFlow.js has a gradient of these, but no operation that calls them by this name, or none of real numbers. */
export const NEVER_CALLED: readonly string[] = [tf.BroadcastTo, tf.LogSoftmax, tf.ComplexAbs];

/** What a loss may use beyond: without a gradient in TensorFlow.js, or with a wrong one, or made of several operations. */
export const BEYOND: Record<string, Case> = {
  "topk, values": one((x) => tf.topk(x, 2).values),
  "cumsum along the first axis": one((x) => tf.cumsum(x, 0)),
  "prod along a negative axis": one((x) => tf.prod(x, -2)),
  "prod of all": one((x) => tf.prod(x)),
  "maximum with a row": two(tf.maximum),
  "minimum with a row": two(tf.minimum),
  "max of all": one((x) => tf.max(x)),
  "gather of columns": one((x) => tf.gather(x, tf.tensor1d([3, 0, 3], "int32"), 1)),
  "gather with indices of two axes": one((x) => tf.gather(x, tf.tensor2d([0, 2, 1, 1], [2, 2], "int32"), 0)),
  "gather by rows": one((x) => tf.gather(x, tf.tensor2d([3, 0, 1, 1, 2, 2], [3, 2], "int32"), 1, 1)),
  norm: one((x) => tf.norm(x, 2, 1)),
  "norm of order 1": one((x) => tf.norm(x, 1)),
  logSumExp: one((x) => tf.logSumExp(x, 1)),
  logSoftmax: one((x) => tf.logSoftmax(x)),
  logSigmoid: one((x) => tf.logSigmoid(x)),
  squeeze: one((x) => tf.squeeze(tf.reshape(x, [3, 1, 4]))),
  "a power of a number": one((x) => tf.pow(x, 3)),
  broadcastTo: one((x) => tf.broadcastTo(x, [3, 4]), ROW),
  moments: one((x) => tf.moments(x, 1).variance),
  "huber loss": one((x) => tf.losses.huberLoss(tf.zerosLike(x), x)),
};
