/** TensorFlow as a backend of TensorFlow.js: tfjs-node's own JavaScript kernels on our binding. */
import { createRequire } from "node:module";
import util from "node:util";
import * as tf from "@tensorflow/tfjs-core";
import { type Binding, createBinding } from "./binding.js";
import type { EagerContext, TensorMetadata } from "./context.js";
import { TensorflowError } from "./errors.js";
import type { HostValues } from "./values.js";

/** Name of the backend; tfjs-node registers its kernels under it. */
export const BACKEND = "tensorflow";

const PACKAGES = ["@tensorflow/tfjs-node-gpu", "@tensorflow/tfjs-node"];

/** What tfjs-node keeps of a tensor. `values` are those not yet copied to TensorFlow. */
interface Stored {
  shape: number[];
  dtype: number;
  values: HostValues | null;
  id: number;
  refCount: number;
}

/** The parts of tfjs-node's `NodeJSKernelBackend` used here. */
export interface TensorflowBackend extends tf.KernelBackend {
  binding: Binding;
  tensorMap: { get(dataId: object): Stored; has(dataId: object): boolean };
  getDTypeInteger(dtype: tf.DataType): number;
  getInputTensorIds(tensors: readonly tf.TensorInfo[]): number[];
  createOutputTensor(metadata: TensorMetadata): tf.Tensor;
  move(dataId: object, values: HostValues | null, shape: number[], dtype: tf.DataType, refCount: number): void;
}

type BackendClass = new (binding: Binding, packageName: string) => TensorflowBackend;

/**
 * Registers the backend and makes it the current one.
 * @throws TensorflowError `NOT_LOADED` if tfjs-node's JavaScript is not installed
 */
export function registerBackend(context: EagerContext): TensorflowBackend {
  const require = createRequire(import.meta.url);
  const name = PACKAGES.find((candidate) => canResolve(require, `${candidate}/package.json`));
  if (!name) {
    const fix = `npm install --ignore-scripts --no-save ${PACKAGES[0]}@4.22.0`;
    throw new TensorflowError("NOT_LOADED", PACKAGES[0], `its JavaScript kernels are not installed: ${fix}`);
  }
  // Node 23 took away the first, and warns at the second.
  const removed = util as unknown as Record<string, unknown>;
  removed.isNullOrUndefined ??= (value: unknown) => value === null || value === undefined;
  removed.isArray = Array.isArray;
  const { NodeJSKernelBackend } = require(`${name}/dist/nodejs_kernel_backend.js`) as {
    NodeJSKernelBackend: BackendClass;
  };
  require(`${name}/dist/register_all_kernels.js`);
  const backend = new NodeJSKernelBackend(createBinding(context) as Binding, name);
  backend.read = (dataId) => readAsync(context, backend, dataId);
  replaceGather();
  tf.registerBackend(BACKEND, () => backend, 3);
  return backend;
}

function canResolve(require: NodeJS.Require, path: string): boolean {
  try {
    require.resolve(path);
    return true;
  } catch {
    return false;
  }
}

/** Large tensors leave the event loop free while they are copied. */
async function readAsync(context: EagerContext, backend: TensorflowBackend, dataId: object): Promise<tf.BackendValues> {
  const stored = backend.tensorMap.get(dataId);
  if (stored.values !== null) return stored.values as tf.BackendValues;
  return (await context.readAsync(stored.id)) as tf.BackendValues;
}

/** tfjs-node's kernel reads the indices to check them; TensorFlow checks them itself. */
function replaceGather(): void {
  if (tf.getKernel(tf.GatherV2, BACKEND)) tf.unregisterKernel(tf.GatherV2, BACKEND);
  tf.registerKernel({
    kernelName: tf.GatherV2,
    backendName: BACKEND,
    kernelFunc: ({ inputs, attrs = {}, backend }) => {
      const { x, indices } = inputs as Record<string, tf.TensorInfo>;
      const axis = tf.scalar(attrs.axis as number, "int32");
      const result = run(backend as TensorflowBackend, "GatherV2", [x, indices, axis], {
        batch_dims: { int: attrs.batchDims as number },
        Tparams: { type: x.dtype },
        Tindices: { type: indices.dtype },
        Taxis: { type: "int32" },
      });
      axis.dispose();
      return result[0];
    },
  });
}

type AttributeGiven = { int: number } | { type: tf.DataType } | { bool: boolean };

/** Runs one TensorFlow operation on tensors of TensorFlow.js. */
export function run(
  backend: TensorflowBackend,
  operation: string,
  inputs: readonly tf.TensorInfo[],
  attributes: Record<string, AttributeGiven>,
  outputs = 1,
): tf.Tensor[] {
  const list = Object.entries(attributes).map(([name, given]) => {
    if ("int" in given) return { name, type: 1, value: given.int };
    if ("bool" in given) return { name, type: 3, value: given.bool };
    return { name, type: 4, value: backend.getDTypeInteger(given.type) };
  });
  const found = backend.binding.executeOp(operation, list, backend.getInputTensorIds(inputs), outputs);
  return found.map((metadata) => backend.createOutputTensor(metadata));
}
