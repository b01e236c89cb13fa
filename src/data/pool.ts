/**
 * Buffers of batches that are used again: the pages of a fresh one are given by the system one by one while it is
 * filled, which takes longer than filling it. Their memory is shared, so that a worker fills what another thread reads.
 */
export class BufferPool {
  private readonly free: Float32Array[] = [];

  /** An array of `length` values, whatever they are: whoever takes it writes every one. */
  take(length: number): Float32Array {
    const at = this.free.findIndex((array) => array.length === length);
    return at < 0 ? new Float32Array(new SharedArrayBuffer(4 * length)) : this.free.splice(at, 1)[0];
  }

  /**
   * Gives back arrays that were taken, whole or the parts in use. Nobody may look at them afterwards. Arrays that are no
   * pool's are left alone.
   */
  give(...arrays: readonly Float32Array[]): void {
    for (const { buffer } of arrays) {
      if (buffer instanceof SharedArrayBuffer && buffer.byteLength > 0) this.free.push(new Float32Array(buffer));
    }
  }

  /** Of each length one array, as far as there is one here: for another thread's pool. */
  handOver(lengths: readonly number[]): Float32Array[] {
    return lengths.flatMap((length) => (this.free.some((array) => array.length === length) ? [this.take(length)] : []));
  }
}
