/** Unshuffling bytes of float32 and int32 by WebAssembly's vectors: four times as fast as a loop of JavaScript. */
import {
  add,
  advance,
  assemble,
  type Code,
  countDown,
  f32x4,
  get,
  i8x16,
  i32,
  mul,
  set,
  V128,
} from "../../formats/wasm.js";

const PAGE = 65536;
/** Bytes that one turn of the loop makes: 16 elements. */
const TURN = 64;
/** Larger blocks get memory of their own, and the loop. */
const MAX_BYTES = 2 ** 24;

interface Memory {
  buffer: ArrayBuffer;
  grow(pages: number): number;
}

/** The part that is used; TypeScript has the types with those of browsers alone. */
declare const WebAssembly: {
  Memory: new (limits: { initial: number }) => Memory;
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object, imports: { env: { memory: Memory } }) => { exports: Record<string, unknown> };
};

interface Unshuffler {
  memory: Memory;
  /** from `planes`, with `count` elements, to `out`; `turns` of 16 elements */
  unshuffle(planes: number, count: number, out: number, turns: number): void;
}

let opened: Unshuffler | null = null;

function open(): Unshuffler {
  const memory = new WebAssembly.Memory({ initial: 16 });
  const module = new WebAssembly.Module(
    assemble([{ name: "unshuffle", params: 4, locals: Array(4).fill(V128), body }]),
  );
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  return { memory, unshuffle: exports.unshuffle as Unshuffler["unshuffle"] };
}

const [PLANES, COUNT, OUT, TURNS, A, B, C, D] = [0, 1, 2, 3, 4, 5, 6, 7];

/** Bytes (`width` 1) or pairs (2) of two vectors in turn, of their first half or their second. */
function interleave(a: Code, b: Code, width: 1 | 2, half: 0 | 1): Code {
  const lanes = Array.from({ length: 16 }, (_, i) => {
    const item = Math.floor(i / (2 * width)) * width + (i % width) + 8 * half;
    return item + (Math.floor(i / width) % 2 === 1 ? 16 : 0);
  });
  return i8x16.shuffle(a, b, lanes);
}

const plane = (index: number): Code => f32x4.load(add(get(PLANES), mul(get(COUNT), i32(index))));
const low = (half: 0 | 1): Code => interleave(get(A), get(B), 1, half);
const high = (half: 0 | 1): Code => interleave(get(C), get(D), 1, half);
const quarter = (from: 0 | 1, half: 0 | 1): Code =>
  f32x4.store(get(OUT), interleave(low(from), high(from), 2, half), 32 * from + 16 * half);

const body: Code = countDown(TURNS, [
  ...[A, B, C, D].flatMap((local, i) => set(local, plane(i))),
  ...quarter(0, 0),
  ...quarter(0, 1),
  ...quarter(1, 0),
  ...quarter(1, 1),
  ...advance(PLANES, i32(16)),
  ...advance(OUT, i32(TURN)),
]);

/** Memory for the planes of a block; what it held before is of no use. Not to be kept over other calls of this file. */
export function scratch(bytes: number): Uint8Array {
  if (bytes > MAX_BYTES) return new Uint8Array(bytes);
  opened ??= open();
  const missing = 2 * roundUp(bytes) - opened.memory.buffer.byteLength;
  if (missing > 0) opened.memory.grow(Math.ceil(missing / PAGE));
  return new Uint8Array(opened.memory.buffer, 0, bytes);
}

const roundUp = (bytes: number): number => Math.ceil(bytes / TURN) * TURN;

/**
 * Four planes of bytes, back to elements of 4 bytes.
 * @param planes of `scratch`. @returns false if they are not, or are no whole number of turns: nothing is done then
 */
export function unshuffleFast(planes: Uint8Array, out: Uint8Array): boolean {
  if (!opened || planes.buffer !== opened.memory.buffer || planes.length === 0 || planes.length % TURN !== 0)
    return false;
  const at = planes.byteOffset + planes.length;
  opened.unshuffle(planes.byteOffset, planes.length / 4, at, planes.length / TURN);
  out.set(new Uint8Array(opened.memory.buffer, at, out.length));
  return true;
}
