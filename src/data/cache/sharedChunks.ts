/**
 * Decoded chunks in memory that all threads of a process share: each is decoded once, whichever thread asks for it, and
 * all of them together stay below one bound.
 *
 * The memory is one `WebAssembly.Memory` with `shared`, so that kernels of WebAssembly and native libraries work on chunks
 * where they lie (`kernelRoom`): a chunk's `values` are a view of `memory.buffer`, its `values.byteOffset` the address within. The memory
 * grows as it is filled; a buffer got before is then a shorter view of the same memory, still good. First come parts of
 * the threads' own, then chunks, up to their bound, then arrays of batches (`lend`), so that kernels write them too.
 */
import { grownTo, type SharedMemory, sharedMemory, WASM_PAGE } from "../../formats/wasmHost.js";
import { Blocks } from "./blocks.js";
import { ChunkTable, MOST_THREADS, makeTable, type Pinned } from "./table.js";

/** Decoded values: float64 where the store holds float64, float32 for every other kind of number. */
export type Values = Float32Array | Float64Array;

/** A value in use. */
export interface Chunk {
  /** not to be written to, and not to be looked at after `release` */
  values: Values;
  /** To be called once, when the values have been used: only then may others take their place. */
  release(): void;
}

/** A value that is asked for. */
export interface Wanted {
  /** the array's name, or another kind of value's: one of those that the cache was made for */
  name: string;
  /** which of its chunks */
  index: number;
  length: number;
  itemBytes: 4 | 8;
  /** Writes every value. @throws what whoever asks is to see */
  load(into: Values): Promise<void>;
}

/** What another thread needs to share a cache; crosses threads. */
export interface SharedHandle {
  /** null: nothing is kept */
  arena: Arena | null;
  names: readonly string[];
  thread: number;
  /** how many threads share it */
  threads: number;
  mostAtOnce: number;
}

/** Memory grows by steps of this many pages: each is a call of the system. */
const STEP = 256;
/** Bytes behind an array of a batch that kernels may read, so that their last step is like every other. */
const PAD = 16;
/** In front of all values each thread has this many pages of its own, for kernels; the system gives them when they are used. */
const OWN_PAGES = 16;
const FRONT_PAGES = OWN_PAGES * MOST_THREADS;
const MOST_PAGES = 65535;
/** Room for batches that no bound of chunks takes away. */
const BATCH_PAGES = 16384;
const MOST_BYTES = (MOST_PAGES - BATCH_PAGES - FRONT_PAGES) * WASM_PAGE;
/** Smaller values than these, on average, do not fill the memory. */
const USUAL_BYTES = 32768;
const MOST_ENTRIES = 16384;

/** Values that a thread has asked for at once, at most, unless the cache is told otherwise. */
const MOST_AT_ONCE = 8;

/** A memory with values in it, and the part of it that is one thread's own. */
export interface Room {
  memory: { readonly buffer: ArrayBufferLike };
  /** in bytes, from a multiple of 16; all of it is there */
  at: number;
  bytes: number;
  /** true if the buffer is the memory's, as it is or was before it grew */
  holds(buffer: ArrayBufferLike): boolean;
}

/** Memory and table of a bound. */
export interface Arena {
  limit: number;
  memory: SharedMemory;
  table: Int32Array;
}

/**
 * Arenas of stores that were closed, for stores to come: their pages are there already, and collecting them would wait
 * for a garbage collection that does not know their size.
 */
const spare: Arena[] = [];
const MOST_SPARE = 1;

function takeArena(limit: number): Arena {
  const found = spare.findIndex((arena) => arena.limit === limit);
  if (found >= 0) return spare.splice(found, 1)[0];
  const entries = Math.min(MOST_ENTRIES, Math.max(16, Math.ceil(limit / USUAL_BYTES)));
  const memory = sharedMemory(FRONT_PAGES, MOST_PAGES);
  return { limit, memory, table: makeTable(limit, entries) };
}

/** Where chunks end and batches begin. */
const chunkPages = (limit: number): number => FRONT_PAGES + Math.max(1, Math.ceil(limit / WASM_PAGE));

export class SharedChunks {
  private arena: Arena | null = null;
  private table: ChunkTable | null = null;
  /** behind the chunks; null in other threads than the one that made the cache */
  private blocks: Blocks | null = null;
  private ownRoom: Room | null = null;
  private closed = false;
  /** made by another thread */
  private joined = false;
  /** what this thread is loading into the cache */
  private readonly underway = new Map<string, Promise<void>>();
  /** of the memory as it grew, that values of this thread lie in */
  private readonly buffers = new WeakSet<ArrayBufferLike>();
  /** of the threads that share this cache, by their numbers; this one is 0 */
  private readonly taken = new Set([0]);
  /** at least so many share it */
  private threads = 1;

  /**
   * @param maxBytes of all values together, up to 3 GiB; a value for which there is no room is handed out but not kept
   * @param names of all kinds of values that will be asked for
   * @param mostAtOnce values that a thread asks for at once: enough to hide the way to where they come from
   */
  constructor(
    maxBytes: number,
    private readonly names: readonly string[],
    private readonly mostAtOnce = MOST_AT_ONCE,
  ) {
    this.maxBytes = Math.min(MOST_BYTES, Math.max(0, Math.floor(maxBytes)));
  }

  readonly maxBytes: number;

  /** The cache of another thread. */
  static join({ arena, names, thread, threads, mostAtOnce }: SharedHandle): SharedChunks {
    const joined = new SharedChunks(arena?.limit ?? 0, names, mostAtOnce);
    joined.joined = true;
    joined.threads = threads;
    joined.arena = arena;
    joined.table = arena && new ChunkTable(arena.table, thread);
    return joined;
  }

  /** bytes held */
  get bytes(): number {
    return this.table?.bytes ?? 0;
  }

  /** looks that found a value, by all threads */
  get hits(): number {
    return this.table?.hits ?? 0;
  }

  /** values loaded into the cache, by all threads */
  get loads(): number {
    return this.table?.loads ?? 0;
  }

  /** For `count` threads that shall share the cache, or as many as may. Call `leave` when one has ended. */
  share(count: number): SharedHandle[] {
    const { names, mostAtOnce } = this;
    if (!this.open()) {
      return Array.from({ length: count }, () => ({ arena: null, names, thread: 0, threads: 1, mostAtOnce }));
    }
    const free = Array.from({ length: MOST_THREADS }, (_, n) => n).filter((n) => !this.taken.has(n));
    const threads = free.slice(0, count);
    for (const thread of threads) this.taken.add(thread);
    const { arena } = this;
    return threads.map((thread) => ({ arena, names, thread, threads: this.taken.size, mostAtOnce }));
  }

  /**
   * How many values of so many bytes this thread may have read ahead: so many that what all threads hold and have read
   * ahead lies in half of the memory, and nothing is dropped before it is used.
   */
  room(bytes: number): number {
    return Math.floor(this.maxBytes / 2 / Math.max(this.threads, this.taken.size) / bytes);
  }

  /** How many of them it may hold and have asked for at once. */
  atOnce(bytes: number): number {
    return Math.max(2, Math.min(this.mostAtOnce, this.room(bytes)));
  }

  /** A thread that shared the cache has ended; what it held and was loading goes, if it had no time for that. */
  leave(thread: number): void {
    if (thread === 0) return;
    this.taken.delete(thread);
    this.table?.abandon(thread);
  }

  /**
   * The value, loaded unless some thread has loaded it, or is about to. A load that fails is not kept: whoever waited for
   * it tries again by itself.
   * @throws what `load` throws
   */
  async hold(wanted: Wanted): Promise<Chunk> {
    const { name, index, length, itemBytes } = wanted;
    const key = { space: this.names.indexOf(name), index };
    if (key.space < 0) throw new Error(`the cache was not made for ${name}`);
    const table = this.open();
    const label = `${key.space} ${index}`;
    while (table) {
      await this.underway.get(label);
      const found = table.acquire(key, length * itemBytes);
      if (found === null) break;
      if (found === "wait") {
        // Not in place: this thread may be loading what the other one needs.
        await new Promise((resolve) => setTimeout(resolve, 1));
        continue;
      }
      const values = this.view(found, wanted);
      if (!values) {
        if (found.fresh) table.drop(found);
        else table.unpin(found);
        break;
      }
      if (!found.fresh) return chunkOf(table, found, values);
      const loading = this.fill(table, found, values, wanted);
      const settled = loading.then(noop, noop);
      this.underway.set(label, settled);
      try {
        return await loading;
      } finally {
        this.underway.delete(label);
      }
    }
    const values = itemBytes === 8 ? new Float64Array(length) : new Float32Array(length);
    await wanted.load(values);
    return { values, release: noop };
  }

  /** The memory, and this thread's own part of it: for kernels that work on values where they lie. */
  get kernelRoom(): Room | null {
    const table = this.open();
    if (!table) return null;
    const bytes = OWN_PAGES * WASM_PAGE;
    const holds = (buffer: ArrayBufferLike) => this.buffers.has(buffer);
    this.ownRoom ??= { memory: this.arena!.memory, at: table.thread * bytes, bytes, holds };
    return this.ownRoom;
  }

  /**
   * An array of `length` values in the memory, whatever they are, until it is taken back. Arrays that are not taken back
   * before the cache is closed stay good, but the memory serves no other cache then.
   * @returns null where there is no room, and in other threads than the one that made the cache
   */
  lend(length: number): Float32Array | null {
    const at = this.open() && this.blocks?.lend(4 * length + PAD);
    if (typeof at !== "number") return null;
    const buffer = this.reach(at + 4 * length + PAD);
    if (buffer) return new Float32Array(buffer, at, length);
    this.blocks?.takeBack(at);
    return null;
  }

  /** Takes back what was lent: nobody may look at it any more. */
  takeBack({ byteOffset }: Float32Array): void {
    this.blocks?.takeBack(byteOffset);
  }

  /** An array that another thread was lent, as kernels of this one know it; any other as it is. */
  known(array: Float32Array): Float32Array {
    const { byteOffset, length } = array;
    const buffer = byteOffset > 0 && this.arena ? this.reach(byteOffset + 4 * length + PAD) : null;
    return buffer ? new Float32Array(buffer, byteOffset, length) : array;
  }

  /** Ends when nothing is being written into the memory by this thread any more. */
  async settled(): Promise<void> {
    while (this.underway.size > 0) await Promise.all(this.underway.values());
  }

  /** Ends this thread's use; the memory of a cache that nobody else uses serves the next one of the same bound. */
  async close(): Promise<void> {
    await this.settled();
    if (this.joined) return;
    const { arena, table } = this;
    const unused = this.taken.size === 1 && this.blocks?.whole;
    this.arena = null;
    this.table = null;
    this.closed = true;
    if (arena && unused && table?.clear() && spare.length < MOST_SPARE) spare.push(arena);
  }

  private open(): ChunkTable | null {
    if (!this.arena && this.maxBytes > 0 && !this.closed) {
      this.arena = takeArena(this.maxBytes);
      this.table = new ChunkTable(this.arena.table, 0);
      this.blocks = new Blocks(chunkPages(this.maxBytes) * WASM_PAGE, MOST_PAGES * WASM_PAGE);
    }
    return this.table;
  }

  private async fill(table: ChunkTable, place: Pinned, values: Values, { load }: Wanted): Promise<Chunk> {
    try {
      await load(values);
    } catch (error) {
      table.drop(place);
      throw error;
    }
    table.ready(place);
    return chunkOf(table, place, values);
  }

  /** null where the system has no memory for it */
  private view({ at }: Pinned, { length, itemBytes }: Wanted): Values | null {
    const from = FRONT_PAGES * WASM_PAGE + at;
    const buffer = this.reach(from + length * itemBytes);
    if (!buffer) return null;
    return itemBytes === 8 ? new Float64Array(buffer, from, length) : new Float32Array(buffer, from, length);
  }

  /** The memory, grown up to there; null where the system has none. */
  private reach(end: number): SharedArrayBuffer | null {
    const buffer = grownTo(this.arena!.memory, end, MOST_PAGES, STEP);
    if (buffer) this.buffers.add(buffer);
    return buffer;
  }
}

function chunkOf(table: ChunkTable, place: Pinned, values: Values): Chunk {
  let released = false;
  return {
    values,
    release() {
      if (!released) table.unpin(place);
      released = true;
    },
  };
}

const noop = (): void => {};
