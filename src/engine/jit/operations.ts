/** Our kernels as operations of TensorFlow, compiled when they are first asked for. */
import type { Tensor, TensorInfo } from "@tensorflow/tfjs-core";
import type { Jit } from "../llvm/jit.js";
import {
  functionAddress,
  isRegistered,
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
   * @param seed the last input, of operations that draw random numbers
   */
  run(
    label: string,
    source: KernelSource["source"],
    inputs: readonly TensorInfo[],
    plan: Plan,
    seed?: readonly [number, number],
  ): Tensor[];
}

const KERNEL = "kernel";
const CREATE = "create";

export function openKernels({ context, backend }: Tensorflow, jit: Jit): Kernels {
  const { native } = context;
  const { target } = jit;
  const addresses = Object.fromEntries(CALLED.map((name) => [name, functionAddress(native, name)])) as Addresses;
  // what all operations share, compiled with the first that no other thread has made
  let common: { shape: number; compute: number } | null = null;
  const shared = () => {
    common ??= {
      shape: jit.compile(shapeFunction(target, "unknown_shape", addresses), "unknown_shape"),
      compute: jit.compile(trampoline(target, "compute", addresses), "compute"),
    };
    return common;
  };
  const known = new Set<string>();
  const pending = new Map<string, Promise<void>>();

  /** threads of a process share operations, and their code */
  const isKnown = (name: string): boolean => {
    if (!known.has(name) && isRegistered(native, name)) known.add(name);
    return known.has(name);
  };
  const text = ({ inputs, outputs, source }: KernelSource): string =>
    source(KERNEL) + described(KERNEL, inputs.length, outputs);

  function register(name: string, { inputs, outputs }: KernelSource, create: number): void {
    if (isKnown(name)) return;
    registerOperation(native, { name, inputs: ["int64", ...inputs], outputs, create, ...shared() });
    known.add(name);
  }

  function request(label: string, source: KernelSource): string {
    const name = `${OWN_PREFIX}${label}`;
    if (!pending.has(name) && !isKnown(name)) {
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
      // they stay in the list until they are done, for others who wait
      const waiting = [...pending];
      const results = await Promise.allSettled(waiting.map(([, compiled]) => compiled));
      for (const [name, compiled] of waiting) if (pending.get(name) === compiled) pending.delete(name);
      const failed = results.find(({ status }) => status === "rejected");
      if (failed) throw (failed as PromiseRejectedResult).reason;
    },
    run(label, source, inputs, given, seed) {
      const name = `${OWN_PREFIX}${label}`;
      const types = [...inputs.map(typeOf), ...(seed ? ["int64" as const] : [])];
      const kernel = { inputs: types, outputs: given.outputs.length, source };
      if (backend.binding.tracing) request(label, kernel);
      else if (!isKnown(name)) register(name, kernel, jit.compile(text(kernel), CREATE));
      return runOperation(backend, name, inputs, given, seed);
    },
  };
}

const typeOf = ({ dtype }: TensorInfo) => (dtype === "int32" ? "int32" : "float");

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
    return binding
      .executeOp(name, [], ids, given.outputs.length)
      .map((metadata) => backend.createOutputTensor(metadata));
  } finally {
    for (const id of extra) binding.deleteTensor(id);
  }
}
