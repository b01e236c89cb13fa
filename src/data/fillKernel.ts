/**
 * The loops of `fill` by WebAssembly, on chunks that lie in a memory of it: no value is copied to be computed with. Tokens
 * of one time are put together beside the chunks, then copied to the batch at once.
 */
import { assemble } from "../formats/wasm.js";
import type { Room, SharedChunks } from "./cache/sharedChunks.js";
import { fillLoop, ROW, RUN, SPAN } from "./fillLoop.js";
import type { FillPlan } from "./fillPlan.js";
import type { TokenLayout } from "./tokens.js";
import type { Values } from "./zarr/array.js";

/** The part that is used; TypeScript has the types with those of browsers alone. */
declare const WebAssembly: {
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object, imports: object) => { exports: Record<string, unknown> };
};

/** Pages of the largest memory. */
const MOST_PAGES = 65536;
/** In the own part, in bytes: the vector of `bad` and what was looked at, mean and standard deviation, tables. */
const [BAD, MEAN, STD, TABLES] = [0, 32, 40, 64];

type Loop = (...numbers: number[]) => void;
const modules: { shared?: object; own?: object } = {};

/** Assembled once a thread. */
function moduleFor(shared: boolean): object {
  const make = () =>
    new WebAssembly.Module(
      assemble([fillLoop("fill", false), fillLoop("fillLocal", true)], shared ? MOST_PAGES : undefined),
    );
  if (shared) modules.shared ??= make();
  else modules.own ??= make();
  return (shared ? modules.shared : modules.own) as object;
}

export class FillKernel {
  private readonly loops: { fill: Loop; fillLocal: Loop };
  private readonly words: Int32Array;
  private readonly norms: Float64Array;
  private readonly flags: Float32Array;
  private tables = { rows: 0, runs: 0, spans: 0, tokens: 0 };
  private plan: FillPlan | null = null;

  constructor(private readonly room: Room) {
    const { memory, at, bytes } = room;
    const module = moduleFor(!(memory.buffer instanceof ArrayBuffer));
    this.loops = new WebAssembly.Instance(module, { env: { memory } }).exports as FillKernel["loops"];
    this.words = new Int32Array(memory.buffer, at, Math.floor(bytes / 4));
    this.norms = new Float64Array(memory.buffer, at + MEAN, 2);
    this.flags = new Float32Array(memory.buffer, at + BAD, 4);
  }

  /** Gets ready for some times of one level. @returns false if the values are of another kind or place, or too many */
  begin(
    plan: FillPlan,
    { sizePerTime }: TokenLayout,
    values: Values,
    norms: Iterable<Values>,
    local: boolean,
  ): boolean {
    if (!(values instanceof Float32Array) || !this.room.holds(values.buffer)) return false;
    if (local) {
      for (const norm of norms) if (!(norm instanceof Float64Array) || !this.room.holds(norm.buffer)) return false;
    }
    const { rows, runs, spans } = plan;
    const [first, second, third] = [rows.length, rows.length + runs.length, rows.length + runs.length + spans.length];
    if (TABLES + 4 * (third + sizePerTime) > this.room.bytes) return false;
    const words = TABLES / 4;
    this.words.set(rows, words);
    this.words.set(runs, words + first);
    this.words.set(spans, words + second);
    this.tables = { rows: words, runs: words + first, spans: words + second, tokens: words + third };
    this.plan = plan;
    return true;
  }

  /** One time, to its place `to` among the tokens of its time. @returns 0 unless a result is NaN or infinite */
  time(values: Values, from: number, to: number, { mean, std, local }: { mean: Values; std: Values; local: boolean }) {
    const { rows, runs, spans } = this.plan!;
    const { at } = this.room;
    const address = (word: number) => at + 4 * word;
    if (!local) this.norms.set([mean[0], std[0]]);
    this.loops[local ? "fillLocal" : "fill"](
      values.byteOffset + 4 * from,
      address(this.tables.tokens + to),
      local ? mean.byteOffset : at + MEAN,
      local ? std.byteOffset : at + STD,
      address(this.tables.rows),
      rows.length / ROW,
      address(this.tables.runs),
      runs.length / RUN,
      address(this.tables.spans),
      spans.length / SPAN,
      at + BAD,
    );
    return this.flags[0] + this.flags[1] + this.flags[2] + this.flags[3];
  }

  /** Copies all the tokens of a time into a batch. */
  giveTokens(out: Float32Array, to: number, size: number): void {
    out.set(this.made(0, size), to);
  }

  /** Copies the points of one time that lie in the chunk, and no others: they may be another thread's to write. */
  giveTime(out: Float32Array, to: number, offset: number, size: number): void {
    const { rows, runs } = this.plan!;
    const made = this.made(offset, size - offset);
    for (let y = 0; y < rows.length; y += ROW) {
      for (let r = 0; r < runs.length; r += RUN) {
        const at = rows[y + 2] + runs[r + 3];
        for (let x = at; x < at + runs[r]; x++) out[to + x] = made[x];
      }
    }
  }

  private made(offset: number, length: number): Float32Array {
    return new Float32Array(this.words.buffer, this.words.byteOffset + 4 * (this.tables.tokens + offset), length);
  }
}

const kernels = new WeakMap<SharedChunks, FillKernel>();

/** This thread's kernel for the chunks of a cache; null if it keeps none. */
export function kernelOf(cache: SharedChunks): FillKernel | null {
  const found = kernels.get(cache);
  if (found) return found;
  const room = cache.kernelRoom;
  if (!room) return null;
  const kernel = new FillKernel(room);
  kernels.set(cache, kernel);
  return kernel;
}
