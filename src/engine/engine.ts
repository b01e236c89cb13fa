/**
 * What computes: the one page that an engine implements and that everything outside this room is written against.
 *
 * Tensors are TensorFlow.js's, and the network is written in its operations and those of `kernels/`; an engine is a
 * backend of TensorFlow.js together with the answers below. One engine is the current one at a time: tensors are made
 * on it, and functions run on it. What TensorFlow.js can do on any backend, operation by operation, is in `eager/`;
 * an engine takes that over, and replaces what it does better:
 *
 * - `wasm/`: kernels of its own in place of slow ones, AdamW among them, on several threads;
 * - `native.ts` with `compile/`: a function is traced once and then is one call, AdamW changes the state in place.
 *
 * Random masks are no question to an engine: `kernels/dropout.ts` says which numbers of a stream a mask is made of, so
 * that it is the same everywhere; an engine may register a faster kernel for them (`kernels/fused.ts` has the list).
 *
 * A further engine is a folder that exports a function like `openWasm`, and a row in the table of `index.ts`.
 */
import type { Scalar, Tensor } from "@tensorflow/tfjs-core";
import type { UpdateSettings } from "./adamw.js";
import type { Trace } from "./profile.js";
import type { TrainState } from "./state.js";

export type { Tensors } from "./tree.js";

export type EngineName = "native" | "wasm";

/** The two numbers that dropout masks follow from: a run's, below 2^32, and one of the call. */
export type Seed = readonly [run: number, call: number];

export interface Engine {
  readonly name: EngineName;
  /** one line for a person, such as `TensorFlow.js on WebAssembly (SIMD, 2 threads)` */
  readonly description: string;
  readonly threads: number;
  /** true: a prepared function is traced and runs as one call; false: operation by operation */
  readonly compiles: boolean;
  /** kernels of our own that LLVM compiles; null where the engine has no such thing */
  readonly kernels: OwnKernels | null;
  /** with `auto`: why it is not the native engine; else null */
  readonly instead: Instead | null;

  /** live tensors and the bytes they hold */
  memory(): { numTensors: number; bytes: number };

  /**
   * A function of tensors in the form that this engine runs best.
   *
   * `fn` must be pure: of tensors it uses those of `inputs` alone and reads the elements of none. Its inputs and
   * outputs are arrays and records, nested as one likes, of tensors and plain values (`tree.ts`). An engine that
   * compiles runs `fn` once on stand-ins for each set of shapes and plain values, and keeps what it has made of it.
   *
   * @param label part of its name in messages and profiles
   */
  prepare<I, O>(label: string, fn: PureFunction<I, O>, options?: PrepareOptions<I>): Prepared<I, O>;

  /**
   * AdamW and the moving average as `adamw.ts` describes them, for the parameters that have a gradient; the others stay
   * as they are, without decay.
   *
   * The state is used up: an engine may change its tensors, and what the new state does not hold of them is released.
   * The gradients stay the caller's. The new state is released by `disposeState`.
   *
   * @param gradients `scale` multiplies every one of `grads`
   */
  update(state: TrainState, gradients: Gradients, settings: UpdateSettings): Promise<TrainState>;

  /** Writes the elements of float32 tensors to `to`, one tensor after the other. */
  copyOut(tensors: readonly Tensor[], to: Float32Array): Promise<void>;

  /**
   * The reverse. The tensors are used up.
   * @returns tensors of the same shapes with the elements of `from`, an array on an ArrayBuffer of its own
   */
  copyIn(tensors: readonly Tensor[], from: Float32Array): Promise<Tensor[]>;

  /** The sum of the squares of each; the same bits from a tensor as from its elements in memory. */
  squares(gradients: readonly Gradient[]): Promise<number[]>;

  /**
   * Runs `work` and tells what took how long: the operations inside of prepared functions where the engine compiles,
   * else every kernel that is called.
   *
   * @param label name of the whole in the trace
   */
  profile<T>(label: string, work: () => Promise<T>): Promise<{ result: T; trace: Trace }>;

  /** Waits for what is running and gives back threads and memory. The engine cannot be used, or opened, afterwards. */
  close(): Promise<void>;
}

/** @param seed of its dropout masks; null: there are none */
export type PureFunction<I, O> = (inputs: I, seed: Seed | null) => O;

/** A function that an engine has prepared. */
export interface Prepared<I, O> {
  /**
   * @returns new tensors, which the caller disposes, also where `fn` gives back an input
   * @throws Error that explains what of `fn` cannot be traced
   */
  call(inputs: I, seed?: Seed | null): Promise<O>;
  /** Forgets what was compiled. */
  release(): void;
}

export interface PrepareOptions<I> {
  /**
   * Engines that compile for a shape ask with this for inputs of few shapes: larger ones, whose additions do not count.
   *
   * @param sizes how many sizes there should be of what varies, up to the largest possible one
   * @returns `release` disposes what was made
   */
  pad?(inputs: I, sizes: number): { inputs: I; release(): void };
}

/** A tensor, or its elements where they lie, on an ArrayBuffer of their own. */
export type Gradient = Tensor | Float32Array;

export interface Gradients {
  grads: Record<string, Gradient>;
  scale: Scalar;
}

/** Why a run that may use any engine is on WASM. `absent`: there is no library here; `unusable`: there is one. */
export interface Instead {
  reason: "absent" | "unusable" | "unsupported";
  /** one line, with what to do */
  text: string;
}

/** Kernels of our own on the native engine, which LLVM compiles for the processor. */
export interface OwnKernels {
  used: boolean;
  /** for a description: with what they are compiled and for which processor, or why there are none */
  text: string;
  /** what to do where there are none and could be */
  fix?: string;
  /** LLVM's library, where one was found */
  file?: string;
}
