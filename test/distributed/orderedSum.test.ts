import { expect, it } from "vitest";
import { type Exchange, orderedSum } from "../../src/distributed/orderedSum.js";
import fc from "../support/property.js";

/** Processes of one test, which exchange through arrays once all have come to the same call. */
function meeting(size: number): Exchange<Float32Array>[] {
  const round = () => {
    let waiting: { rank: number; send: Float32Array; receive: Float32Array; go: () => void }[] = [];
    return (rank: number, send: Float32Array, receive: Float32Array, deliver: (all: typeof waiting) => void) =>
      new Promise<void>((resolve) => {
        waiting.push({ rank, send, receive, go: resolve });
        if (waiting.length < size) return;
        const all = waiting.sort((a, b) => a.rank - b.rank);
        waiting = [];
        deliver(all);
        for (const { go } of all) go();
      });
  };
  const [toAll, gather] = [round(), round()];
  return Array.from({ length: size }, (_, rank) => ({
    size,
    allToAll: (send, receive) =>
      toAll(rank, send, receive, (all) => {
        const n = send.length / size;
        for (const to of all)
          for (const from of all) to.receive.set(from.send.subarray(to.rank * n, (to.rank + 1) * n), from.rank * n);
      }),
    allGather: (part, receive) =>
      gather(rank, part, receive, (all) => {
        for (const to of all) for (const from of all) to.receive.set(from.send, from.rank * part.length);
      }),
  }));
}

it("adds up in the order of the ranks, with the same bits in every process", async () => {
  const input = fc
    .tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 23 }))
    .chain(([size, n]) =>
      fc.array(fc.float32Array({ minLength: n, maxLength: n, noNaN: true }), { minLength: size, maxLength: size }),
    );
  await fc.assert(
    fc.asyncProperty(input, async (all) => {
      const expected = all.reduce((a, b) => a.map((value, i) => value + b[i]));
      const own = all.map((values) => values.slice());
      const exchanges = meeting(all.length);
      await Promise.all(own.map((values, rank) => orderedSum(values, exchanges[rank])));
      for (const values of own) expect(values).toEqual(expected);
    }),
  );
});
