/** The spread of each grid point of a token over a level, by which noise is scaled. */
import { assemble } from "../formats/wasm.js";
import type { LevelLayout } from "./apply.js";
import { LANES, spreadLoops } from "./spreadLoop.js";

/**
 * Standard deviation (unbiased) of each grid point of a token over all tokens of a level, in plain TypeScript: what
 * `pointwiseStd` gives, bit for bit.
 * @returns [D]; zeros for a single token
 */
export function pointwiseStdPlain(layout: LevelLayout): Float64Array {
  const D = layout.tokenSize[0] * layout.tokenSize[1] * layout.tokenSize[2];
  const squares = new Float64Array(D);
  const n = layout.B * layout.N;
  if (n < 2) return squares;
  const mean = new Float64Array(D);
  const { source, start, stride, B, N } = layout;
  for (let b = 0; b < B; b++) addValues(source, start + b * stride, N, D, mean);
  for (let d = 0; d < D; d++) mean[d] /= n;
  for (let b = 0; b < B; b++) addSquares(source, start + b * stride, N, D, mean, squares);
  for (let d = 0; d < D; d++) squares[d] = Math.sqrt(squares[d] / (n - 1));
  return squares;
}

/** sums[d] += x[from + n*D + d], in the order of the tokens; eight of them at once, their sum in a register. */
function addValues(x: Float32Array, from: number, N: number, D: number, sums: Float64Array): void {
  let n = 0;
  for (; n + 8 <= N; n += 8) {
    const a = from + n * D;
    const [b, c, e, f, g, h, i] = [a + D, a + 2 * D, a + 3 * D, a + 4 * D, a + 5 * D, a + 6 * D, a + 7 * D];
    for (let d = 0; d < D; d++) {
      sums[d] = sums[d] + x[a + d] + x[b + d] + x[c + d] + x[e + d] + x[f + d] + x[g + d] + x[h + d] + x[i + d];
    }
  }
  for (; n < N; n++) for (let d = 0; d < D; d++) sums[d] += x[from + n * D + d];
}

/** sums[d] += (x[from + n*D + d] - mean[d])^2, as `addValues`. */
function addSquares(x: Float32Array, from: number, N: number, D: number, mean: Float64Array, sums: Float64Array): void {
  let n = 0;
  for (; n + 4 <= N; n += 4) {
    const a = from + n * D;
    const [b, c, e] = [a + D, a + 2 * D, a + 3 * D];
    for (let d = 0; d < D; d++) {
      const m = mean[d];
      const p = x[a + d] - m;
      const q = x[b + d] - m;
      const r = x[c + d] - m;
      const s = x[e + d] - m;
      sums[d] = sums[d] + p * p + q * q + r * r + s * s;
    }
  }
  for (; n < N; n++) {
    for (let d = 0; d < D; d++) {
      const p = x[from + n * D + d] - mean[d];
      sums[d] += p * p;
    }
  }
}

/** Values copied at once into the loops' memory: they stay in the processor's cache until they are summed. */
const BLOCK = 65536;
const PAGE = 65536;

/** The part that is used; TypeScript has the types with those of browsers alone. */
declare const WebAssembly: {
  Memory: new (limits: { initial: number }) => { buffer: ArrayBuffer; grow(pages: number): number };
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object, imports: object) => { exports: Record<string, unknown> };
};

type Loop = (tokens: number, count: number, bytes: number, blocks: number, sums: number, means: number) => void;

function open() {
  const memory = new WebAssembly.Memory({ initial: 1 });
  const module = new WebAssembly.Module(assemble(spreadLoops));
  const { sum, squares } = new WebAssembly.Instance(module, { env: { memory } }).exports;
  return { memory, sum: sum as Loop, squares: squares as Loop };
}

let loops: ReturnType<typeof open> | null = null;

/**
 * Standard deviation (unbiased) of each grid point of a token over all tokens of a level. Tokens are copied block by block
 * to where a loop of WebAssembly sums them, two points at once, each in the order of the tokens.
 * @returns [D]; zeros for a single token
 */
export function pointwiseStd(layout: LevelLayout): Float64Array {
  const D = layout.tokenSize[0] * layout.tokenSize[1] * layout.tokenSize[2];
  const n = layout.B * layout.N;
  if (n < 2) return new Float64Array(D);
  loops ??= open();
  const { memory, sum, squares } = loops;
  const width = Math.ceil(D / LANES) * LANES;
  const perBlock = Math.max(1, Math.floor(BLOCK / D));
  // lanes beyond the last point of a token read on; nobody looks at their sums
  const bytes = 16 * width + 4 * (perBlock * D + LANES);
  const missing = bytes - memory.buffer.byteLength;
  if (missing > 0) memory.grow(Math.ceil(missing / PAGE));
  const sums = new Float64Array(memory.buffer, 0, width);
  const means = new Float64Array(memory.buffer, 8 * width, width);
  const tokens = new Float32Array(memory.buffer, 16 * width, perBlock * D);
  const { source, start, stride, B, N } = layout;
  const over = (loop: Loop) => {
    sums.fill(0);
    for (let b = 0; b < B; b++) {
      for (let first = 0; first < N; first += perBlock) {
        const count = Math.min(perBlock, N - first);
        const from = start + b * stride + first * D;
        tokens.set(source.subarray(from, from + count * D));
        loop(tokens.byteOffset, count, 4 * D, width / LANES, 0, means.byteOffset);
      }
    }
  };
  over(sum);
  for (let d = 0; d < D; d++) means[d] = sums[d] / n;
  over(squares);
  return Float64Array.from({ length: D }, (_, d) => Math.sqrt(sums[d] / (n - 1)));
}
