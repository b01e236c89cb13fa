/** What the rest of the program sees of the library that computes. */

export type EngineName = "native" | "wasm";

export interface Engine {
  name: EngineName;
  /** one line for a person, such as `TensorFlow.js on WebAssembly (SIMD, one thread)` */
  description: string;
  threads: number;
  /** live tensors and the bytes they hold */
  memory(): { numTensors: number; bytes: number };
}
