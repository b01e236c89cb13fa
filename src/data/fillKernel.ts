/** The loops of `fill` by WebAssembly, from chunks into batches that lie in one memory of it. */
import { assemble } from "../formats/wasm.js";
import { compile, instantiate, MOST_WASM_PAGES } from "../formats/wasmHost.js";
import type { Room, SharedChunks } from "./cache/sharedChunks.js";
import { fillLoop, ROW, RUN, SPAN } from "./fillLoop.js";
import type { Norm } from "./fillPlain.js";
import type { FillPlan } from "./fillPlan.js";
import type { Values } from "./zarr/array.js";

/** In the own part, in bytes: the vector of `bad` and what was looked at, mean and standard deviation, tables. */
const [BAD, MEAN, STD, TABLES] = [0, 32, 40, 64];

type Loop = (...numbers: number[]) => void;
const modules: { shared?: object; own?: object } = {};

/** Assembled once a thread. */
function moduleFor(shared: boolean): object {
  const make = () =>
    compile(assemble([fillLoop("fill", false), fillLoop("fillLocal", true)], shared ? MOST_WASM_PAGES : undefined));
  if (shared) modules.shared ??= make();
  else modules.own ??= make();
  return (shared ? modules.shared : modules.own) as object;
}

export class FillKernel {
  private readonly loops: { fill: Loop; fillLocal: Loop };
  private readonly words: Int32Array;
  private readonly norms: Float64Array;
  private readonly flags: Float32Array;
  private tables = { rows: 0, runs: 0, spans: 0 };
  private plan: FillPlan | null = null;

  constructor(private readonly room: Room) {
    const { memory, at, bytes } = room;
    const module = moduleFor(!(memory.buffer instanceof ArrayBuffer));
    this.loops = instantiate(module, memory);
    this.words = new Int32Array(memory.buffer, at, Math.floor(bytes / 4));
    this.norms = new Float64Array(memory.buffer, at + MEAN, 2);
    this.flags = new Float32Array(memory.buffer, at + BAD, 4);
  }

  /** Gets ready for some times of one level. @returns false if values are of another kind or place, or too many */
  begin(plan: FillPlan, values: Values, out: Float32Array, norms: Iterable<Values>, local: boolean): boolean {
    if (!(values instanceof Float32Array && this.room.holds(values.buffer) && this.room.holds(out.buffer)))
      return false;
    if (local) {
      for (const norm of norms) if (!(norm instanceof Float64Array) || !this.room.holds(norm.buffer)) return false;
    }
    if (plan === this.plan) return true;
    const { rows, runs, spans } = plan;
    const words = TABLES / 4;
    const [first, second] = [words + rows.length, words + rows.length + runs.length];
    if (4 * (second + spans.length) > this.room.bytes / 2) return false;
    this.words.set(rows, words);
    this.words.set(runs, first);
    this.words.set(spans, second);
    this.tables = { rows: words, runs: first, spans: second };
    this.plan = plan;
    return true;
  }

  /** One time, as `fillPlain`, of the plan that `begin` was given. @returns 0 unless a result is NaN or infinite */
  time(values: Values, from: number, out: Float32Array, to: number, { mean, std, local }: Norm): number {
    const { rows, runs, spans } = this.plan!;
    const { at } = this.room;
    const address = (word: number) => at + 4 * word;
    if (!local) this.norms.set([mean[0], std[0]]);
    this.loops[local ? "fillLocal" : "fill"](
      values.byteOffset + 4 * from,
      out.byteOffset + 4 * to,
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
