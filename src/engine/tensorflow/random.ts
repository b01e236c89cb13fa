/** Random numbers of TensorFlow's counter-based generator. */
import * as tf from "@tensorflow/tfjs-core";
import { BACKEND, type TensorflowBackend } from "./backend.js";

/** Name of the kernel; attributes: `shape` and `seed` (two whole numbers). */
export const UNIFORM = "StatelessUniform";

/** Registers the kernel `UNIFORM`: float32 numbers uniform in [0, 1), a function of shape and seed alone. */
export function registerUniform(): void {
  if (tf.getKernel(UNIFORM, BACKEND)) return;
  tf.registerKernel({
    kernelName: UNIFORM,
    backendName: BACKEND,
    kernelFunc: ({ attrs = {}, backend }) =>
      uniform(backend as TensorflowBackend, attrs.shape as number[], attrs.seed as unknown as [number, number]),
  });
}

function uniform(backend: TensorflowBackend, shape: number[], seed: readonly [number, number]): tf.Tensor {
  const { binding } = backend;
  const size = tf.tensor1d(shape, "int32");
  const seedId = binding.createSeed(seed);
  try {
    const attributes = [
      { name: "dtype", type: 4, value: 1 },
      { name: "T", type: 4, value: 3 },
      { name: "Tseed", type: 4, value: 9 },
    ];
    const ids = [...backend.getInputTensorIds([size]), seedId];
    return backend.createOutputTensor(binding.executeOp("StatelessRandomUniform", attributes, ids, 1)[0]);
  } finally {
    binding.deleteTensor(seedId);
    size.dispose();
  }
}
