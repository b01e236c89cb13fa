/** Gradients of convolutions, pools and the like, which have kernels of their own in TensorFlow.js. */
import * as tf from "@tensorflow/tfjs-core";
import { type Rule, type Rules, reduceTo, run } from "./rule.js";

/** A convolution: the gradients of its input and its filter are kernels that are told the shapes. */
const convolution = (toInput: string, toFilter: string): Rule => ({
  inputs: ["x", "filter"],
  grad: (dy, [x, filter], attrs) => {
    if ([attrs.dilations ?? 1].flat().some((dilation) => dilation !== 1)) {
      throw new Error("a convolution with dilations has no gradient in TensorFlow.js");
    }
    return {
      x: () => run(toInput, { dy, filter }, { ...attrs, inputShape: x.shape }),
      filter: () => run(toFilter, { x, dy }, { ...attrs, filterShape: filter.shape }),
    };
  },
});

const averagePool = (name: string): Rule => ({
  inputs: ["x"],
  grad: (dy, [x], attrs) => ({ x: () => run(name, { dy, input: x }, attrs) }),
});

const maximumPool = (name: string): Rule => ({
  inputs: ["x"],
  outputs: [true],
  grad: (dy, [x, y], attrs) => ({ x: () => run(name, { dy, input: x, output: y }, attrs) }),
});

const resize = (name: string): Rule => ({
  inputs: ["images"],
  grad: (dy, [images], attrs) => ({ images: () => run(name, { dy, images }, attrs) }),
});

export const IMAGES: Rules = {
  [tf.Conv2D]: convolution(tf.Conv2DBackpropInput, tf.Conv2DBackpropFilter),
  [tf.Conv3D]: convolution(tf.Conv3DBackpropInputV2, tf.Conv3DBackpropFilterV2),
  [tf.DepthwiseConv2dNative]: convolution(
    tf.DepthwiseConv2dNativeBackpropInput,
    tf.DepthwiseConv2dNativeBackpropFilter,
  ),
  [tf.Conv2DBackpropInput]: {
    inputs: ["dy", "filter"],
    grad: (ddx, [dy, filter], attrs) => ({
      dy: () => run(tf.Conv2D, { x: ddx, filter }, { ...attrs, dilations: 1 }),
      filter: () => run(tf.Conv2DBackpropFilter, { x: ddx, dy }, { ...attrs, filterShape: filter.shape }),
    }),
  },
  [tf.AvgPool]: averagePool(tf.AvgPoolGrad),
  [tf.AvgPool3D]: averagePool(tf.AvgPool3DGrad),
  [tf.MaxPool]: maximumPool(tf.MaxPoolGrad),
  [tf.MaxPool3D]: maximumPool(tf.MaxPool3DGrad),
  [tf.ResizeBilinear]: resize(tf.ResizeBilinearGrad),
  [tf.ResizeNearestNeighbor]: resize(tf.ResizeNearestNeighborGrad),
  [tf.Dilation2D]: {
    inputs: ["x", "filter"],
    grad: (dy, [x, filter], attrs) => ({
      x: () => run(tf.Dilation2DBackpropInput, { x, filter, dy }, attrs),
      filter: () => run(tf.Dilation2DBackpropFilter, { x, filter, dy }, attrs),
    }),
  },
  [tf.LRN]: {
    inputs: ["x"],
    outputs: [true],
    grad: (dy, [x, y], attrs) => ({ x: () => run(tf.LRNGrad, { x, y, dy }, attrs) }),
  },
  [tf.FusedBatchNorm]: {
    inputs: ["x", "mean", "variance", "scale"],
    grad: (dy, [x, mean, variance, scale], { varianceEpsilon }) => {
      const inverse = tf.rsqrt(tf.add(variance, varianceEpsilon as number));
      const slope = scale === undefined ? dy : tf.mul(dy, scale);
      const centred = tf.sub(x, mean);
      const cube = tf.mul(tf.mul(tf.square(inverse), inverse), -0.5);
      return {
        x: () => tf.mul(slope, inverse),
        mean: () => reduceTo(tf.neg(tf.mul(slope, inverse)), mean.shape),
        variance: () => reduceTo(tf.mul(tf.mul(slope, centred), cube), mean.shape),
        scale: () => reduceTo(tf.mul(dy, tf.mul(centred, inverse)), mean.shape),
        offset: () => reduceTo(dy, mean.shape),
      };
    },
  },
  [tf.ComplexAbs]: { inputs: ["x"], grad: (dy, [x]) => ({ x: () => tf.mul(dy, tf.step(tf.cast(x, "float32"), -1)) }) },
};
