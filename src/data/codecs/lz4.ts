/**
 * Decoding LZ4 blocks where no native library is: literals and matches in turn, each checked against what is left.
 * Format: https://github.com/lz4/lz4/blob/dev/doc/lz4_Block_format.md
 */
import { refuse } from "./stage.js";

/** From this length on a call that copies memory is faster than a loop. */
const LONG = 24;

/** A block ends in literals: at least 5, and from 12 bytes before its end on nothing else (the format's end conditions). */
export const LAST_LITERALS = 5;
export const OUTPUT_MARGIN = 12;
/** an offset, a token and the last literals */
export const INPUT_MARGIN = 2 + 1 + LAST_LITERALS;

/**
 * Decodes one block, which must fill `out[to..end)` and use up `bytes[from..stop)` exactly.
 * @throws Error if it does not
 */
export function lz4Block(
  bytes: Uint8Array,
  from: number,
  stop: number,
  out: Uint8Array,
  to: number,
  end: number,
): void {
  const start = to;
  let at = from;
  let put = to;
  for (;;) {
    if (at >= stop) throw refuse("LZ4 data break off");
    const token = bytes[at++];
    let literals = token >>> 4;
    if (literals === 15) {
      let more: number;
      do {
        if (at >= stop) throw refuse("LZ4 data break off");
        more = bytes[at++];
        literals += more;
      } while (more === 255);
    }
    const last = at + literals > stop - INPUT_MARGIN || put + literals > end - OUTPUT_MARGIN;
    if ((last && at + literals !== stop) || literals > end - put) throw refuse("an LZ4 literal leaves its block");
    if (literals < LONG) {
      for (let i = 0; i < literals; i++) out[put + i] = bytes[at + i];
    } else {
      out.set(bytes.subarray(at, at + literals), put);
    }
    at += literals;
    put += literals;
    if (last) break;
    const offset = bytes[at] | (bytes[at + 1] << 8);
    at += 2;
    let length = (token & 15) + 4;
    if (length === 19) {
      let more: number;
      do {
        if (at >= stop) throw refuse("LZ4 data break off");
        more = bytes[at++];
        length += more;
      } while (more === 255);
    }
    if (offset === 0 || offset > put - start || length > end - LAST_LITERALS - put)
      throw refuse("an LZ4 match leaves its block");
    copyMatch(out, put, offset, length);
    put += length;
  }
  if (put !== end) throw refuse(`LZ4 data give ${put - start} bytes instead of ${end - start}`);
}

/** Repeats what lies `offset` bytes before: where the match is longer than that, again and again. */
export function copyMatch(out: Uint8Array, put: number, offset: number, length: number): void {
  if (length < LONG) {
    for (let i = put; i < put + length; i++) out[i] = out[i - offset];
  } else if (offset === 1) {
    out.fill(out[put - 1], put, put + length);
  } else {
    for (let done = 0; done < length; ) {
      const piece = Math.min(offset + done, length - done);
      out.copyWithin(put + done, put - offset, put - offset + piece);
      done += piece;
    }
  }
}
