/**
 * Arrays of batches that are used again: the pages of a fresh one are given by the system one by one while it is filled,
 * which takes longer than filling it. They lie in the memory of a store's chunks, so that kernels fill them from there and
 * a worker fills what another thread reads.
 */
import type { Room, SharedChunks } from "./cache/sharedChunks.js";

/** Where arrays of batches come from. */
export interface Buffers {
  /** An array of `length` values, whatever they are: whoever takes it writes every one. */
  take(length: number): Float32Array;
  /** the memory that arrays lie in, and this thread's part of it; null if there is none */
  readonly room: Room | null;
}

export class BufferPool implements Buffers {
  private readonly lent = new Map<number, Float32Array>();
  /** of the system, for the next who takes as many values */
  private readonly free: Float32Array[] = [];

  /** @param cache a store's; absent or without room: arrays are taken from the system */
  constructor(private readonly cache: SharedChunks | null = null) {}

  get room(): Room | null {
    return this.cache?.kernelRoom ?? null;
  }

  take(length: number): Float32Array {
    const array = this.cache?.lend(length);
    if (!array) {
      const at = this.free.findIndex((other) => other.length === length);
      return at < 0 ? new Float32Array(new SharedArrayBuffer(4 * length)) : this.free.splice(at, 1)[0];
    }
    this.lent.set(array.byteOffset, array);
    return array;
  }

  /**
   * Gives back arrays that were taken, whole or the parts in use. Nobody may look at them afterwards. Arrays of memory that
   * is not shared are left alone.
   */
  give(...arrays: readonly Float32Array[]): void {
    for (const { buffer, byteOffset } of arrays) {
      const array = this.lent.get(byteOffset);
      // nothing of the cache's memory begins at 0
      if (byteOffset === 0 && buffer instanceof SharedArrayBuffer) this.free.push(new Float32Array(buffer));
      if (array?.buffer !== buffer) continue;
      this.lent.delete(byteOffset);
      this.cache?.takeBack(array);
    }
  }

  /** The array of this pool that has come back from another thread as `array`, which has a buffer of its own. */
  own(array: Float32Array): Float32Array {
    return this.lent.get(array.byteOffset)?.subarray(0, array.length) ?? array;
  }

  /** Gives back whatever is out: when whoever took it has done. */
  close(): void {
    this.give(...this.lent.values());
  }
}
