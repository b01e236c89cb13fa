/**
 * Kernels borrowed from TensorFlow.js's plain JavaScript: those that its WASM backend lacks, and those that leave memory
 * of others in their results there (4.22: they add to an output that they never cleared). Nobody trains with them; slow, but right.
 */
import { createRequire } from "node:module";
import type { BackendWasm } from "@tensorflow/tfjs-backend-wasm";
import type { KernelBackend, NamedAttrMap, TensorInfo } from "@tensorflow/tfjs-core";
import * as tf from "@tensorflow/tfjs-core";
import { numbers, replaceKernel } from "./heap.js";

const LACKING = [
  tf.Conv2DBackpropFilter,
  tf.DepthwiseConv2dNativeBackpropFilter,
  tf.DepthwiseConv2dNativeBackpropInput,
] as const;

const UNCLEARED = [
  tf.AvgPoolGrad,
  tf.AvgPool3DGrad,
  tf.MaxPoolGrad,
  tf.MaxPool3DGrad,
  tf.Conv3DBackpropFilterV2,
  tf.Conv3DBackpropInputV2,
  tf.Dilation2D,
  tf.Dilation2DBackpropFilter,
  tf.Dilation2DBackpropInput,
] as const;

/** What the plain backend is asked for; its tensors live outside TensorFlow.js's own count. */
interface PlainBackend extends KernelBackend {
  makeTensorInfo(shape: number[], dtype: tf.DataType, values: ArrayLike<number>): TensorInfo;
}

export function registerBorrowed(): void {
  for (const name of [...LACKING, ...UNCLEARED]) {
    replaceKernel(name, ({ backend, inputs, attrs }) => runPlain(name, backend, inputs, attrs));
  }
}

/** Runs a kernel of the plain backend, which gives one tensor, on copies. */
export function runPlain(
  name: string,
  backend: BackendWasm,
  inputs: Record<string, TensorInfo>,
  attrs: NamedAttrMap,
): TensorInfo {
  const plain = plainBackend();
  const given = Object.entries(inputs).map(([key, info]) => [key, lend(plain, backend, info)] as const);
  const { kernelFunc } = tf.getKernel(name, "cpu");
  const result = kernelFunc({ inputs: Object.fromEntries(given), attrs, backend: plain }) as TensorInfo;
  const out = backend.makeOutput(result.shape, result.dtype);
  numbers(backend, out).set(plain.readSync(result.dataId) as Float32Array);
  for (const { dataId } of [...given.map(([, info]) => info), result]) plain.disposeData(dataId);
  return out;
}

/** Loaded when it is first needed: few runs need it. */
function plainBackend(): PlainBackend {
  createRequire(import.meta.url)("@tensorflow/tfjs-backend-cpu");
  // it would greet whoever uses it first
  return Object.assign(tf.engine().findBackend("cpu") as PlainBackend, { firstUse: false });
}

function lend(plain: PlainBackend, backend: BackendWasm, info: TensorInfo): TensorInfo {
  const lent = plain.makeTensorInfo(info.shape, info.dtype, numbers(backend, info).slice());
  // some of its kernels ask for the rank, which tensors have
  return Object.assign(lent, { rank: info.shape.length });
}
