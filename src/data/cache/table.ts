/**
 * What lies where in a piece of memory that threads share: the table of a cache. All of it is numbers in shared memory,
 * changed under one lock, so that every thread sees the same entries. No values here: `sharedChunks.ts` has them.
 *
 * An entry has a key of two numbers, a place, a state and a count of pins. What is loading or pinned stays; of the rest
 * the least recently used goes when another needs room. Entries are ordered by their place too, so that a gap is what
 * lies between neighbours. An entry is named by where its numbers begin; 0 is none.
 */
import { AtmorepError } from "../../errors.js";

/** Places and lengths are counted in these, so that they fit 32 bits and every value begins on a cache line. */
export const UNIT_BYTES = 64;

/** Threads that may share one table; the first is the one that made it. */
export const MOST_THREADS = 33;
/** Pins that one thread may hold at once. */
const MOST_PINS = 1024;

/** Threads wait no longer than this for the lock, which is held for microseconds: whoever has it then has died. */
const LOCK_MS = 10_000;

const [LOCK, BROKEN, LIMIT, USED, HITS, LOADS, OLDEST, NEWEST, LAST, FREE, FRESH, END] = Array(12).keys();
const [SHAPE_ENTRIES, SHAPE_BUCKETS] = [12, 13];
const HEADER = 16;

const [STATE, SPACE, HIGH, LOW, START, UNITS, PINS, LOADER, OLDER, NEWER, BEFORE, AFTER, CHAIN] = Array(13).keys();
const ENTRY = 16;

const [LOADING, READY] = [1, 2];

/** Which array, or other kind of value, and which of its chunks: a whole number of up to 53 bits. */
export interface Key {
  space: number;
  index: number;
}

/** An entry that this thread has pinned. */
export interface Pinned {
  entry: number;
  /** of its bytes */
  at: number;
  /** where the pin is noted, for whoever cleans up after this thread */
  slot: number;
}

export class ChunkTable {
  private readonly slots: number[] = [];
  private nextSlot = 0;

  /**
   * @param t of `makeTable`
   * @param thread this thread's number; no two that live have the same
   */
  constructor(
    private readonly t: Int32Array,
    readonly thread: number,
  ) {}

  /** bytes of values held */
  get bytes(): number {
    return Atomics.load(this.t, USED) * UNIT_BYTES;
  }

  get limit(): number {
    return this.t[LIMIT] * UNIT_BYTES;
  }

  /** looks that found a value, by all threads */
  get hits(): number {
    return Atomics.load(this.t, HITS);
  }

  /** values loaded, by all threads */
  get loads(): number {
    return Atomics.load(this.t, LOADS);
  }

  /** true once a thread has died amid a change: nothing is looked up or kept any more */
  get broken(): boolean {
    return Atomics.load(this.t, BROKEN) === 1;
  }

  /**
   * Pins the value of a key. Where there is none (`fresh`) this thread is to write it, and then calls `ready` or `drop`;
   * others who ask for it meanwhile are told to `wait`.
   * @returns null where there is no room for it
   */
  acquire(key: Key, bytes: number): (Pinned & { fresh: boolean }) | "wait" | null {
    return this.locked(() => {
      const { t } = this;
      let entry = this.lookUp(key);
      if (entry !== 0 && t[entry + STATE] === LOADING) return "wait";
      if (this.slots.length === 0 && this.nextSlot === MOST_PINS) return null;
      const fresh = entry === 0;
      if (fresh) {
        entry = this.place(Math.max(1, Math.ceil(bytes / UNIT_BYTES)));
        if (entry === 0) return null;
        [t[entry + STATE], t[entry + LOADER], t[entry + PINS]] = [LOADING, this.thread, 0];
        [t[entry + SPACE], t[entry + HIGH], t[entry + LOW]] = [key.space, high(key.index), key.index | 0];
        const bucket = this.bucketOf(key.space, t[entry + HIGH], t[entry + LOW]);
        t[entry + CHAIN] = t[bucket];
        t[bucket] = entry;
      } else {
        this.unlinkAge(entry);
      }
      this.linkAge(entry);
      t[fresh ? LOADS : HITS] += 1;
      return { ...this.pin(entry), fresh };
    }, null);
  }

  /** The value of an entry that this thread reserved is there; it stays pinned. */
  ready({ entry }: Pinned): void {
    this.locked(() => {
      this.t[entry + STATE] = READY;
    }, undefined);
  }

  /** An entry that this thread reserved could not be loaded: it goes. */
  drop(pinned: Pinned): void {
    this.locked(() => {
      this.unnote(pinned.slot);
      this.remove(pinned.entry);
    }, undefined);
  }

  /** Whoever looked at the value has done. */
  unpin({ entry, slot }: Pinned): void {
    this.locked(() => {
      this.unnote(slot);
      this.t[entry + PINS] -= 1;
    }, undefined);
  }

  /** Undoes what a thread that has died left behind: its pins, what it was loading, the lock. */
  abandon(thread: number): void {
    const { t } = this;
    if (Atomics.load(t, LOCK) === thread + 1) {
      // it died amid a change, so nothing in the table can be believed
      Atomics.store(t, BROKEN, 1);
      Atomics.store(t, LOCK, 0);
      Atomics.notify(t, LOCK);
      return;
    }
    this.locked(() => {
      for (let slot = 0; slot < MOST_PINS; slot++) {
        const at = this.noteOf(thread, slot);
        if (t[at] !== 0) t[t[at] + PINS] -= 1;
        t[at] = 0;
      }
      for (let entry = t[OLDEST]; entry !== 0; ) {
        const next = t[entry + NEWER];
        if (t[entry + STATE] === LOADING && t[entry + LOADER] === thread) this.remove(entry);
        entry = next;
      }
    }, undefined);
  }

  /** Forgets everything. @returns false, with nothing done, while something is pinned */
  clear(): boolean {
    return this.locked(() => {
      for (let entry = this.t[OLDEST]; entry !== 0; entry = this.t[entry + NEWER]) {
        if (this.t[entry + PINS] > 0) return false;
      }
      while (this.t[OLDEST] !== 0) this.remove(this.t[OLDEST]);
      [this.t[HITS], this.t[LOADS]] = [0, 0];
      return true;
    }, false);
  }

  /** @param broken what is returned if nothing in the table can be believed */
  private locked<T>(change: () => T, broken: T): T {
    const { t } = this;
    const own = this.thread + 1;
    const began = performance.now();
    for (let held = Atomics.compareExchange(t, LOCK, 0, own); held !== 0; ) {
      Atomics.wait(t, LOCK, held, 50);
      if (performance.now() - began > LOCK_MS) {
        throw new AtmorepError("failed", "the cache of chunks is locked by a thread that has ended", {
          fix: "Start again; with --set num_loader_workers=0 there are no other threads",
        });
      }
      held = Atomics.compareExchange(t, LOCK, 0, own);
    }
    try {
      return this.broken ? broken : change();
    } finally {
      Atomics.store(t, LOCK, 0);
      Atomics.notify(t, LOCK, 1);
    }
  }

  private lookUp({ space, index }: Key): number {
    const { t } = this;
    const [h, l] = [high(index), index | 0];
    let entry = t[this.bucketOf(space, h, l)];
    while (entry !== 0 && (t[entry + SPACE] !== space || t[entry + HIGH] !== h || t[entry + LOW] !== l)) {
      entry = t[entry + CHAIN];
    }
    return entry;
  }

  private bucketOf(space: number, h: number, l: number): number {
    let hash = Math.imul(l ^ Math.imul(h, 0x85ebca6b) ^ Math.imul(space + 1, 0x27d4eb2f), 0x9e3779b1);
    hash ^= hash >>> 15;
    return HEADER + ((hash >>> 0) % this.t[SHAPE_BUCKETS]);
  }

  private pin(entry: number): Pinned {
    const slot = this.slots.pop() ?? this.nextSlot++;
    this.t[this.noteOf(this.thread, slot)] = entry;
    this.t[entry + PINS] += 1;
    return { entry, at: this.t[entry + START] * UNIT_BYTES, slot };
  }

  private unnote(slot: number): void {
    this.t[this.noteOf(this.thread, slot)] = 0;
    this.slots.push(slot);
  }

  private noteOf(thread: number, slot: number): number {
    return this.t[END] - (thread + 1) * MOST_PINS + slot;
  }

  /** A new entry of so many units, others gone where they must; 0 where even that is not enough. */
  private place(units: number): number {
    const { t } = this;
    if (units > t[LIMIT]) return 0;
    if (this.hasEntry()) {
      const end = t[LAST] === 0 ? 0 : t[t[LAST] + START] + t[t[LAST] + UNITS];
      if (end + units <= t[LIMIT]) return this.insert(t[LAST], 0, end, units);
      if (t[LIMIT] - t[USED] >= units) {
        for (let after = t[LAST]; after !== 0; after = t[after + BEFORE]) {
          const found = this.between(t[after + BEFORE], after, units);
          if (found !== 0) return found;
        }
      }
    }
    for (let entry = t[OLDEST]; entry !== 0; ) {
      const next = t[entry + NEWER];
      if (t[entry + STATE] === READY && t[entry + PINS] === 0) {
        const [before, after] = [t[entry + BEFORE], t[entry + AFTER]];
        this.remove(entry);
        const found = this.between(before, after, units);
        if (found !== 0) return found;
      }
      entry = next;
    }
    return 0;
  }

  /** A new entry in the gap of two neighbours, if it is wide enough; 0 if it is not. */
  private between(before: number, after: number, units: number): number {
    const { t } = this;
    const start = before === 0 ? 0 : t[before + START] + t[before + UNITS];
    const end = after === 0 ? t[LIMIT] : t[after + START];
    return end - start >= units ? this.insert(before, after, start, units) : 0;
  }

  private hasEntry(): boolean {
    return this.t[FREE] !== 0 || this.t[FRESH] < this.t[SHAPE_ENTRIES];
  }

  private insert(before: number, after: number, start: number, units: number): number {
    const { t } = this;
    let entry = t[FREE];
    if (entry !== 0) t[FREE] = t[entry + CHAIN];
    else entry = HEADER + t[SHAPE_BUCKETS] + ENTRY * t[FRESH]++;
    [t[entry + START], t[entry + UNITS], t[entry + BEFORE], t[entry + AFTER]] = [start, units, before, after];
    if (before !== 0) t[before + AFTER] = entry;
    if (after !== 0) t[after + BEFORE] = entry;
    else t[LAST] = entry;
    t[USED] += units;
    return entry;
  }

  private remove(entry: number): void {
    const { t } = this;
    let link = this.bucketOf(t[entry + SPACE], t[entry + HIGH], t[entry + LOW]);
    while (t[link] !== entry) link = t[link] + CHAIN;
    t[link] = t[entry + CHAIN];
    this.unlinkAge(entry);
    const [before, after] = [t[entry + BEFORE], t[entry + AFTER]];
    if (before !== 0) t[before + AFTER] = after;
    if (after !== 0) t[after + BEFORE] = before;
    else t[LAST] = before;
    t[USED] -= t[entry + UNITS];
    t[entry + STATE] = 0;
    t[entry + CHAIN] = t[FREE];
    t[FREE] = entry;
  }

  private linkAge(entry: number): void {
    const { t } = this;
    [t[entry + OLDER], t[entry + NEWER]] = [t[NEWEST], 0];
    if (t[NEWEST] !== 0) t[t[NEWEST] + NEWER] = entry;
    else t[OLDEST] = entry;
    t[NEWEST] = entry;
  }

  private unlinkAge(entry: number): void {
    const { t } = this;
    const [older, newer] = [t[entry + OLDER], t[entry + NEWER]];
    if (older !== 0) t[older + NEWER] = newer;
    else t[OLDEST] = newer;
    if (newer !== 0) t[newer + OLDER] = older;
    else t[NEWEST] = older;
  }
}

const high = (index: number): number => Math.floor(index / 2 ** 32);

/** An empty table for values of at most `bytes` bytes together, at most `entries` of them. */
export function makeTable(bytes: number, entries: number): Int32Array {
  const length = HEADER + entries + ENTRY * entries + MOST_PINS * MOST_THREADS;
  const t = new Int32Array(new SharedArrayBuffer(4 * length));
  t[LIMIT] = Math.floor(bytes / UNIT_BYTES);
  [t[SHAPE_ENTRIES], t[SHAPE_BUCKETS], t[END]] = [entries, entries, length];
  return t;
}
