/** What masking does to all tokens of a level, by WebAssembly where they lie in a memory of it. */
import type { Room } from "../data/cache/sharedChunks.js";
import { assemble } from "../formats/wasm.js";
import { compile, instantiate, MOST_WASM_PAGES } from "../formats/wasmHost.js";
import { type DrawNormals, NOISE_SCALE } from "./apply.js";
import type { LevelChoice } from "./choice.js";
import { AT_ONCE, ENTRY, LANES, tokenLoops } from "./tokenLoops.js";
import { type LevelLayout, placeOf, TOKEN_KIND } from "./types.js";

type Sum = (tokens: number, groups: number, sums: number, means: number) => void;
interface Loops {
  noise: (entries: number, count: number, keeps: number, scales: number, normals: number) => void;
  sum: Sum;
  squares: Sum;
  sumOne: Sum;
  squaresOne: Sum;
  take: (entries: number, count: number, out: number) => void;
}

/** Of all kernels of this thread, by the size of a token. */
const modules = new Map<number, object>();

export class TokenKernel {
  private readonly loops: Loops;
  /** in bytes: the kernel's half of the thread's part of the memory; the other one is that of loops that read chunks */
  private readonly at: number;
  private readonly bytes: number;

  constructor(
    private readonly room: Room,
    private readonly D: number,
  ) {
    const { memory } = room;
    this.bytes = room.bytes / 2;
    this.at = room.at + this.bytes;
    const module = modules.get(D) ?? compile(assemble(tokenLoops(D), MOST_WASM_PAGES));
    modules.set(D, module);
    this.loops = instantiate(module, memory);
  }

  /** `pointwiseStd` of a level, bit for bit. @returns [D]; zeros for a single token */
  pointwiseStd({ source, start, stride, B, N }: LevelLayout): Float64Array {
    const { D, at, loops } = this;
    const n = B * N;
    if (n < 2) return new Float64Array(D);
    const width = Math.ceil(D / LANES) * LANES;
    const sums = new Float64Array(this.room.memory.buffer, at, width);
    const means = new Float64Array(this.room.memory.buffer, at + 8 * width, width);
    const over = (several: Sum, one: Sum) => {
      sums.fill(0);
      for (let b = 0; b < B; b++) {
        const tokens = source.byteOffset + 4 * (start + b * stride);
        const groups = Math.floor(N / AT_ONCE);
        const done = groups * AT_ONCE;
        if (groups > 0) several(tokens, groups, at, at + 8 * width);
        if (done < N) one(tokens + 4 * D * done, N - done, at, at + 8 * width);
      }
    };
    over(loops.sum, loops.sumOne);
    for (let d = 0; d < D; d++) means[d] = sums[d] / n;
    over(loops.squares, loops.squaresOne);
    return Float64Array.from({ length: D }, (_, d) => Math.sqrt(sums[d] / (n - 1)));
  }

  /**
   * Copies the chosen tokens of a level to `out`, from its value `to` on, and sets those to 0 that are to be masked.
   * @param choice no token twice
   */
  take(layout: LevelLayout, { idx, kind }: LevelChoice, out: Float32Array, to: number): void {
    const { D, at } = this;
    const place = placeOf(layout);
    const most = Math.floor(this.bytes / (4 * ENTRY));
    const entries = new Int32Array(this.room.memory.buffer, at, most * ENTRY);
    for (let first = 0; first < idx.length; first += most) {
      const count = Math.min(most, idx.length - first);
      for (let i = 0; i < count; i++) {
        entries[ENTRY * i] = layout.source.byteOffset + 4 * place(idx[first + i]);
        entries[ENTRY * i + 1] = kind[first + i] & TOKEN_KIND.masked;
      }
      this.loops.take(at, count, out.byteOffset + 4 * (to + first * D));
    }
  }

  /**
   * Noises the tokens of a level that are to be, as `applyChoice`.
   * @param draw fills an array with the next normal numbers
   */
  noise(layout: LevelLayout, { idx, kind, noiseWeights }: LevelChoice, std: Float64Array, draw: DrawNormals): void {
    const { D, at } = this;
    const { buffer } = this.room.memory;
    const place = placeOf(layout);
    const width = Math.ceil(D / LANES) * LANES;
    const most = Math.floor((this.bytes - 8 * width) / (4 * ENTRY + 8 + 4 * D)) - 1;
    const [keepsAt, entriesAt] = [at + 8 * width, at + 8 * (width + most)];
    const normalsAt = entriesAt + 4 * ENTRY * most;
    new Float64Array(buffer, at, D).set(std.map((value) => NOISE_SCALE * value));
    const keeps = new Float64Array(buffer, keepsAt, most);
    const entries = new Int32Array(buffer, entriesAt, most * ENTRY);
    let [count, done] = [0, 0];
    const flush = () => {
      draw(new Float32Array(buffer, normalsAt, count * D));
      this.loops.noise(entriesAt, count, keepsAt, at, normalsAt);
      count = 0;
    };
    for (let m = 0; m < idx.length; m++) {
      if (!(kind[m] & TOKEN_KIND.noised)) continue;
      entries[ENTRY * count] = layout.source.byteOffset + 4 * place(idx[m]);
      keeps[count++] = 1 - noiseWeights[done++];
      if (count === most) flush();
    }
    if (count > 0) flush();
  }
}

const kernels = new WeakMap<Room, Map<number, TokenKernel>>();

/** This thread's kernel for tokens of `D` values; null unless all the arrays lie in the room's memory. */
export function tokenKernel(room: Room | null | undefined, D: number, ...arrays: Float32Array[]): TokenKernel | null {
  if (!room || 16 * (D + LANES) > room.bytes / 2 || !arrays.every(({ buffer }) => room.holds(buffer))) return null;
  const ofRoom = kernels.get(room) ?? new Map<number, TokenKernel>();
  kernels.set(room, ofRoom);
  const kernel = ofRoom.get(D) ?? new TokenKernel(room, D);
  ofRoom.set(D, kernel);
  return kernel;
}
