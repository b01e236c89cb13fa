/** What the rest of the program sees of the library that computes. */

export type EngineName = "native" | "wasm";

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

export interface Engine {
  name: EngineName;
  /** one line for a person, such as `TensorFlow.js on WebAssembly (SIMD, 2 threads)` */
  description: string;
  threads: number;
  /** live tensors and the bytes they hold */
  memory(): { numTensors: number; bytes: number };
  /** null on WASM */
  kernels: OwnKernels | null;
  /** with `auto` on WASM: why it is not the native engine; else null */
  instead: Instead | null;
}
