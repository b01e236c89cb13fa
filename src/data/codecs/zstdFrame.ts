/**
 * How far Zstandard frames reach and what they say they hold, read without decoding, so that no decoder meets data that
 * break off, that go on behind the last frame, or that grow beyond what is expected.
 * Format: RFC 8878, section 3.1.
 */
import { refuse } from "./stage.js";

const MAGIC = 0xfd2fb528;
const SKIPPABLE = 0x184d2a50;
const RLE = 1;
const RESERVED = 3;
/** the largest window a decoder has to take; zstd's own default bound */
const MAX_WINDOW = 2 ** 27;

/** @returns bytes of all frames when decoded; null if a frame does not say. @throws Error unless the frames end where the bytes do */
export function zstdContentSize(bytes: Uint8Array): number | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let total: number | null = 0;
  let at = 0;
  if (bytes.length === 0) throw refuse("no Zstandard frame");
  while (at < bytes.length) {
    need(bytes, at, 8);
    const magic = view.getUint32(at, true);
    if ((magic & 0xfffffff0) >>> 0 === SKIPPABLE) {
      at += 8 + view.getUint32(at + 4, true);
      if (at > bytes.length) throw refuse("Zstandard data break off");
      continue;
    }
    if (magic !== MAGIC) throw refuse(at === 0 ? "no Zstandard frame" : "bytes after the Zstandard frame");
    const frame = readFrame(bytes, view, at + 4);
    total = total === null || frame.size === null ? null : total + frame.size;
    at = frame.end;
  }
  return total;
}

function need(bytes: Uint8Array, at: number, count: number): void {
  if (at + count > bytes.length) throw refuse("Zstandard data break off");
}

function readFrame(bytes: Uint8Array, view: DataView, start: number): { end: number; size: number | null } {
  let at = start;
  const descriptor = bytes[at++];
  const single = (descriptor & 0x20) !== 0;
  if (descriptor & 0x08) throw refuse("the Zstandard frame is damaged");
  if (!single) {
    need(bytes, at, 1);
    const window = 2 ** (10 + (bytes[at] >>> 3));
    if (window + (window / 8) * (bytes[at] & 7) > MAX_WINDOW)
      throw refuse("the Zstandard frame asks for too much memory");
    at += 1;
  }
  const dictionary = [0, 1, 2, 4][descriptor & 3];
  if (dictionary > 0) throw refuse("a Zstandard frame with a dictionary, which is not supported");
  const width = [single ? 1 : 0, 2, 4, 8][descriptor >>> 6];
  need(bytes, at, width);
  let size: number | null = null;
  if (width === 1) size = bytes[at];
  else if (width === 2) size = view.getUint16(at, true) + 256;
  else if (width === 4) size = view.getUint32(at, true);
  else if (width === 8) size = Number(view.getBigUint64(at, true));
  at += width;
  for (let last = false; !last; ) {
    need(bytes, at, 3);
    const block = bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16);
    at += 3;
    last = (block & 1) !== 0;
    const type = (block >>> 1) & 3;
    if (type === RESERVED) throw refuse("the Zstandard frame is damaged");
    at += type === RLE ? 1 : block >>> 3;
    need(bytes, at, 0);
  }
  if (descriptor & 4) {
    need(bytes, at, 4);
    at += 4;
  }
  return { end: at, size };
}
