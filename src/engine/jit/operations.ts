/** Our kernels as operations of TensorFlow, compiled when they are first asked for. */
import { threadId } from "node:worker_threads";
import type { Tensor, TensorInfo } from "@tensorflow/tfjs-core";
import type { Jit } from "../llvm/jit.js";
import {
  functionAddress,
  type Plan,
  plan,
  registerOperation,
  type Tensorflow,
  type TensorflowBackend,
} from "../tensorflow/index.js";
import { type Addresses, CALLED, shapeFunction, trampoline } from "./trampoline.js";

/** What an operation is before it is compiled. */
export interface KernelSource {
  /** of tensors, in the order in which the kernel reads them */
  inputs: readonly ("float" | "int64")[];
  outputs: number;
  /** LLVM assembly of the kernel, as a function of this name */
  source(name: string): string;
}

/** Runs kernels on TensorFlow's tensors. */
export interface Kernels {
  jit: Jit;
  /**
   * Runs the operation `name`; it is compiled the first time.
   * @param seed if the last input is a seed
   */
  run(
    name: string,
    source: KernelSource,
    inputs: readonly TensorInfo[],
    plan: Plan,
    seed?: readonly [number, number],
  ): Tensor[];
}

const MESSAGE = "no memory for the outputs or the scratch space of a kernel";
/** operations are known to the whole process, their code belongs to a thread */
const SUFFIX = threadId === 0 ? "" : `T${threadId}`;

export function openKernels({ context, backend }: Tensorflow, jit: Jit): Kernels {
  const { native } = context;
  const { target } = jit;
  const addresses = Object.fromEntries(CALLED.map((name) => [name, functionAddress(native, name)])) as Addresses;
  const shape = jit.compile(shapeFunction(target, "unknown_shape", addresses), "unknown_shape");
  const known = new Set<string>();

  function register(name: string, { inputs, outputs, source }: KernelSource): void {
    const kernel = jit.compile(source("kernel"), "kernel");
    const environment = { addresses, kernel, message: native.cstring(MESSAGE) };
    const compute = jit.compile(trampoline(target, "compute", { inputs: inputs.length, outputs }, environment), "compute");
    registerOperation(native, { name, inputs: ["int64", ...inputs], outputs, compute, shape });
    known.add(name);
  }

  return {
    jit,
    run(kernel, source, inputs, given, seed) {
      const name = `Atmorep${kernel}${SUFFIX}`;
      if (!known.has(name)) register(name, source);
      return runOperation(backend, name, inputs, given, seed);
    },
  };
}

function runOperation(
  backend: TensorflowBackend,
  name: string,
  inputs: readonly TensorInfo[],
  given: Plan,
  seed?: readonly [number, number],
): Tensor[] {
  const { binding } = backend;
  const extra = [binding.createNumbers(plan(given)), ...(seed ? [binding.createSeed(seed)] : [])];
  try {
    const ids = [extra[0], ...backend.getInputTensorIds(inputs), ...extra.slice(1)];
    const results = binding.executeOp(name, [], ids, given.outputs.length);
    return results.map((metadata) => backend.createOutputTensor(metadata));
  } finally {
    for (const id of extra) binding.deleteTensor(id);
  }
}
