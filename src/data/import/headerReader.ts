import type { FileView } from "./view.js";

const WINDOW = 1 << 16;

/** Reads a header from the start of a file, big-endian, a window at a time. */
export class HeaderReader {
  private position = 0;
  private window: Uint8Array = new Uint8Array(0);
  private windowStart = 0;

  constructor(private readonly view: FileView) {}

  /** Bytes read so far. */
  get place(): number {
    return this.position;
  }

  async bytes(length: number): Promise<Uint8Array> {
    const start = this.position - this.windowStart;
    if (start + length > this.window.length) {
      const left = Math.max(0, this.view.size - this.position);
      this.window = await this.view.read(this.position, Math.max(length, Math.min(WINDOW, left)));
      this.windowStart = this.position;
    }
    const from = this.position - this.windowStart;
    this.position += length;
    return this.window.subarray(from, from + length);
  }

  async uint32(): Promise<number> {
    const b = await this.bytes(4);
    return b[0] * 2 ** 24 + (b[1] << 16) + (b[2] << 8) + b[3];
  }

  async uint64(): Promise<number> {
    return (await this.uint32()) * 2 ** 32 + (await this.uint32());
  }
}
