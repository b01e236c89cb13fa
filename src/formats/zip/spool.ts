/** Bytes that are wanted later: in memory while they are few, beyond that in a temporary file. */
import { AtomicFile } from "../atomic.js";

const IN_MEMORY = 1 << 18;

export class Spool {
  private pending: Uint8Array[] = [];
  private bytes = 0;
  private file: AtomicFile | null = null;

  /** @param path a name beside which the temporary file may lie; nothing ever appears under it */
  constructor(private readonly path: string) {}

  async add(data: Uint8Array): Promise<void> {
    this.pending.push(data);
    this.bytes += data.length;
    if (this.bytes < IN_MEMORY) return;
    this.file ??= await AtomicFile.create(this.path);
    await this.file.write(Buffer.concat(this.pending));
    this.pending = [];
    this.bytes = 0;
  }

  /** Everything that was added, in order. */
  async *drain(): AsyncGenerator<Uint8Array> {
    if (this.file) yield* this.file.readBack();
    yield* this.pending;
  }

  /** Removes the temporary file. */
  async discard(): Promise<void> {
    await this.file?.abort();
    this.file = null;
    this.pending = [];
  }
}
