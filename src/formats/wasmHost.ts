/** What the host offers of WebAssembly; TypeScript has its types with those of browsers alone. */

declare const WebAssembly: {
  Memory: new (limits: { initial: number; maximum?: number; shared?: boolean }) => object;
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object, imports: { env: { memory: object } }) => { exports: unknown };
};

/** Bytes of a page, by which memories grow. */
export const WASM_PAGE = 65536;
/** Pages of the largest memory: 4 GiB. */
export const MOST_WASM_PAGES = 65536;

/** A memory that threads share. */
export interface SharedMemory {
  buffer: SharedArrayBuffer;
  grow(pages: number): number;
}

/** @throws RangeError if the system does not give it */
export const sharedMemory = (initial: number, maximum: number): SharedMemory =>
  new WebAssembly.Memory({ initial, maximum, shared: true }) as SharedMemory;

/**
 * The buffer of a memory that has grown to so many bytes, by `step` pages at least: each growth is a call of the system.
 * @returns null where the system has none
 */
export function grownTo(memory: SharedMemory, bytes: number, mostPages: number, step = 1): SharedArrayBuffer | null {
  if (bytes > mostPages * WASM_PAGE) return null;
  for (;;) {
    const { buffer } = memory;
    if (buffer.byteLength >= bytes) return buffer;
    const pages = buffer.byteLength / WASM_PAGE;
    try {
      memory.grow(Math.min(Math.max(step, Math.ceil(bytes / WASM_PAGE) - pages), mostPages - pages));
    } catch {
      // unless another thread has just done it
      memory.grow(0);
      if (memory.buffer.byteLength < bytes) return null;
    }
  }
}

/** A memory of this thread, of so many pages. */
export const ownMemory = (pages: number): { buffer: ArrayBuffer } =>
  new WebAssembly.Memory({ initial: pages }) as { buffer: ArrayBuffer };

/** Compiles a module as `assemble` makes it. */
export const compile = (bytes: Uint8Array): object => new WebAssembly.Module(bytes);

/** The functions of a compiled module, over a memory. */
export const instantiate = <Exports>(module: object, memory: object): Exports =>
  new WebAssembly.Instance(module, { env: { memory } }).exports as Exports;
