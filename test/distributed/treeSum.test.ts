import { expect, it } from "vitest";
import { additions, ownNodes, type Span, sumNode } from "../../src/distributed/batchTree.js";
import { equalParts, type Transfer, type Transport, TreeSummer } from "../../src/distributed/treeSum.js";
import fc from "../support/property.js";

/** Processes of one test whose messages wait in boxes until both sides have posted. */
function processes(size: number): Transport[] {
  const boxes = new Map<string, { sent: Float32Array[]; wanted: { values: Float32Array; done: () => void }[] }>();
  const box = (from: number, to: number, kind: number) => {
    const name = `${from} ${to} ${kind}`;
    const found = boxes.get(name) ?? { sent: [], wanted: [] };
    boxes.set(name, found);
    return found;
  };
  const deliver = ({ sent, wanted }: ReturnType<typeof box>) => {
    while (sent.length > 0 && wanted.length > 0) {
      const { values, done } = wanted.shift()!;
      values.set(sent.shift()!);
      done();
    }
  };
  return Array.from({ length: size }, (_, rank) => ({
    rank,
    size,
    post(transfers: readonly Transfer[]) {
      let open = transfers.length;
      for (const { what, values, with: other, kind } of transfers) {
        const to = what === "send" ? box(rank, other, kind) : box(other, rank, kind);
        if (what === "send") {
          to.sent.push(values.slice());
          open--;
        } else to.wanted.push({ values, done: () => open-- });
        deliver(to);
      }
      return () => open === 0;
    },
    add(to: Float32Array, from: Float32Array) {
      for (let i = 0; i < to.length; i++) to[i] += from[i];
    },
  }));
}

const plus = (a: Float32Array, b: Float32Array) => a.map((value, i) => value + b[i]);
const node = (batches: readonly Float32Array[], span: Span) => sumNode(span, async (k) => batches[k].slice(), plus);

const input = fc
  .record({
    size: fc.integer({ min: 2, max: 5 }),
    each: fc.integer({ min: 1, max: 5 }),
    length: fc.integer({ min: 1, max: 40 }),
    bucket: fc.integer({ min: 4, max: 400 }),
    cuts: fc.array(fc.nat(), { minLength: 4, maxLength: 4 }),
    equal: fc.boolean(),
  })
  .chain((shape) =>
    fc.record({
      shape: fc.constant(shape),
      values: fc.array(fc.float32Array({ minLength: shape.length, maxLength: shape.length, noNaN: true }), {
        minLength: shape.size * shape.each,
        maxLength: shape.size * shape.each,
      }),
    }),
  );

it("has the bits of one process that adds up all batches, however they are dealt", async () => {
  await fc.assert(
    fc.asyncProperty(input, async ({ shape: { size, each, length, bucket, cuts, equal }, values }) => {
      const total = size * each;
      const expected = await node(values, { start: 0, end: total });
      const uneven = cuts.slice(0, size - 1).map((cut) => cut % (length + 1));
      const ends = equal ? equalParts(length, size) : [...uneven.sort((a, b) => a - b), length];
      const whole = await Promise.all(
        processes(size).map(async (transport) => {
          const { rank } = transport;
          const nodes = ownNodes({ start: rank * each, end: (rank + 1) * each }, total);
          const own = await Promise.all(nodes.map((span) => node(values, span)));
          await new TreeSummer(transport, bucket).sum(own, { batches: each, ends, whole: true });
          return own[0];
        }),
      );
      for (const sum of whole) expect(sum).toEqual(expected);
      const parts = await Promise.all(
        processes(size).map(async (transport) => {
          const { rank } = transport;
          const nodes = ownNodes({ start: rank * each, end: (rank + 1) * each }, total);
          const own = await Promise.all(nodes.map((span) => node(values, span)));
          const summer = new TreeSummer(transport, bucket);
          await summer.sum(own, { batches: each, ends, whole: false });
          expect(own[0].slice(ends[rank - 1] ?? 0, ends[rank])).toEqual(
            expected.slice(ends[rank - 1] ?? 0, ends[rank]),
          );
          await summer.gather(own[0], ends, "first");
          return own[0];
        }),
      );
      expect(parts[0]).toEqual(expected);
    }),
  );
});

it("a power of two of batches a process is one node of the tree", () => {
  for (const each of [1, 2, 4, 8]) {
    for (let rank = 0; rank < 6; rank++) {
      expect(ownNodes({ start: rank * each, end: (rank + 1) * each }, 6 * each)).toHaveLength(1);
    }
  }
});

it("leaves the sum where it is wanted, and refuses batches that nobody has", () => {
  const spans = (ends: readonly number[]) => ends.slice(1).map((end, i) => ({ start: ends[i], end }));
  for (let keep = 0; keep < 4; keep++) {
    const order = additions(spans([0, 1, 2, 3, 4]), keep);
    expect(order).toHaveLength(3);
    expect(order.at(-1)![0] === keep || order.every(([, from]) => from !== keep)).toBe(true);
    expect(order.map(([, from]) => from)).not.toContain(keep);
  }
  expect(() => additions([{ start: 1, end: 2 }], 0)).toThrow(/no sum holds batch 0/);
});
