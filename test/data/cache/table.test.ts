import { describe, expect, it } from "vitest";
import { ChunkTable, makeTable, type Pinned, UNIT_BYTES } from "../../../src/data/cache/table.js";
import fc from "../../support/property.js";

/** What a thread does next; numbers choose among what it can. */
const action = fc.record({
  thread: fc.integer({ min: 0, max: 2 }),
  what: fc.constantFrom("acquire", "acquire", "acquire", "finish", "fail", "unpin", "unpin", "die"),
  key: fc.integer({ min: 0, max: 11 }),
  which: fc.nat(),
});

/** Sizes in units, so that values of other sizes come and go in the place of one. */
const unitsOf = (key: number) => [1, 2, 3, 5, 8, 2, 2, 1, 13, 4, 1, 6][key];

describe("ChunkTable", () => {
  it("never gives a wrong value, and never holds more than its bound, whatever threads do in whatever order", () => {
    fc.assert(
      fc.property(fc.array(action, { maxLength: 120 }), fc.integer({ min: 1, max: 30 }), (actions, limit) => {
        const t = makeTable(limit * UNIT_BYTES, 6);
        const threads = [0, 1, 2].map((thread) => new ChunkTable(t, thread));
        // the memory: each unit says whose value lies there
        const memory = new Array<number>(limit).fill(-1);
        const loading = threads.map(() => [] as { key: number; pinned: Pinned }[]);
        const reading = threads.map(() => [] as { key: number; pinned: Pinned }[]);
        const check = ({ key, pinned }: { key: number; pinned: Pinned }) => {
          const at = pinned.at / UNIT_BYTES;
          expect(memory.slice(at, at + unitsOf(key))).toEqual(Array(unitsOf(key)).fill(key));
        };
        const take = <T>(list: T[], which: number) => list.splice(which % list.length, 1)[0];
        for (const { thread, what, key, which } of actions) {
          const [own, loads, reads] = [threads[thread], loading[thread], reading[thread]];
          if (what === "acquire") {
            const found = own.acquire({ space: key % 2, index: key + 2 ** 40 }, unitsOf(key) * UNIT_BYTES);
            const beingLoaded = loading.flat().some((other) => other.key === key);
            expect(found === "wait").toBe(beingLoaded);
            if (found === "wait" || found === null) continue;
            if (found.fresh) {
              const at = found.at / UNIT_BYTES;
              memory.fill(key, at, at + unitsOf(key));
              loads.push({ key, pinned: found });
            } else {
              reads.push({ key, pinned: found });
              check({ key, pinned: found });
            }
          } else if (what === "finish" && loads.length > 0) {
            const done = take(loads, which);
            own.ready(done.pinned);
            reads.push(done);
          } else if (what === "fail" && loads.length > 0) {
            own.drop(take(loads, which).pinned);
          } else if (what === "unpin" && reads.length > 0) {
            const done = take(reads, which);
            check(done);
            own.unpin(done.pinned);
          } else if (what === "die") {
            threads[(thread + 1) % 3].abandon(thread);
            threads[thread] = new ChunkTable(t, thread);
            loads.length = 0;
            reads.length = 0;
          }
          // what is in use was not touched by any of it
          for (const held of [...loading.flat(), ...reading.flat()]) check(held);
          expect(own.bytes).toBeLessThanOrEqual(limit * UNIT_BYTES);
        }
        for (const [n, own] of threads.entries()) {
          for (const { pinned } of loading[n]) own.drop(pinned);
          for (const { pinned } of reading[n]) own.unpin(pinned);
        }
        expect(threads[0].clear()).toBe(true);
        expect(threads[0].bytes).toBe(0);
        // nothing has leaked: the whole of it can be had again
        expect(threads[0].acquire({ space: 0, index: 0 }, limit * UNIT_BYTES)).toMatchObject({ at: 0, fresh: true });
      }),
      { numRuns: 300 },
    );
  });

  it("lets go what was used longest ago, and keeps what is pinned", () => {
    const table = new ChunkTable(makeTable(3 * UNIT_BYTES, 16), 0);
    const put = (index: number) => {
      const found = table.acquire({ space: 0, index }, UNIT_BYTES);
      if (found === null || found === "wait") return null;
      if (found.fresh) table.ready(found);
      return found;
    };
    const first = put(1)!;
    for (const index of [2, 3]) table.unpin(put(index)!);
    table.unpin(put(2)!);
    table.unpin(put(4)!);
    expect([2, 4].map((index) => put(index)?.fresh)).toEqual([false, false]);
    // 1, 2 and 4 are pinned now: there is no room, and nothing is lost
    expect(put(5)).toBeNull();
    table.unpin(first);
    expect(put(5)).toMatchObject({ fresh: true, at: first.at });
    expect([table.loads, table.hits]).toEqual([5, 3]);
  });

  it("is believed no more once a thread has died amid a change, and hangs nobody", () => {
    const t = makeTable(4 * UNIT_BYTES, 16);
    const [own, other] = [new ChunkTable(t, 0), new ChunkTable(t, 1)];
    const found = own.acquire({ space: 0, index: 7 }, UNIT_BYTES);
    if (found === null || found === "wait") throw new Error("there is room");
    own.ready(found);
    // as thread 1 leaves the lock when it dies with it
    t[0] = 2;
    own.abandon(1);
    expect(own.broken).toBe(true);
    expect(other.acquire({ space: 0, index: 7 }, UNIT_BYTES)).toBeNull();
    own.unpin(found);
    expect(own.clear()).toBe(false);
  });
});
