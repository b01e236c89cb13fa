/** Our kernels as operations of TensorFlow, compiled when they are first asked for. */
import { threadId } from "node:worker_threads";
import type { Tensor, TensorInfo } from "@tensorflow/tfjs-core";
import type { Jit } from "../llvm/jit.js";
import {
  functionAddress,
  OWN_PREFIX,
  type Plan,
  plan,
  registerOperation,
  type Tensorflow,
  type TensorflowBackend,
} from "../tensorflow/index.js";
import { type Addresses, CALLED, described, shapeFunction, trampoline } from "./trampoline.js";

/** What an operation is before it is compiled. */
export interface KernelSource {
  /** of tensors, in the order in which the kernel reads them */
  inputs: readonly ("float" | "int32" | "int64")[];
  outputs: number;
  /** LLVM assembly of the kernel, as a function of this name */
  source(name: string): string;
}

/** Runs kernels on TensorFlow's tensors. */
export interface Kernels {
  jit: Jit;
  /** An operation's name in TensorFlow. It is compiled on another thread: wait for `ready` before it runs. */
  request(label: string, source: KernelSource): string;
  /** Waits until every operation that was asked for can run. */
  ready(): Promise<void>;
  /**
   * Runs an operation, compiled now if it is not yet; while a function is traced, notes it.
   * @param seed if the last input is a seed
   */
  run(
    label: string,
    source: KernelSource,
    inputs: readonly TensorInfo[],
    plan: Plan,
    seed?: readonly [number, number],
  ): Tensor[];
}

const MESSAGE = "no memory for the outputs or the scratch space of a kernel";
/** operations are known to the whole process, their code belongs to a thread */
const SUFFIX = threadId === 0 ? "" : `T${threadId}`;
const KERNEL = "kernel";
const CREATE = "create";

export function openKernels({ context, backend }: Tensorflow, jit: Jit): Kernels {
  const { native } = context;
  const { target } = jit;
  const addresses = Object.fromEntries(CALLED.map((name) => [name, functionAddress(native, name)])) as Addresses;
  const shape = jit.compile(shapeFunction(target, "unknown_shape", addresses), "unknown_shape");
  const compute = jit.compile(trampoline(target, "compute", addresses, native.cstring(MESSAGE)), "compute");
  const known = new Set<string>();
  const pending = new Map<string, Promise<void>>();

  const nameOf = (label: string): string => `${OWN_PREFIX}${label}${SUFFIX}`;
  const text = ({ inputs, outputs, source }: KernelSource): string =>
    source(KERNEL) + described(KERNEL, inputs.length, outputs);

  function register(name: string, { inputs, outputs }: KernelSource, create: number): void {
    if (known.has(name)) return;
    registerOperation(native, { name, inputs: ["int64", ...inputs], outputs, create, compute, shape });
    known.add(name);
  }

  function request(label: string, source: KernelSource): string {
    const name = nameOf(label);
    if (!known.has(name) && !pending.has(name)) {
      const compiled = jit.compileAsync(text(source), CREATE).then((create) => register(name, source, create));
      // told by `ready`
      compiled.catch(() => {});
      pending.set(name, compiled);
    }
    return name;
  }

  return {
    jit,
    request,
    async ready() {
      const waiting = [...pending.values()];
      pending.clear();
      await Promise.all(waiting);
    },
    run(label, source, inputs, given, seed) {
      const name = nameOf(label);
      if (backend.binding.tracing) request(label, source);
      else if (!known.has(name)) register(name, source, jit.compile(text(source), CREATE));
      return runOperation(backend, { name, outputs: source.outputs }, inputs, given, seed);
    },
  };
}

function runOperation(
  backend: TensorflowBackend,
  { name, outputs }: { name: string; outputs: number },
  inputs: readonly TensorInfo[],
  given: Plan,
  seed?: readonly [number, number],
): Tensor[] {
  const { binding } = backend;
  const extra = [binding.createNumbers(plan(given)), ...(seed ? [binding.createSeed(seed)] : [])];
  try {
    const ids = [extra[0], ...backend.getInputTensorIds(inputs), ...extra.slice(1)];
    return binding.executeOp(name, [], ids, outputs).map((metadata) => backend.createOutputTensor(metadata));
  } finally {
    for (const id of extra) binding.deleteTensor(id);
  }
}
