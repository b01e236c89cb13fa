/**
 * Memory of this thread for bytes that soon serve nothing any more: chunks as they are stored, and what decoders put
 * aside. Taking it anew for every chunk costs more than reading it (fresh pages, garbage collections), and what is a
 * WebAssembly's memory its decoders work on in place. Shared memory, so that what was lent stays good when it grows.
 */
import { grownTo, type SharedMemory, sharedMemory, WASM_PAGE } from "../../formats/wasmHost.js";
import { Blocks } from "../cache/blocks.js";

/** The most of it; what does not fit has memory of its own. */
export const MOST_PAGES = 2048;
/**
 * Everything begins on a page of the system, as files in its memory do: some processors copy ten times slower to a place
 * that lies a few bytes further within its page than the source does (AMD's Zen 3 and 4, `rep movsb`).
 */
const ALIGNMENT = 4096;
/** A vector may be read whole where only its first bytes count. */
const SLACK = 16;

let memory: SharedMemory | null = null;
const blocks = new Blocks(0, MOST_PAGES * WASM_PAGE - SLACK, ALIGNMENT);

/** The memory, for the decoders that work on it. */
export function roomMemory(): SharedMemory {
  memory ??= sharedMemory(1, MOST_PAGES);
  return memory;
}

/** True for bytes that lie in the memory. */
export const isInRoom = ({ buffer }: Uint8Array): boolean => buffer instanceof SharedArrayBuffer && rooms.has(buffer);

const rooms = new WeakSet<ArrayBufferLike>();

/** What one task has taken of the memory. */
export class Loan {
  private readonly own: number[] = [];

  /** Memory for so many bytes, with anything in it; of the room if there is place. */
  readonly take = (bytes: number): Uint8Array => this.takeRoom(bytes) ?? new Uint8Array(bytes);

  /** The same, or null where the room has no place. */
  takeRoom(bytes: number): Uint8Array | null {
    const at = blocks.lend(bytes);
    if (at === null) return null;
    const buffer = grownTo(roomMemory(), at + bytes + SLACK, MOST_PAGES);
    if (!buffer) {
      blocks.takeBack(at);
      return null;
    }
    this.own.push(at);
    rooms.add(buffer);
    return new Uint8Array(buffer, at, bytes);
  }

  /** None of it is looked at, or written to, any more. */
  giveBack(): void {
    for (const at of this.own.splice(0)) blocks.takeBack(at);
  }
}
