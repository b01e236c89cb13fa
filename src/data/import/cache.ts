/** Values of files by key, the least recently used dropped first, bounded by bytes. */

/** Of the parts of a source that are kept for the planes to come, where nothing else is said. */
export const PARTS_BYTES = 512 * 2 ** 20;

export class ChunkCache<T extends { byteLength: number }> {
  private readonly entries = new Map<string, T>();
  private readonly pending = new Map<string, Promise<T>>();
  private held = 0;
  hits = 0;
  misses = 0;

  /** @param maxBytes a value larger than this is handed out but not kept */
  constructor(readonly maxBytes: number) {}

  /** bytes held */
  get bytes(): number {
    return this.held;
  }

  /** The value of `key`, loaded once even if asked for several times at once; a failed load is not kept. */
  async get(key: string, load: () => Promise<T>): Promise<T> {
    const present = this.entries.get(key);
    if (present !== undefined) {
      this.hits += 1;
      this.entries.delete(key);
      this.entries.set(key, present);
      return present;
    }
    const underway = this.pending.get(key);
    if (underway) return underway;
    this.misses += 1;
    const loading = load();
    this.pending.set(key, loading);
    try {
      const value = await loading;
      this.keep(key, value);
      return value;
    } finally {
      this.pending.delete(key);
    }
  }

  clear(): void {
    this.entries.clear();
    this.held = 0;
  }

  private keep(key: string, value: T): void {
    if (value.byteLength > this.maxBytes) return;
    this.held += value.byteLength;
    this.entries.set(key, value);
    for (const [oldest, dropped] of this.entries) {
      if (this.held <= this.maxBytes) return;
      this.entries.delete(oldest);
      this.held -= dropped.byteLength;
    }
  }
}
