/**
 * Decoding BloscLZ blocks where no native library is. Format: `blosclz_decompress` of c-blosc 1.21 (BSD-3), which
 * descends from FastLZ.
 */
import { copyMatch } from "./lz4.js";
import { refuse } from "./stage.js";

/** a distance of 13 bits, all ones: two more bytes of distance follow */
const FAR = 8191;

/**
 * Decodes one block, which must fill `out[to..end)` and use up `bytes[from..stop)` exactly.
 * @throws Error if it does not
 */
export function blosclzBlock(
  bytes: Uint8Array,
  from: number,
  stop: number,
  out: Uint8Array,
  to: number,
  end: number,
): void {
  let at = from;
  let put = to;
  const next = (): number => {
    if (at >= stop) throw refuse("BloscLZ data break off");
    return bytes[at++];
  };
  let control = next() & 31;
  for (;;) {
    if (control >= 32) {
      let length = (control >> 5) - 1;
      let distance = (control & 31) << 8;
      if (length === 6) {
        let more: number;
        do {
          more = next();
          length += more;
        } while (more === 255);
      }
      const code = next();
      length += 3;
      distance += code;
      if (code === 255 && distance === FAR) distance = (next() << 8) + next() + FAR;
      distance += 1;
      if (distance > put - to || length > end - put) throw refuse("a BloscLZ match leaves its block");
      copyMatch(out, put, distance, length);
      put += length;
      if (at >= stop) throw refuse("BloscLZ data break off");
    } else {
      const literals = control + 1;
      if (literals > stop - at || literals > end - put) throw refuse("a BloscLZ literal leaves its block");
      for (let i = 0; i < literals; i++) out[put + i] = bytes[at + i];
      at += literals;
      put += literals;
    }
    if (at >= stop) break;
    control = bytes[at++];
  }
  if (put !== end) throw refuse(`BloscLZ data give ${put - to} bytes instead of ${end - to}`);
}
