/**
 * The loop of `fill` for WebAssembly's vectors: two values at once in float64, minus mean, over standard deviation, rounded
 * once to float32, as TypeScript does it.
 */
import {
  add,
  advance,
  and,
  type Code,
  countDown,
  f32x4,
  f64x2,
  get,
  I32,
  i32,
  load,
  mul,
  part,
  set,
  shiftRight,
  store,
  V128,
  type WasmFunction,
  when,
} from "../formats/wasm.js";

/** Numbers of an entry of each table: rows [from, norm, to], runs [length, from, norm, to], spans [from, cache lines]. */
export const [ROW, RUN, SPAN] = [3, 4, 2];

const [FROM, TO, MEANS, STDS, ROWS, NUM_ROWS, RUNS, NUM_RUNS, SPANS, NUM_SPANS, BAD] = Array(11).keys();
const [row, rowsLeft, entry, entriesLeft, from, to, norm, left, seen] = Array.from({ length: 9 }, (_, i) => 11 + i);
const [mean, std, value, bad] = Array.from({ length: 4 }, (_, i) => 20 + i);

/** What a table says of values, as bytes. */
const bytes = (at: number, number: number, size: 4 | 8 = 4): Code => mul(load(get(at), 4 * number), i32(size));

/** Runs `body` for every entry of a table. */
const each = (local: number, first: number, counter: number, count: number, size: number, body: Code): Code => [
  ...set(local, get(first)),
  ...set(counter, get(count)),
  ...countDown(counter, [...body, ...advance(local, i32(4 * size))]),
];

/**
 * `fill(from, to, means, stds, rows, numRows, runs, numRuns, spans, numSpans, bad)`: one time of one level. `bad` becomes
 * a vector of float32 that is 0 unless a result is NaN or infinite.
 * @param local a mean and a standard deviation of each point, in place of one for all
 */
export function fillLoop(name: string, local: boolean): WasmFunction {
  const divided = (loaded: Code, load2: (at: Code) => Code): Code => [
    ...(local ? [...set(mean, load2(add(get(norm), get(MEANS)))), ...set(std, load2(add(get(norm), get(STDS))))] : []),
    ...set(value, f64x2.demote(f64x2.div(f64x2.sub(f64x2.promoteLow(loaded), get(mean)), get(std)))),
    ...set(bad, f32x4.add(get(bad), f32x4.sub(get(value), get(value)))),
  ];
  const pair = [
    ...divided(part.load64(get(from)), f32x4.load),
    ...part.store64(get(to), get(value)),
    ...advance(from, i32(8)),
    ...advance(to, i32(8)),
    ...(local ? advance(norm, i32(16)) : []),
  ];
  const last = [...divided(f32x4.loadSplat(get(from)), f64x2.loadSplat), ...part.store32(get(to), get(value))];
  const run = [
    ...set(from, add(get(FROM), add(bytes(row, 0), bytes(entry, 1)))),
    ...(local ? set(norm, add(bytes(row, 1, 8), bytes(entry, 2, 8))) : []),
    ...set(to, add(get(TO), add(bytes(row, 2), bytes(entry, 3)))),
    ...set(left, shiftRight(load(get(entry)), 1)),
    ...when(get(left), countDown(left, pair)),
    ...when(and(load(get(entry)), i32(1)), last),
  ];
  // One look at each cache line of all rows first: so they come from memory side by side, and not one by one.
  const look = [
    ...set(from, add(get(FROM), add(bytes(row, 0), bytes(entry, 0)))),
    ...set(left, load(get(entry), 4)),
    ...countDown(left, [...set(seen, add(get(seen), load(get(from)))), ...advance(from, i32(64))]),
  ];
  const body = [
    ...(local ? [] : [...set(mean, f64x2.loadSplat(get(MEANS))), ...set(std, f64x2.loadSplat(get(STDS)))]),
    ...each(row, ROWS, rowsLeft, NUM_ROWS, ROW, each(entry, SPANS, entriesLeft, NUM_SPANS, SPAN, look)),
    ...each(row, ROWS, rowsLeft, NUM_ROWS, ROW, each(entry, RUNS, entriesLeft, NUM_RUNS, RUN, run)),
    ...f32x4.store(get(BAD), get(bad)),
    // so that the looks are not left out as useless
    ...store(get(BAD), get(seen), 16),
  ];
  return { name, params: 11, locals: [...Array(9).fill(I32), ...Array(4).fill(V128)], body };
}
