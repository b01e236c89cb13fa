/**
 * TensorFlow from Node without a compiler: its C library called through koffi, as a backend of TensorFlow.js.
 *
 * @example
 * const engine = await openTensorflow({ asked: { path: "/opt/tensorflow", source: "example" } });
 * tf.matMul(a, b).print();
 * await engine.close();
 */
import { availableParallelism } from "node:os";
import { isMainThread } from "node:worker_threads";
import * as tf from "@tensorflow/tfjs-core";
import { BACKEND, registerBackend, type TensorflowBackend } from "./backend.js";
import { EagerContext } from "./context.js";
import { type FoundLibrary, findLibrary, type SearchOptions } from "./library.js";
import { loadNative } from "./native.js";
import { registerUniform } from "./random.js";

export { ATTRIBUTE_KINDS, type Attribute } from "./attributes.js";
export { BACKEND, run, type TensorflowBackend } from "./backend.js";
export type { Binding } from "./binding.js";
export { type Device, EagerContext, type TensorMetadata } from "./context.js";
export {
  attribute,
  type FunctionDefinition,
  functionDefinition,
  type NodeDefinition,
} from "./definitions.js";
export { TensorflowError } from "./errors.js";
export {
  type FoundLibrary,
  findLibrary,
  libraryNames,
  type Search,
  type SearchOptions,
  searchLibrary,
  unsupportedSystem,
} from "./library.js";
export { builtForGpu, loadNative } from "./native.js";
export {
  functionAddress,
  isRegistered,
  OWN_PREFIX,
  type OwnOperation,
  outputName,
  registerOperation,
} from "./operations.js";
export { outputShapes, type Plan, plan } from "./plan.js";
export { missingInstructions } from "./processor.js";
export { UNIFORM } from "./random.js";
export { type TimedRun, timeFunction } from "./session.js";
export type { OperationTime } from "./stepStats.js";
export { elementBytes, type HostValues, TYPES } from "./values.js";

export interface TensorflowOptions extends SearchOptions {
  /** threads that work at once; 0 (default): one per processor core */
  threads?: number;
}

/** A backend that is registered and current. */
export interface Tensorflow {
  library: FoundLibrary;
  version: string;
  threads: number;
  context: EagerContext;
  backend: TensorflowBackend;
  /** Releases all tensors and the runtime's threads; the backend cannot be used afterwards. */
  close(): Promise<void>;
}

/**
 * Loads the library that `findLibrary` finds and makes it TensorFlow.js's backend.
 * @throws TensorflowError `NOT_LOADED` if there is none, or it cannot be used
 */
export async function openTensorflow(options: TensorflowOptions = {}): Promise<Tensorflow> {
  const library = findLibrary(options);
  const native = loadNative(library.file);
  const context = new EagerContext(native, { threads: options.threads });
  const backend = registerBackend(context);
  registerUniform();
  await tf.setBackend(BACKEND);
  // A context keeps threads and memory after its worker thread; the end of the process takes care of the main thread's.
  if (!isMainThread) process.once("exit", () => context.closeNow());
  return {
    library,
    version: native.version,
    threads: options.threads || availableParallelism(),
    context,
    backend,
    close: () => context.close(),
  };
}
