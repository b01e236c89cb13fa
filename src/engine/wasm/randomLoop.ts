/** The loop that draws dropout masks: Philox's blocks of four numbers (`random/philox.ts`), with products of 64 bits. */

import {
  add,
  advance,
  and,
  atLeast,
  type Code,
  countDown,
  get,
  I32,
  I64,
  i32,
  select,
  set,
  store,
  type WasmFunction,
  wide,
  xor,
} from "../../formats/wasm.js";
import { FACTORS, RANDOM_BITS, ROUNDS, WEYL } from "../../random/philox.js";

/** `dropoutMask(to, blocks, first, c2, c3, k0, k1, least, keep)`, see `Program`. */
export function dropoutMask(): WasmFunction {
  const [to, blocks, first, c2, c3, k0, k1, least, keep] = Array(9).keys();
  const [x0, x1, x2, x3] = [9, 10, 11, 12];
  const [p0, p1] = [13, 14];
  const key = (local: number, round: number, growth: number): Code =>
    add(get(local), i32(Math.imul(round, growth | 0)));
  const rounds = Array.from({ length: ROUNDS }, (_, round) => [
    ...set(p0, wide.mul(get(x0), i32(FACTORS[0]))),
    ...set(p1, wide.mul(get(x2), i32(FACTORS[1]))),
    ...set(x0, xor(xor(wide.high(get(p1)), get(x1)), key(k0, round, WEYL[0]))),
    ...set(x1, wide.low(get(p1))),
    ...set(x2, xor(xor(wide.high(get(p0)), get(x3)), key(k1, round, WEYL[1]))),
    ...set(x3, wide.low(get(p0))),
  ]).flat();
  const body = countDown(blocks, [
    ...set(x0, get(first)),
    ...set(x1, i32(0)),
    ...set(x2, get(c2)),
    ...set(x3, get(c3)),
    ...rounds,
    ...[x0, x1, x2, x3].flatMap((x, i) =>
      store(get(to), select(get(keep), i32(0), atLeast(and(get(x), i32(RANDOM_BITS)), get(least))), 4 * i),
    ),
    ...advance(to, i32(16)),
    ...advance(first, i32(1)),
  ]);
  return { name: "dropoutMask", params: 9, locals: [I32, I32, I32, I32, I64, I64], body };
}

/** How many of the random bits' values mean a number below `rate`. */
export const leastKept = (rate: number): number => Math.ceil(rate * (RANDOM_BITS + 1));
