/** One step that a chunk's bytes went through when it was written, and how it is undone. */

import type { ItemType } from "./types.js";

/** A number of bytes that is known, or one that is not exceeded. */
export interface Size {
  bytes: number;
  exact: boolean;
}

export interface Stage {
  /** as the metadata name it */
  name: string;
  /** of a step on numbers: their type before and after it was taken */
  types?: { decoded: ItemType; stored: ItemType };
  /** true: decoding gives the very bytes that it is given */
  same?: boolean;
  /** what this many bytes become when they are written */
  encoded(size: Size): Size;
  /**
   * @param size of the result
   * @param into a place for the result, of its size, which may be used or not
   * @throws Error saying what is wrong with the bytes
   */
  decode(bytes: Uint8Array, size: Size, into?: Uint8Array): Uint8Array | Promise<Uint8Array>;
}

/** What is wrong with stored bytes; whoever reads the chunk adds the file and what to do. */
export const refuse = (what: string): Error => new Error(what);

/** A size that encoded data state of themselves. @throws Error if it is not the one that is expected */
export function stated(bytes: number, size: Size): number {
  if (size.exact ? bytes !== size.bytes : bytes > size.bytes) {
    throw refuse(`the data say that they hold ${bytes} bytes instead of ${size.bytes}`);
  }
  return bytes;
}

/** What no compressor exceeds, on data that it cannot compress. */
export const compressed = ({ bytes }: Size): Size => ({ bytes: bytes + Math.ceil(bytes / 8) + 65536, exact: false });

/**
 * Undoes all steps, the last first; every length is checked on the way.
 * @param stages in the order of writing; `size` of the result
 * @param into a place for the result, which is used where the last step that makes bytes can write there
 * @throws Error that names the step
 */
export async function undo(
  stages: readonly Stage[],
  bytes: Uint8Array,
  size: Size,
  into?: Uint8Array,
): Promise<Uint8Array> {
  const writer = into?.length === size.bytes ? stages.findIndex(({ same }) => !same) : -1;
  const sizes = [size];
  for (const stage of stages) sizes.push(stage.encoded(sizes[sizes.length - 1]));
  let current = bytes;
  check(current, sizes[stages.length], "stored");
  for (let i = stages.length - 1; i >= 0; i--) {
    const { name } = stages[i];
    try {
      current = await stages[i].decode(current, sizes[i], i === writer ? into : undefined);
      check(current, sizes[i], "decoded");
    } catch (error) {
      throw new Error(`${name}: ${(error as Error).message}`, { cause: error });
    }
  }
  return current;
}

/** The most bytes that are read for a chunk. */
export function storedSize(stages: readonly Stage[], size: Size): Size {
  return stages.reduce((current, stage) => stage.encoded(current), size);
}

function check({ length }: Uint8Array, { bytes, exact }: Size, what: string): void {
  if (exact ? length !== bytes : length > bytes) {
    throw refuse(`${length} bytes ${what}, ${exact ? "" : "at most "}${bytes} expected`);
  }
}
