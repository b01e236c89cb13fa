/** Operations of one's own: their names and kernels made known to TensorFlow (tensorflow/c/ops.h, kernels.h). */
import { TensorflowError } from "./errors.js";
import { type Native, takeBuffer } from "./native.js";

/** An operation on float32 tensors whose kernel is a C function. Its first input, int64, is a `plan`. */
export interface OwnOperation {
  name: string;
  /** types of its inputs, in their order, the plan's first */
  inputs: readonly ("float" | "int32" | "int64")[];
  /** how many float32 tensors it gives */
  outputs: number;
  /** address of `void *(*)(TF_OpKernelConstruction *)`: what `compute` is given first */
  create: number;
  /** address of `void (*)(void *, TF_OpKernelContext *)` */
  compute: number;
  /** address of `void (*)(TF_ShapeInferenceContext *, TF_Status *)` */
  shape: number;
}

/** How the names of such operations begin. */
export const OWN_PREFIX = "Atmorep";

/** Name of output `i`. */
export const outputName = (i: number): string => `y${i}`;

/** True if an operation has a kernel: registered by this or another thread of the process. */
export function isRegistered(native: Native, name: string): boolean {
  const kernels = native.api.TF_GetRegisteredKernelsForOp(name, native.status);
  native.check("TF_GetRegisteredKernelsForOp");
  return takeBuffer(native, kernels).length > 0;
}

/**
 * Makes an operation known to the whole process, for the processor. It cannot be taken back, and what it points to must
 * stay. Where another thread has done the same, nothing is done: TensorFlow ends the process at the second time.
 * @throws TensorflowError with TensorFlow's message
 */
export function registerOperation(native: Native, operation: OwnOperation): void {
  native.alone(() => {
    if (!isRegistered(native, operation.name)) register(native, operation);
  });
}

function register(native: Native, { name, inputs, outputs, create, compute, shape }: OwnOperation): void {
  const { api, status, cstring } = native;
  const definition = api.TF_NewOpDefinitionBuilder(cstring(name));
  for (const [i, type] of inputs.entries()) api.TF_OpDefinitionBuilderAddInput(definition, cstring(`x${i}: ${type}`));
  for (let i = 0; i < outputs; i++) {
    api.TF_OpDefinitionBuilderAddOutput(definition, cstring(`${outputName(i)}: float`));
  }
  api.TF_OpDefinitionBuilderSetShapeInferenceFunction(definition, shape);
  api.TF_RegisterOpDefinition(definition, status);
  native.check("TF_RegisterOpDefinition", () => name);
  const kernel = api.TF_NewKernelBuilder(cstring(name), cstring("CPU"), create, compute, 0);
  api.TF_RegisterKernelBuilder(cstring(name), kernel, status);
  native.check("TF_RegisterKernelBuilder", () => name);
}

/**
 * The address of one of the library's functions.
 * @throws TensorflowError if it has none of that name
 */
export function functionAddress(native: Native, name: string): number {
  const address = native.symbol(name);
  if (address === 0) throw new TensorflowError("UNIMPLEMENTED", name, "the library does not have this function");
  return address;
}
