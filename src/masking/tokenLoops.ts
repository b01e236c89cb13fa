/**
 * Loops over the tokens of a level for WebAssembly's vectors, made for one size of token: sums of each point in lanes of
 * float64, the same additions in the same order as `pointwiseStd` writes them; copies and zeros.
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
  load,
  part,
  set,
  V128,
  type WasmFunction,
  when,
} from "../formats/wasm.js";

/** Values of a vector. Sums and means are whole vectors long; values behind a token's last are summed, for nobody. */
export const LANES = 4;
/** Tokens added at once: sums stay in registers meanwhile, and memory is read in so many streams. */
export const AT_ONCE = 8;
/** Numbers of an entry of a list of tokens: the address, and for `take` whether it becomes 0. */
export const ENTRY = 2;

/** The upper two values of a vector, in the lower places too. */
const upper = (vector: number): Code => f32x4.shuffle(get(vector), get(vector), [2, 3, 2, 3]);

/** `NAME(tokens, groups, sums, means)` adds to each point's sum the terms of `count` tokens a group. */
function sumsOf(
  name: string,
  D: number,
  count: number,
  add: (sum: number, value: Code, mean: number) => Code,
): WasmFunction {
  const [TOKENS, GROUPS, SUMS, MEANS] = [0, 1, 2, 3];
  const [at, sum, mean, left] = [4, 5, 6, 7];
  const [values, lowSum, highSum, lowMean, highMean] = [8, 9, 10, 11, 12];
  const token = (k: number): Code => [
    ...set(values, f32x4.load(get(at), 4 * D * k)),
    ...add(lowSum, f64x2.promoteLow(get(values)), lowMean),
    ...add(highSum, f64x2.promoteLow(upper(values)), highMean),
  ];
  const points: Code = [
    ...[lowSum, highSum].flatMap((lane, i) => set(lane, f32x4.load(get(sum), 16 * i))),
    ...[lowMean, highMean].flatMap((lane, i) => set(lane, f32x4.load(get(mean), 16 * i))),
    ...Array.from({ length: count }, (_, k) => token(k)).flat(),
    ...[lowSum, highSum].flatMap((lane, i) => f32x4.store(get(sum), get(lane), 16 * i)),
    ...advance(at, i32(4 * LANES)),
    ...[sum, mean].flatMap((local) => advance(local, i32(8 * LANES))),
  ];
  const group: Code = [
    ...[at, sum, mean].flatMap((local, i) => set(local, get([TOKENS, SUMS, MEANS][i]))),
    ...set(left, i32(Math.ceil(D / LANES))),
    ...countDown(left, points),
    ...advance(TOKENS, i32(4 * D * count)),
  ];
  return { name, params: 4, locals: [...Array(4).fill(I32), ...Array(6).fill(V128)], body: countDown(GROUPS, group) };
}

/** Of `sumsOf`, above its other locals. */
const DIFFERENCE = 13;

const value = (sum: number, x: Code): Code => set(sum, f64x2.add(get(sum), x));
const square = (sum: number, x: Code, mean: number): Code => [
  ...set(DIFFERENCE, f64x2.sub(x, get(mean))),
  ...set(sum, f64x2.add(get(sum), f64x2.mul(get(DIFFERENCE), get(DIFFERENCE)))),
];

/** Runs `step` for every whole vector of a token, then `last` for the values behind them. */
const eachVector = (D: number, left: number, step: Code, last: Code): Code => [
  ...(D >= LANES ? [...set(left, i32(Math.floor(D / LANES))), ...countDown(left, step)] : []),
  ...(D % LANES > 0 ? last : []),
];

/** Writes the lower `count` values of a vector, in whose place others may stand then. */
const storePart = (at: number, vector: number, count: number): Code => {
  if (count === 1) return part.store32(get(at), get(vector));
  return [...part.store64(get(at), get(vector)), ...(count === 3 ? part.store32(get(at), upper(vector), 8) : [])];
};

const [ENTRIES, COUNT] = [0, 1];

/** `take(entries, count, out)`: copies tokens one after the other to `out`, and sets to 0 those that shall be. */
function take(D: number): WasmFunction {
  const OUT = 2;
  const [token, left, values] = [3, 4, 5];
  const copied = set(values, f32x4.load(get(token)));
  const copy = eachVector(
    D,
    left,
    [
      ...copied,
      ...f32x4.store(get(OUT), get(values)),
      ...[token, OUT].flatMap((local) => advance(local, i32(4 * LANES))),
    ],
    [...copied, ...storePart(OUT, values, D % LANES), ...advance(OUT, i32(4 * (D % LANES)))],
  );
  const zero = eachVector(
    D,
    left,
    [...f32x4.store(get(token), get(values)), ...advance(token, i32(4 * LANES))],
    storePart(token, values, D % LANES),
  );
  const entry: Code = [
    ...set(token, load(get(ENTRIES))),
    ...copy,
    ...when(load(get(ENTRIES), 4), [...set(token, load(get(ENTRIES))), ...set(values, f32x4.splat(0)), ...zero]),
    ...advance(ENTRIES, i32(4 * ENTRY)),
  ];
  return { name: "take", params: 3, locals: [I32, I32, V128], body: countDown(COUNT, entry) };
}

/**
 * `noise(entries, count, keeps, scales, normals)`: of each token a share `keep` (a float64 each) and, of each point, a normal
 * number times the point's scale, in float64, rounded once.
 */
function noise(D: number): WasmFunction {
  const [KEEPS, SCALES, NORMALS] = [2, 3, 4];
  const [token, scale, left] = [5, 6, 7];
  const [values, normals, keep, low, high] = [8, 9, 10, 11, 12];
  const noised = (x: Code, normal: Code, offset: number): Code =>
    f64x2.demote(
      f64x2.add(
        f64x2.mul(get(keep), f64x2.promoteLow(x)),
        f64x2.mul(f32x4.load(get(scale), offset), f64x2.promoteLow(normal)),
      ),
    );
  const compute: Code = [
    ...set(values, f32x4.load(get(token))),
    ...set(normals, f32x4.load(get(NORMALS))),
    ...set(low, noised(get(values), get(normals), 0)),
    ...set(high, noised(upper(values), upper(normals), 16)),
    ...set(values, f32x4.shuffle(get(low), get(high), [0, 1, 4, 5])),
  ];
  const step: Code = [
    ...compute,
    ...f32x4.store(get(token), get(values)),
    ...[token, NORMALS].flatMap((local) => advance(local, i32(4 * LANES))),
    ...advance(scale, i32(8 * LANES)),
  ];
  const rest = D % LANES;
  const entry: Code = [
    ...set(token, load(get(ENTRIES))),
    ...set(scale, get(SCALES)),
    ...set(keep, f64x2.loadSplat(get(KEEPS))),
    ...eachVector(D, left, step, [...compute, ...storePart(token, values, rest), ...advance(NORMALS, i32(4 * rest))]),
    ...advance(ENTRIES, i32(4 * ENTRY)),
    ...advance(KEEPS, i32(8)),
  ];
  return {
    name: "noise",
    params: 5,
    locals: [I32, I32, I32, V128, V128, V128, V128, V128],
    body: countDown(COUNT, entry),
  };
}

/** For tokens of `D` values: `sum`, `squares` of `AT_ONCE` tokens a group, `sumOne`, `squaresOne` of one, `take`, `noise`. */
export const tokenLoops = (D: number): WasmFunction[] => [
  sumsOf("sum", D, AT_ONCE, value),
  sumsOf("squares", D, AT_ONCE, square),
  sumsOf("sumOne", D, 1, value),
  sumsOf("squaresOne", D, 1, square),
  take(D),
  noise(D),
];
