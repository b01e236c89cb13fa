/**
 * Decoders by WebAssembly that work on the room's memory in place: what they read and what they write lies there. What they
 * do is what `lz4.ts` and `unshuffle.ts` say.
 */
import { assemble } from "../../formats/wasm.js";
import { compile, instantiate } from "../../formats/wasmHost.js";
import { lz4Block } from "./lz4.js";
import { FAULTS, lz4Loop } from "./lz4Loop.js";
import { isInRoom, Loan, MOST_PAGES, roomMemory } from "./room.js";
import { refuse } from "./stage.js";
import { TURN, unshuffleLoop } from "./unshuffleLoop.js";

interface Decoders {
  lz4(from: number, stop: number, to: number, end: number): number;
  unshuffle(a: number, b: number, c: number, d: number, out: number, turns: number): void;
}

let opened: Decoders | null = null;

/** Assembled once a thread. */
function decoders(): Decoders {
  if (opened) return opened;
  opened = instantiate<Decoders>(compile(assemble([lz4Loop, unshuffleLoop], MOST_PAGES)), roomMemory());
  return opened;
}

const SAYS = {
  [FAULTS.breaksOff]: "LZ4 data break off",
  [FAULTS.literal]: "an LZ4 literal leaves its block",
  [FAULTS.match]: "an LZ4 match leaves its block",
};

/** The bytes themselves if they lie in the room, else a copy there; null where it has no place. */
export function toRoom(bytes: Uint8Array, loan: Loan): Uint8Array | null {
  if (isInRoom(bytes)) return bytes;
  const copy = loan.takeRoom(bytes.length);
  copy?.set(bytes);
  return copy;
}

/** `lz4Block`, by WebAssembly where both lie in the room. */
export const lz4: typeof lz4Block = (bytes, from, stop, out, to, end) => {
  if (!isInRoom(bytes) || !isInRoom(out)) return lz4Block(bytes, from, stop, out, to, end);
  const [source, target] = [bytes.byteOffset, out.byteOffset];
  const written = decoders().lz4(source + from, source + stop, target + to, target + end);
  if (written < 0) throw refuse(SAYS[written]);
  if (written !== end - to) throw refuse(`LZ4 data give ${written} bytes instead of ${end - to}`);
};

/** Decodes the block that `bytes` hold from `from` on. @throws Error unless it fills `out` */
export function lz4Plain(bytes: Uint8Array, from: number, out: Uint8Array): void {
  const loan = new Loan();
  try {
    const source = toRoom(bytes, loan) ?? bytes;
    const place = loan.takeRoom(out.length) ?? out;
    lz4(source, from, source.length, place, 0, out.length);
    if (place !== out) out.set(place);
  } finally {
    loan.giveBack();
  }
}

/** Elements that are put together at once: they are copied on while they are in the processor's cache. */
const PIECE = 16384;
export const MADE_BYTES = 4 * PIECE;

/**
 * Four planes of bytes, back to elements of 4 bytes.
 * @param planes of the same length, in the room. @param out of at least four times that length, anywhere
 * @param made `MADE_BYTES` of the room, to put elements together in
 */
export function unshuffleInRoom(planes: readonly Uint8Array[], out: Uint8Array, made: Uint8Array): void {
  const [a, b, c, d] = planes.map(({ byteOffset }) => byteOffset);
  const count = planes[0].length;
  const vectors = count - (count % TURN);
  for (let at = 0; at < vectors; at += PIECE) {
    const elements = Math.min(PIECE, vectors - at);
    decoders().unshuffle(a + at, b + at, c + at, d + at, made.byteOffset, elements / TURN);
    out.set(elements === PIECE ? made : made.subarray(0, 4 * elements), 4 * at);
  }
  for (let i = vectors; i < count; i++) for (const [k, plane] of planes.entries()) out[4 * i + k] = plane[i];
}
