/** The interface between tfjs-node's JavaScript kernels and TensorFlow (its `TFJSBinding`), over the C API. */
import { ATTRIBUTE_KINDS, type Attribute } from "./attributes.js";
import type { EagerContext, TensorMetadata } from "./context.js";
import type { NodeDefinition } from "./definitions.js";
import { TensorflowError } from "./errors.js";
import { type InferredOutput, inferOutputs, type KnownInput } from "./infer.js";
import { type HostValues, TYPES } from "./values.js";

/** What tfjs-node's kernels call. A recorder may stand in its place while a function is traced. */
export interface Binding {
  /** true of a recorder: nothing is computed now */
  readonly tracing?: boolean;
  createTensor(shape: number[], dtype: number, values: HostValues): number;
  /** A seed of a stateless random operation: int64 [2]. */
  createSeed(seed: readonly [number, number]): number;
  /** Whole numbers that an operation is given beside its tensors: int64 [n]. */
  createNumbers(values: readonly number[]): number;
  deleteTensor(id: number): void;
  tensorDataSync(id: number): HostValues;
  executeOp(name: string, attributes: Attribute[], inputs: number[], outputs: number): TensorMetadata[];
  /** What comes out of an operation, by TensorFlow's own rules. */
  infer(op: string, attributes: NodeDefinition["attributes"], inputs: readonly KnownInput[]): InferredOutput[];
  getNumOfTensors(): number;
  isUsingGpuDevice(): boolean;
}

/** Numbers of types and attribute kinds under tfjs-node's names. */
const CONSTANTS = {
  ...ATTRIBUTE_KINDS,
  TF_FLOAT: TYPES.float32,
  TF_INT32: TYPES.int32,
  TF_INT64: TYPES.int64,
  TF_BOOL: TYPES.bool,
  TF_COMPLEX64: TYPES.complex64,
  TF_STRING: TYPES.string,
  TF_RESOURCE: TYPES.resource,
  TF_UINT8: TYPES.uint8,
};

/** The binding of a context. */
export function createBinding(context: EagerContext): Binding & typeof CONSTANTS & { TF_Version: string } {
  const noModels = () => {
    throw new TensorflowError("UNIMPLEMENTED", "SavedModel", "saved models are not part of this binding");
  };
  return {
    ...CONSTANTS,
    TF_Version: context.native.version,
    createTensor: (shape, dtype, values) => context.create(shape, dtype, asView(dtype, values)),
    createSeed: (seed) => context.create([2], TYPES.int64, BigInt64Array.from(seed, BigInt)),
    createNumbers: (values) => context.create([values.length], TYPES.int64, BigInt64Array.from(values, BigInt)),
    deleteTensor: (id) => context.delete(id),
    tensorDataSync: (id) => context.read(id),
    executeOp: (name, attributes, inputs, outputs) => context.execute(name, attributes, inputs, outputs),
    infer: (op, attributes, inputs) => inferOutputs(context.native, op, attributes, inputs),
    getNumOfTensors: () => context.size,
    isUsingGpuDevice: () => context.device.type === "GPU",
    ...{ loadSavedModel: noModels, deleteSavedModel: noModels, runSavedModel: noModels, getNumOfSavedModels: () => 0 },
  };
}

/** TensorFlow.js may hand over plain arrays of numbers. */
function asView(dtype: number, values: HostValues | number[]): HostValues {
  if (ArrayBuffer.isView(values) || dtype === TYPES.string) return values as HostValues;
  const numbers = values as number[];
  if (dtype === TYPES.int32) return Int32Array.from(numbers);
  return dtype === TYPES.bool ? Uint8Array.from(numbers) : Float32Array.from(numbers);
}
