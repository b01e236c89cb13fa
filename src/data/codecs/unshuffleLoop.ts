/** Unshuffling bytes of float32 and int32 by WebAssembly's vectors: four times as fast as a loop of JavaScript. */
import {
  advance,
  type Code,
  countDown,
  f32x4,
  get,
  i8x16,
  i32,
  set,
  V128,
  type WasmFunction,
} from "../../formats/wasm.js";

/** Elements, and bytes, that one turn of the loop makes. */
export const TURN = 16;
const TURN_BYTES = 64;

const [PLANES, OUT, TURNS] = [[0, 1, 2, 3], 4, 5];
const [A, B, C, D] = [6, 7, 8, 9];

/** Bytes (`width` 1) or pairs (2) of two vectors in turn, of their first half or their second. */
function interleave(a: Code, b: Code, width: 1 | 2, half: 0 | 1): Code {
  const lanes = Array.from({ length: 16 }, (_, i) => {
    const item = Math.floor(i / (2 * width)) * width + (i % width) + 8 * half;
    return item + (Math.floor(i / width) % 2 === 1 ? 16 : 0);
  });
  return i8x16.shuffle(a, b, lanes);
}

const low = (half: 0 | 1): Code => interleave(get(A), get(B), 1, half);
const high = (half: 0 | 1): Code => interleave(get(C), get(D), 1, half);
const quarter = (from: 0 | 1, half: 0 | 1): Code =>
  f32x4.store(get(OUT), interleave(low(from), high(from), 2, half), 32 * from + 16 * half);

/** `unshuffle(a, b, c, d, out, turns)`: addresses of the planes and of the elements; at least one turn. */
export const unshuffleLoop: WasmFunction = {
  name: "unshuffle",
  params: 6,
  locals: Array(4).fill(V128),
  body: countDown(TURNS, [
    ...[A, B, C, D].flatMap((local, i) => set(local, f32x4.load(get(PLANES[i])))),
    ...quarter(0, 0),
    ...quarter(0, 1),
    ...quarter(1, 0),
    ...quarter(1, 1),
    ...PLANES.flatMap((plane) => advance(plane, i32(16))),
    ...advance(OUT, i32(TURN_BYTES)),
  ]),
};
