/** The vector loops of the WASM engine, as a WebAssembly module on the backend's own memory. */
import {
  advance,
  assemble,
  type Code,
  countDown,
  f32x4,
  get,
  I32,
  i32,
  i32x4,
  mul,
  set,
  V128,
  type WasmFunction,
} from "../../formats/wasm.js";
import { compile, instantiate } from "../../formats/wasmHost.js";
import { dropoutMask } from "./randomLoop.js";

/** Addresses and distances are in bytes, `alpha` is the address of a number; a group is four float32. */
export interface Program {
  /** C = A B from packed panels: A [mPanels][k][4], B [nPanels][k][8], C row-major with `ldc` bytes a row */
  gemm(a: number, b: number, c: number, k: number, mPanels: number, nPanels: number, ldc: number): void;
  /** four lines whose elements lie side by side: k vectors `step` apart, times alpha, to vectors `spacing` apart */
  packColumns(from: number, step: number, to: number, spacing: number, k: number, alpha: number): void;
  /** four lines that lie `line` apart: 4*blocks elements of each, transposed, times alpha, to vectors `spacing` apart */
  packRows(from: number, line: number, to: number, spacing: number, blocks: number, alpha: number): void;
  /** softmax of each row in place */
  softmaxRows(p: number, rows: number, groups: number): void;
  /** dp = p * (dp - d[row]) */
  softmaxGrad(p: number, dp: number, d: number, rows: number, groups: number): void;
  /** y = x Phi(x) */
  gelu(x: number, y: number, groups: number): void;
  /**
   * Blocks of four numbers of a stream (`streamOf`), from the one called `first`: the bits `keep` where the random bits
   * are at least `least`, else 0
   */
  dropoutMask(
    to: number,
    blocks: number,
    first: number,
    c2: number,
    c3: number,
    k0: number,
    k1: number,
    least: number,
    keep: number,
  ): void;
  /** dx = dy (Phi(x) + x phi(x)) */
  geluGrad(x: number, dy: number, dx: number, groups: number): void;
}

/**
 * Instantiates the loops.
 *
 * @param memory the `WebAssembly.Memory` they work on
 * @param sharedPages the most pages it may have, if it is shared between threads
 */
export function loadProgram(memory: object, sharedPages?: number): Program {
  const functions = [
    gemm(),
    packColumns(),
    packRows(),
    softmaxRows(),
    softmaxGrad(),
    gelu(),
    geluGrad(),
    dropoutMask(),
  ];
  return instantiate(compile(assemble(functions, sharedPages)), memory);
}

/** Tiles of 4 x 8 accumulate in registers; each element adds its k products in order. */
function gemm(): WasmFunction {
  const [a, b, c, k, mPanels, nPanels, ldc, i, kk, pa, pb, pc, column] = Array(13).keys();
  const b0 = 13;
  const b1 = 14;
  const row = 15;
  const accumulator = 16;
  const rows = [0, 1, 2, 3];
  const inner: Code = [
    ...set(b0, f32x4.load(get(pb))),
    ...set(b1, f32x4.load(get(pb), 16)),
    ...rows.flatMap((r) => [
      ...set(row, f32x4.loadSplat(get(pa), 4 * r)),
      ...[b0, b1].flatMap((half, h) => {
        const target = accumulator + 2 * r + h;
        return set(target, f32x4.add(get(target), f32x4.mul(get(row), get(half))));
      }),
    ]),
    ...advance(pa, i32(16)),
    ...advance(pb, i32(32)),
  ];
  const tile: Code = [
    ...rows.flatMap((r) => [0, 1].flatMap((h) => set(accumulator + 2 * r + h, f32x4.splat(0)))),
    ...set(pb, get(b)),
    ...set(kk, get(k)),
    ...countDown(kk, inner),
    ...rows.flatMap((r) => [
      ...f32x4.store(get(pc), get(accumulator + 2 * r)),
      ...f32x4.store(get(pc), get(accumulator + 2 * r + 1), 16),
      ...advance(pc, get(ldc)),
    ]),
  ];
  const body: Code = [
    ...set(column, get(c)),
    ...countDown(nPanels, [
      ...set(pa, get(a)),
      ...set(pc, get(column)),
      ...set(i, get(mPanels)),
      ...countDown(i, tile),
      ...advance(b, mul(get(k), i32(32))),
      ...advance(column, i32(32)),
    ]),
  ];
  return { name: "gemm", params: 7, locals: [...Array(6).fill(I32), ...Array(11).fill(V128)], body };
}

function packColumns(): WasmFunction {
  const [from, step, to, spacing, k, alpha] = Array(6).keys();
  const factor = 6;
  const body: Code = [
    ...set(factor, f32x4.loadSplat(get(alpha))),
    ...countDown(k, [
      ...f32x4.store(get(to), f32x4.mul(f32x4.load(get(from)), get(factor))),
      ...advance(from, get(step)),
      ...advance(to, get(spacing)),
    ]),
  ];
  return { name: "packColumns", params: 6, locals: [V128], body };
}

function packRows(): WasmFunction {
  const [from, line, to, spacing, blocks, alpha, at] = Array(7).keys();
  const factor = 7;
  const [r0, r1, r2, r3] = [8, 9, 10, 11];
  const low = (a: number, b: number) => f32x4.shuffle(get(a), get(b), [0, 4, 1, 5]);
  const high = (a: number, b: number) => f32x4.shuffle(get(a), get(b), [2, 6, 3, 7]);
  const columns = [low, high].flatMap((half) =>
    [
      [0, 1, 4, 5],
      [2, 3, 6, 7],
    ].map((lanes) => f32x4.shuffle(half(r0, r1), half(r2, r3), lanes)),
  );
  const body: Code = [
    ...set(factor, f32x4.loadSplat(get(alpha))),
    ...countDown(blocks, [
      ...set(at, get(from)),
      ...[r0, r1, r2, r3].flatMap((row) => [
        ...set(row, f32x4.mul(f32x4.load(get(at)), get(factor))),
        ...advance(at, get(line)),
      ]),
      ...columns.flatMap((column) => [...f32x4.store(get(to), column), ...advance(to, get(spacing))]),
      ...advance(from, i32(16)),
    ]),
  ];
  return { name: "packRows", params: 6, locals: [I32, V128, V128, V128, V128, V128], body };
}

const LOG2_E = Math.LOG2E;
const LN2_HIGH = 0.693359375;
const LN2_LOW = -0.00021219444005469057;
/** (e^r - 1 - r)/r^2 on [-ln2/2, ln2/2], Taylor coefficients of 1/2! to 1/8! */
const EXP_TAIL = [1 / 2, 1 / 6, 1 / 24, 1 / 120, 1 / 720, 1 / 5040, 1 / 40320];

/** e^x of the local `x`, at most 88, into the local `y`; below -87 it is taken as -87. Uses the local `n`. */
function exp(x: number, y: number, n: number): Code {
  return [
    ...set(x, f32x4.max(get(x), f32x4.splat(-87))),
    ...set(n, f32x4.nearest(f32x4.mul(get(x), f32x4.splat(LOG2_E)))),
    ...set(
      x,
      f32x4.sub(f32x4.sub(get(x), f32x4.mul(get(n), f32x4.splat(LN2_HIGH))), f32x4.mul(get(n), f32x4.splat(LN2_LOW))),
    ),
    ...set(y, polynomial(x, EXP_TAIL)),
    ...set(y, f32x4.add(f32x4.mul(f32x4.mul(get(y), get(x)), get(x)), f32x4.add(get(x), f32x4.splat(1)))),
    ...set(y, f32x4.mul(get(y), i32x4.shiftLeft(i32x4.add(f32x4.toInt(get(n)), i32x4.splat(127)), 23))),
  ];
}

/** Horner's rule; coefficients from the constant upwards. */
function polynomial(x: number, coefficients: number[]): Code {
  const [first, ...rest] = coefficients.toReversed();
  return rest.reduce((code, c) => f32x4.add(f32x4.mul(code, get(x)), f32x4.splat(c)), f32x4.splat(first));
}

function softmaxRows(): WasmFunction {
  const [p, rows, groups, at, count] = Array(5).keys();
  const [x, y, n, total] = [5, 6, 7, 8];
  const largest = 9;
  const eachGroup = (body: Code): Code => [
    ...set(at, get(p)),
    ...set(count, get(groups)),
    ...countDown(count, [...body, ...advance(at, i32(16))]),
  ];
  const across = (local: number, op: (a: Code, b: Code) => Code): Code =>
    [2, 1].flatMap((by) =>
      set(local, op(get(local), f32x4.shuffle(get(local), get(local), [by, by + 1, by + 2, by + 3]))),
    );
  const body = countDown(rows, [
    ...set(largest, f32x4.load(get(p))),
    ...eachGroup(set(largest, f32x4.max(get(largest), f32x4.load(get(at))))),
    ...across(largest, f32x4.max),
    ...set(total, f32x4.splat(0)),
    ...eachGroup([
      ...set(x, f32x4.sub(f32x4.load(get(at)), get(largest))),
      ...exp(x, y, n),
      ...f32x4.store(get(at), get(y)),
      ...set(total, f32x4.add(get(total), get(y))),
    ]),
    ...across(total, f32x4.add),
    ...set(total, f32x4.div(f32x4.splat(1), get(total))),
    ...eachGroup(f32x4.store(get(at), f32x4.mul(f32x4.load(get(at)), get(total)))),
    ...set(p, get(at)),
  ]);
  return { name: "softmaxRows", params: 3, locals: [I32, I32, V128, V128, V128, V128, V128], body };
}

function softmaxGrad(): WasmFunction {
  const [p, dp, d, rows, groups, count] = Array(6).keys();
  const shift = 6;
  const body = countDown(rows, [
    ...set(shift, f32x4.loadSplat(get(d))),
    ...set(count, get(groups)),
    ...countDown(count, [
      ...f32x4.store(get(dp), f32x4.mul(f32x4.load(get(p)), f32x4.sub(f32x4.load(get(dp)), get(shift)))),
      ...advance(p, i32(16)),
      ...advance(dp, i32(16)),
    ]),
    ...advance(d, i32(4)),
  ]);
  return { name: "softmaxGrad", params: 5, locals: [I32, V128], body };
}

/**
 * Phi(-x) e^(x^2/2) for x >= 0 as a polynomial in t = 1/(1 + 0.475 x), fitted by least squares of the relative error
 * on Chebyshev nodes of 0 <= x <= 13: within 7e-8, evaluated in float32 within 3e-7.
 */
const TAIL_SLOPE = 0.475;
const TAIL = [
  -2.7717184685601003e-7, 0.1895282991969621, 0.18876337142377592, 0.15492084745269913, 0.009585026464840399,
  0.1605939191822575, -0.5625735195512276, 0.5829754655191487, -0.275508625139215, 0.051715527110230336,
];
const INVERSE_SQRT_TWO_PI = 0.3989422804014327;

/** e^(-x^2/2) of the local `x` into `density` (unnormalised) and Phi(x) into `phi`. */
function normal(x: number, phi: number, density: number, t: number, n: number): Code {
  return [
    ...set(t, f32x4.min(f32x4.abs(get(x)), f32x4.splat(12))),
    ...set(phi, f32x4.mul(f32x4.mul(get(t), get(t)), f32x4.splat(-0.5))),
    ...exp(phi, density, n),
    ...set(t, f32x4.div(f32x4.splat(1), f32x4.add(f32x4.splat(1), f32x4.mul(get(t), f32x4.splat(TAIL_SLOPE))))),
    ...set(phi, f32x4.mul(get(density), polynomial(t, TAIL))),
    ...set(
      phi,
      f32x4.select(f32x4.sub(f32x4.splat(1), get(phi)), get(phi), f32x4.greaterEqual(get(x), f32x4.splat(0))),
    ),
  ];
}

function gelu(): WasmFunction {
  const [x, y, groups] = Array(3).keys();
  const [value, phi, density, t, n] = [3, 4, 5, 6, 7];
  const body = countDown(groups, [
    ...set(value, f32x4.load(get(x))),
    ...normal(value, phi, density, t, n),
    ...f32x4.store(get(y), f32x4.mul(get(value), get(phi))),
    ...advance(x, i32(16)),
    ...advance(y, i32(16)),
  ]);
  return { name: "gelu", params: 3, locals: Array(5).fill(V128), body };
}

function geluGrad(): WasmFunction {
  const [x, dy, dx, groups] = Array(4).keys();
  const [value, phi, density, t, n] = [4, 5, 6, 7, 8];
  const slope = f32x4.add(get(phi), f32x4.mul(get(value), f32x4.mul(get(density), f32x4.splat(INVERSE_SQRT_TWO_PI))));
  const body = countDown(groups, [
    ...set(value, f32x4.load(get(x))),
    ...normal(value, phi, density, t, n),
    ...f32x4.store(get(dx), f32x4.mul(f32x4.load(get(dy)), slope)),
    ...[x, dy, dx].flatMap((local) => advance(local, i32(16))),
  ]);
  return { name: "geluGrad", params: 4, locals: Array(5).fill(V128), body };
}
