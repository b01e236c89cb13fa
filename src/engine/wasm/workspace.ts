/** The loops of `program.ts` bound to the backend's memory, with scratch space that grows as needed. */
import * as tf from "@tensorflow/tfjs-core";
import type { Team } from "./helper.js";
import { loadProgram, type Program } from "./program.js";

interface EmscriptenModule {
  asm: { memory: object };
  HEAPF32: Float32Array;
  _malloc(bytes: number): number;
  _free(address: number): void;
}

export interface Workspace {
  run: Program;
  /** threads that take parts of the work */
  team: Team;
  /** address of at least `bytes` bytes kept under a name until asked for more; contents are not kept */
  scratch(name: string, bytes: number): number;
  /** all of memory as float32; valid until the next allocation */
  heap(): Float32Array;
}

/**
 * Opens a workspace on the current backend, which must be WASM.
 * @param team threads that take parts of the work
 */
export function openWorkspace(team: Team): Workspace {
  const { wasm } = tf.backend() as unknown as { wasm: EmscriptenModule };
  const blocks = new Map<string, { address: number; bytes: number }>();
  return {
    run: loadProgram(wasm.asm.memory),
    team,
    heap: () => wasm.HEAPF32,
    scratch(name, bytes) {
      const block = blocks.get(name);
      if (block && block.bytes >= bytes) return block.address;
      if (block) wasm._free(block.address);
      const address = wasm._malloc(bytes) >>> 0;
      blocks.set(name, { address, bytes });
      return address;
    },
  };
}
