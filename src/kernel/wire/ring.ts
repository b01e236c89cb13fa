/**
 * A ring of bytes in shared memory from the cell thread (writer) to the wire thread (reader). Its size bounds what a
 * cell can print ahead of the sockets: a full ring blocks the writer, also in the middle of a synchronous loop.
 */

/** Slots of the shared header. */
const WRITE = 0;
const READ = 1;
const SLEEPING = 2;
const STOP = 3;
const HOLD = 4;
const HOLDS = 2;
const HEADER_BYTES = 64;
const FRAME_BYTES = 12;
/** In place of a frame's length: the rest of the ring is unused, go on at its beginning. */
const WRAP = 0xffffffff;
/** UTF-16 units a frame; at most three bytes each. */
const PIECE_UNITS = 32_768;

export type FrameKind = "stdout" | "stderr" | "event";
const KINDS: readonly FrameKind[] = ["stdout", "stderr", "event"];

export interface Frame {
  kind: FrameKind;
  run: number;
  /** true if the next frame goes on with the same text */
  more: boolean;
  /** a copy, UTF-8 */
  bytes: Buffer;
}

/** @param capacity bytes for frames; a multiple of 4, at least 1 MiB */
export function createRingMemory(capacity = 4 * 1024 * 1024): SharedArrayBuffer {
  return new SharedArrayBuffer(HEADER_BYTES + capacity);
}

/** In place of a run's number in the flag that stops: whichever cell is at work. */
export const ANY_RUN = -1;

/** The flag by which the wire thread asks the code of a run to stop, by its number; cells look at it in every loop. 0 stops none. */
export function stopFlag(memory: SharedArrayBuffer): Int32Array {
  return new Int32Array(memory, STOP * 4, 1);
}

/**
 * How many in running cell code have asked for the time to finish after an interrupt: in the main shell's cell, and in
 * those of other shells. They are not ended by force meanwhile, until a second interrupt comes.
 */
export function holdFlag(memory: SharedArrayBuffer): Int32Array {
  return new Int32Array(memory, HOLD * 4, HOLDS);
}

export class RingWriter {
  readonly #state: Int32Array;
  readonly #data: Buffer;
  readonly #wake: () => void;

  /** @param wake called when the reader sleeps and a frame was written */
  constructor(memory: SharedArrayBuffer, wake: () => void) {
    this.#state = new Int32Array(memory, 0, HEADER_BYTES / 4);
    this.#data = Buffer.from(memory, HEADER_BYTES);
    this.#wake = wake;
  }

  /**
   * Writes text, waiting while the ring is full.
   * @param must false: give up the text when the cell is being interrupted
   */
  write(kind: FrameKind, run: number, text: string, must: boolean): void {
    let start = 0;
    do {
      let end = Math.min(start + PIECE_UNITS, text.length);
      // A pair of surrogates stays together.
      if (end < text.length && (text.charCodeAt(end - 1) & 0xfc00) === 0xd800) end--;
      const piece = start === 0 && end === text.length ? text : text.slice(start, end);
      if (!this.#writePiece(kind, run, piece, end < text.length, must)) return;
      start = end;
    } while (start < text.length);
  }

  #writePiece(kind: FrameKind, run: number, text: string, more: boolean, must: boolean): boolean {
    const at = this.#reserve(FRAME_BYTES + text.length * 3 + 3, must ? undefined : run);
    if (at < 0) return false;
    const length = this.#data.write(text, at + FRAME_BYTES, "utf8");
    this.#data.writeUInt32LE(length, at);
    this.#data.writeUInt32LE(KINDS.indexOf(kind) | (more ? 0x100 : 0), at + 4);
    this.#data.writeUInt32LE(run, at + 8);
    Atomics.store(this.#state, WRITE, (at + FRAME_BYTES + length + 3) & ~3);
    if (Atomics.compareExchange(this.#state, SLEEPING, 1, 0) === 1) this.#wake();
    return true;
  }

  /** Position of `size` free bytes in one piece; -1 if given up, as when `run` is being interrupted. */
  #reserve(size: number, run: number | undefined): number {
    for (;;) {
      const write = Atomics.load(this.#state, WRITE);
      const read = Atomics.load(this.#state, READ);
      if (write < read) {
        if (write + size < read) return write;
      } else if (write + size + 4 <= this.#data.length) {
        return write;
      } else if (size < read) {
        this.#data.writeUInt32LE(WRAP, write);
        Atomics.store(this.#state, WRITE, 0);
        continue;
      }
      const stop = Atomics.load(this.#state, STOP);
      if (run !== undefined && (stop === ANY_RUN || (stop !== 0 && stop === run))) return -1;
      if (Atomics.compareExchange(this.#state, SLEEPING, 1, 0) === 1) this.#wake();
      Atomics.wait(this.#state, READ, read, 100);
    }
  }
}

export class RingReader {
  readonly #state: Int32Array;
  readonly #data: Buffer;

  constructor(memory: SharedArrayBuffer) {
    this.#state = new Int32Array(memory, 0, HEADER_BYTES / 4);
    this.#data = Buffer.from(memory, HEADER_BYTES);
  }

  /** The next frame, or undefined if there is none. */
  read(): Frame | undefined {
    let read = Atomics.load(this.#state, READ);
    if (read === Atomics.load(this.#state, WRITE)) return undefined;
    if (this.#data.readUInt32LE(read) === WRAP) {
      read = 0;
      Atomics.store(this.#state, READ, 0);
      if (Atomics.load(this.#state, WRITE) === 0) return undefined;
    }
    const length = this.#data.readUInt32LE(read);
    const flags = this.#data.readUInt32LE(read + 4);
    const run = this.#data.readUInt32LE(read + 8);
    const bytes = Buffer.from(this.#data.subarray(read + FRAME_BYTES, read + FRAME_BYTES + length));
    Atomics.store(this.#state, READ, (read + FRAME_BYTES + length + 3) & ~3);
    Atomics.notify(this.#state, READ);
    return { kind: KINDS[flags & 0xff], run, more: (flags & 0x100) !== 0, bytes };
  }

  /** Says that the reader sleeps until woken. @returns false if frames have come since; then read on */
  sleep(): boolean {
    Atomics.store(this.#state, SLEEPING, 1);
    return Atomics.load(this.#state, READ) === Atomics.load(this.#state, WRITE);
  }
}
