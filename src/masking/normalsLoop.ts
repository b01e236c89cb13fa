/** PCG64's outputs and the ziggurat's layers for WebAssembly, whose products of 64 bits take a fifth of the time. */
import {
  advance,
  type Code,
  countDownWhile,
  f64,
  get,
  I32,
  I64,
  i32,
  i64,
  set,
  store,
  type WasmFunction,
} from "../formats/wasm.js";

/** In the memory, in bytes: the state, the increment, the multiplier (16 each), the last output, numbers not drawn. */
export const [STATE, INCREMENT, FACTOR, OUTPUT, LEFT] = [0, 16, 32, 48, 56];
/** Widths of the layers, what share of each is below the curve, and where numbers go. */
export const [WIDTHS, RATIOS, NUMBERS] = [64, 64 + 2048, 64 + 4096];

const [S0, S1, P01, P10, LOW, MIDDLE] = [2, 3, 4, 5, 6, 7];

/** The next state and its output of 64 bits, with the state in the locals `S0` and `S1`. */
function next(): { step: Code; output: Code } {
  const at = (place: number): Code => i64.load(i32(0), place);
  const high = (x: Code): Code => i64.shiftRight(x, 32);
  const [m0, m1] = [i64.low(at(FACTOR)), high(at(FACTOR))];
  const sum = (...terms: Code[]): Code => terms.reduce(i64.add);
  const step: Code = [
    // the upper half of s0 times the multiplier's lower half, from products of 32 bits
    ...set(P01, i64.mul(i64.low(get(S0)), m1)),
    ...set(P10, i64.mul(high(get(S0)), m0)),
    ...set(MIDDLE, sum(high(i64.mul(i64.low(get(S0)), m0)), i64.low(get(P01)), i64.low(get(P10)))),
    ...set(LOW, i64.add(i64.mul(get(S0), at(FACTOR)), at(INCREMENT))),
    ...set(
      S1,
      sum(
        ...[i64.mul(high(get(S0)), m1), high(get(P01)), high(get(P10)), high(get(MIDDLE))],
        ...[i64.mul(get(S0), at(FACTOR + 8)), i64.mul(get(S1), at(FACTOR)), at(INCREMENT + 8)],
        i64.less(get(LOW), at(INCREMENT)),
      ),
    ),
    ...set(S0, get(LOW)),
  ];
  return { step, output: i64.rotateRight(i64.xor(get(S0), get(S1)), i64.shiftRight(get(S1), 58)) };
}

const enter: Code = [...set(S0, i64.load(i32(0), STATE)), ...set(S1, i64.load(i32(0), STATE + 8))];
const leave: Code = [...i64.store(i32(0), get(S0), STATE), ...i64.store(i32(0), get(S1), STATE + 8)];

/** `draw()`: the next 64 bits to `OUTPUT`. */
export function drawOne(): WasmFunction {
  const { step, output } = next();
  const body = [...enter, ...step, ...i64.store(i32(0), output, OUTPUT), ...leave];
  // the two locals that parameters take in `drawNormals`
  return { name: "draw", params: 0, locals: [I32, I32, ...Array(6).fill(I64)], body };
}

/**
 * `normals(out, count)`: numbers as float32 up to the first whose output does not lie safely below the curve, which stands
 * at `OUTPUT` then; at `LEFT` how many are missing, 0 if none is.
 */
export function drawNormals(): WasmFunction {
  const [OUT, COUNT, BITS, PLACE, LAYER] = [0, 1, 8, 9, 10];
  const { step, output } = next();
  const look: Code = [
    ...step,
    ...set(BITS, output),
    // bits 9 to 60 are the place within the layer, the lowest eight say which layer, bit 8 is the sign
    ...set(PLACE, i64.and(i64.shiftRight(get(BITS), 9), 2 ** 52 - 1)),
    ...set(LAYER, i64.wrap(i64.shiftLeft(i64.and(get(BITS), 255), 3))),
  ];
  const below = f64.less(f64.fromWhole(get(PLACE)), f64.load(get(LAYER), RATIOS));
  const x = f64.bits(f64.mul(f64.fromWhole(get(PLACE)), f64.load(get(LAYER), WIDTHS)));
  const sign = i64.shiftLeft(i64.and(get(BITS), 256), 55);
  const take = [...f64.storeDemoted(get(OUT), f64.ofBits(i64.xor(x, sign))), ...advance(OUT, i32(4))];
  const body = [
    ...enter,
    ...countDownWhile(COUNT, look, below, take),
    ...i64.store(i32(0), get(BITS), OUTPUT),
    ...store(i32(0), get(COUNT), LEFT),
    ...leave,
  ];
  return { name: "normals", params: 2, locals: [...Array(8).fill(I64), I32], body };
}
