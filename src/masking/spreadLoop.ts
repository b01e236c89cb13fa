/**
 * Sums over tokens for WebAssembly's vectors, each point's in a lane of float64: the same additions in the same order as
 * `pointwiseStd` writes them.
 */
import {
  advance,
  type Code,
  countDown,
  f32x4,
  f64x2,
  get,
  I32,
  i32,
  part,
  set,
  V128,
  type WasmFunction,
} from "../formats/wasm.js";

/** Points whose sums are in registers at once; tables of sums and means are whole multiples long. */
export const LANES = 8;
const PAIRS = LANES / 2;

const [TOKENS, COUNT, BYTES, BLOCKS, SUMS, MEANS] = [0, 1, 2, 3, 4, 5];
const [AT, LEFT] = [6, 7];
const lane = (i: number): number => 8 + i;
const mean = (i: number): number => 8 + PAIRS + i;
const DIFFERENCE = 8 + 2 * PAIRS;

const pairs = (code: (i: number) => Code): Code => Array.from({ length: PAIRS }, (_, i) => code(i)).flat();
const point = (i: number): Code => f64x2.promoteLow(part.load64(get(AT), 8 * i));

/** `sum(tokens, count, bytes of a token, blocks of LANES points, sums)` and `squares(..., means)`, added to the sums. */
function loop(name: string, params: number, before: Code, term: (i: number) => Code): WasmFunction {
  const block: Code = [
    ...pairs((i) => set(lane(i), f32x4.load(get(SUMS), 16 * i))),
    ...before,
    ...set(AT, get(TOKENS)),
    ...set(LEFT, get(COUNT)),
    ...countDown(LEFT, [...pairs(term), ...advance(AT, get(BYTES))]),
    ...pairs((i) => f32x4.store(get(SUMS), get(lane(i)), 16 * i)),
    ...advance(TOKENS, i32(4 * LANES)),
    ...advance(SUMS, i32(8 * LANES)),
    ...advance(MEANS, i32(8 * LANES)),
  ];
  const locals = [...Array(8 - params).fill(I32), ...Array(2 * PAIRS + 1).fill(V128)];
  return { name, params, locals, body: countDown(BLOCKS, block) };
}

export const spreadLoops: WasmFunction[] = [
  loop("sum", 6, [], (i) => set(lane(i), f64x2.add(get(lane(i)), point(i)))),
  loop(
    "squares",
    6,
    pairs((i) => set(mean(i), f32x4.load(get(MEANS), 16 * i))),
    (i) => [
      ...set(DIFFERENCE, f64x2.sub(point(i), get(mean(i)))),
      ...set(lane(i), f64x2.add(get(lane(i)), f64x2.mul(get(DIFFERENCE), get(DIFFERENCE)))),
    ],
  ),
];
