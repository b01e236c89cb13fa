/** `lz4Block` of `lz4.ts` for WebAssembly: the same checks in the same order, copies by vectors. */
import {
  add,
  advance,
  and,
  atLeast,
  type Code,
  equal,
  f32x4,
  forever,
  get,
  giveBack,
  I32,
  i32,
  load8,
  load16,
  more,
  or,
  repeatWhile,
  select,
  set,
  shiftRight,
  store8,
  sub,
  type WasmFunction,
  when,
  xor,
} from "../../formats/wasm.js";
import { INPUT_MARGIN, LAST_LITERALS, OUTPUT_MARGIN } from "./lz4.js";

/** What the loop gives for a block that is damaged; else it gives the bytes that it wrote. */
export const FAULTS = { breaksOff: -1, literal: -2, match: -3 };

const [at, stop, put, end] = [0, 1, 2, 3];
const [start, token, length, next, last, from, distance, first] = Array.from({ length: 8 }, (_, i) => 4 + i);

/** Longer than any block, and small enough that sums with it stay numbers of 32 bits. */
const ENDLESS = 2 ** 30;
const VECTOR = 16;

/** The next byte of the input. */
const byte = (to: number): Code => [
  ...when(atLeast(get(at), get(stop)), giveBack(i32(FAULTS.breaksOff))),
  ...set(to, load8(get(at))),
  ...advance(at, i32(1)),
];

/** What follows a length of 15: bytes that are added up to the first that is not 255. */
const extended: Code = repeatWhile(
  [
    ...byte(next),
    ...advance(length, get(next)),
    ...set(length, select(i32(ENDLESS), get(length), more(get(length), i32(ENDLESS)))),
  ],
  equal(get(next), i32(255)),
);

const step = (by: Code): Code => [...advance(from, by), ...advance(put, by), ...set(length, sub(get(length), by))];
const bytes = (count: number): Code =>
  repeatWhile(
    [
      ...store8(get(put), load8(get(from))),
      ...step(i32(1)),
      ...(count === length ? [] : set(count, sub(get(count), i32(1)))),
    ],
    get(count),
  );
const vector: Code = f32x4.store(get(put), f32x4.load(get(from)));

/**
 * Copies `length` bytes from `from` to `put`, which is `VECTOR` or more behind it, or elsewhere. The last vector may write
 * more than that where the block goes on: what follows is written later. It may also read more, which is memory at least.
 */
const copy: Code = [
  ...when(
    atLeast(get(length), i32(VECTOR)),
    repeatWhile([...vector, ...step(i32(VECTOR))], atLeast(get(length), i32(VECTOR))),
  ),
  ...when(get(length), [
    ...when(atLeast(get(end), add(get(put), i32(VECTOR))), [...vector, ...step(get(length))]),
    ...when(get(length), bytes(length)),
  ]),
];

const literals: Code = [
  ...set(length, shiftRight(get(token), 4)),
  ...when(equal(get(length), i32(15)), extended),
  ...set(
    last,
    or(
      more(add(get(at), add(get(length), i32(INPUT_MARGIN))), get(stop)),
      more(add(get(put), add(get(length), i32(OUTPUT_MARGIN))), get(end)),
    ),
  ),
  ...when(
    or(
      and(get(last), xor(equal(add(get(at), get(length)), get(stop)), i32(1))),
      more(add(get(put), get(length)), get(end)),
    ),
    giveBack(i32(FAULTS.literal)),
  ),
  ...set(from, get(at)),
  ...advance(at, get(length)),
  ...copy,
];

/** A distance below a vector's is made a multiple of itself: the bytes up to there are copied one by one. */
const match: Code = [
  ...set(distance, load16(get(at))),
  ...advance(at, i32(2)),
  ...set(length, add(and(get(token), i32(15)), i32(4))),
  ...when(equal(get(length), i32(19)), extended),
  ...when(
    or(
      or(equal(get(distance), i32(0)), more(get(distance), sub(get(put), get(start)))),
      more(add(get(put), add(get(length), i32(LAST_LITERALS))), get(end)),
    ),
    giveBack(i32(FAULTS.match)),
  ),
  ...set(from, sub(get(put), get(distance))),
  ...when(more(i32(VECTOR), get(distance)), [
    ...set(first, get(distance)),
    ...repeatWhile(advance(distance, get(distance)), more(i32(VECTOR), get(distance))),
    ...set(first, sub(get(distance), get(first))),
    ...set(first, select(get(first), get(length), more(get(length), get(first)))),
    ...bytes(first),
    ...set(from, sub(get(put), get(distance))),
  ]),
  ...copy,
];

/** `lz4(from, stop, to, end)`: addresses of a block and of its place. */
export const lz4Loop: WasmFunction = {
  name: "lz4",
  params: 4,
  result: true,
  locals: Array(8).fill(I32),
  body: [
    ...set(start, get(put)),
    ...forever([...byte(token), ...literals, ...when(get(last), giveBack(sub(get(put), get(start)))), ...match]),
  ],
};
