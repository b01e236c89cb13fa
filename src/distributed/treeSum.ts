/**
 * A sum over processes along the tree of batches: each process adds up one part of the values, in buckets, while the next are
 * on their way. What travels is read and written where it lies.
 */
import { additions, ownNodes } from "./batchTree.js";
import { TRANSFER_MS, until } from "./patience.js";

/** What is posted to move between this process and another; it must stay where it is until it is done. */
export interface Transfer {
  what: "send" | "receive";
  values: Float32Array;
  /** the other process */
  with: number;
  /** transfers of one kind meet in the order in which they were posted */
  kind: number;
}

/** What the sum needs of a library. */
export interface Transport {
  rank: number;
  size: number;
  /** @returns true once all are done */
  post(transfers: readonly Transfer[]): () => boolean;
  /** to[i] += from[i] */
  add(to: Float32Array, from: Float32Array): void;
}

export interface TreeSum {
  /** batches of each process, whose sums `ownNodes` are given */
  batches: number;
  /** end of each process's part, in values */
  ends: readonly number[];
  /** true: every process gets the whole sum; false: each its part */
  whole: boolean;
}

/** Bytes of a bucket, over all nodes; two are on their way at once. */
export const BUCKET_BYTES = 32 * 2 ** 20;
const DEPTH = 2;
const [PARTS, SUMS] = [1, 2];

/** Ends of equal parts. */
export const equalParts = (length: number, size: number): number[] =>
  Array.from({ length: size }, (_, k) => Math.ceil((length * (k + 1)) / size));

/** Sums along the tree; the memory for what arrives is kept from one to the next. */
export class TreeSummer {
  private readonly memory: Float32Array[] = [];

  constructor(
    private readonly transport: Transport,
    private readonly bucketBytes = BUCKET_BYTES,
  ) {}

  /**
   * @param own sums of the process's nodes, equally long in all processes; the first holds the sum in the end, the others
   *   whatever
   */
  async sum(own: readonly Float32Array[], { batches, ends, whole }: TreeSum): Promise<void> {
    const { rank, size, add } = this.transport;
    const total = batches * size;
    const all = Array.from({ length: size }, (_, k) =>
      ownNodes({ start: k * batches, end: (k + 1) * batches }, total).map((node) => ({ ...node, rank: k })),
    ).flat();
    const others = all.length - own.length;
    const first = all.findIndex((node) => node.rank === rank);
    const order = additions(all, first);
    const bucket = Math.max(1, Math.floor(this.bucketBytes / 4 / all.length));
    const range = (k: number, step: number): [from: number, to: number] => {
      const begin = beginOf(ends, k);
      return [Math.min(ends[k], begin + step * bucket), Math.min(ends[k], begin + (step + 1) * bucket)];
    };
    const longest = Math.max(...ends.map((end, k) => end - beginOf(ends, k)));
    const steps = Math.ceil(longest / bucket);
    const space = grown(this.memory, Math.min(DEPTH, steps), others * Math.min(bucket, longest));
    /** this process's part of each node, those of others as they arrive */
    const slots = (step: number): Float32Array[] => {
      const [from, to] = range(rank, step);
      let at = 0;
      return all.map((node, i) => {
        if (node.rank === rank) return own[i - first].subarray(from, to);
        at += to - from;
        return space[step % DEPTH].subarray(at - (to - from), at);
      });
    };
    const peers = Array.from({ length: size - 1 }, (_, d) => ({
      to: (rank + d + 1) % size,
      from: (rank + size - d - 1) % size,
    }));
    const exchange = (step: number) => {
      const places = slots(step);
      return this.post([
        ...peers.flatMap(({ from }) =>
          all.flatMap((node, i): Transfer[] =>
            node.rank === from ? [{ what: "receive", values: places[i], with: from, kind: PARTS }] : [],
          ),
        ),
        ...peers.flatMap(({ to }) =>
          own.map((values): Transfer => {
            return { what: "send", values: values.subarray(...range(to, step)), with: to, kind: PARTS };
          }),
        ),
      ]);
    };
    const arriving = Array.from({ length: Math.min(DEPTH, steps) }, (_, step) => exchange(step));
    const leaving: (() => boolean)[] = [];
    for (let step = 0; step < steps; step++) {
      await until(arriving[step], TRANSFER_MS);
      const places = slots(step);
      for (const [to, from] of order) if (places[to].length > 0) add(places[to], places[from]);
      if (whole) leaving.push(this.give((k) => own[0].subarray(...range(k, step)), "all"));
      if (step + DEPTH < steps) arriving.push(exchange(step + DEPTH));
    }
    for (const done of leaving) await until(done, TRANSFER_MS);
  }

  /** Every process's part of `values` in place, to all processes or to the first alone. */
  async gather(values: Float32Array, ends: readonly number[], to: "all" | "first"): Promise<void> {
    await until(
      this.give((k) => values.subarray(beginOf(ends, k), ends[k]), to),
      TRANSFER_MS,
    );
  }

  /** Begins to give each process's part to the others, or to the first alone. */
  private give(part: (k: number) => Float32Array, to: "all" | "first"): () => boolean {
    const { rank, size } = this.transport;
    const others = Array.from({ length: size - 1 }, (_, d) => (rank + d + 1) % size);
    const sends = others.filter((k) => to === "all" || k === 0).map((k) => transfer("send", part(rank), k));
    const receives = to === "all" || rank === 0 ? others.map((k) => transfer("receive", part(k), k)) : [];
    return this.post([...receives, ...sends]);
  }

  private post(transfers: readonly Transfer[]): () => boolean {
    return this.transport.post(transfers.filter(({ values }) => values.length > 0));
  }
}

const beginOf = (ends: readonly number[], k: number): number => (k === 0 ? 0 : ends[k - 1]);

/** `kept` with `count` arrays of at least `length` values, on ArrayBuffers of their own, which V8 does not move. */
export function grown(kept: Float32Array[], count: number, length: number): Float32Array[] {
  for (let k = 0; k < count; k++) {
    if ((kept[k]?.length ?? -1) < length) kept[k] = new Float32Array(new ArrayBuffer(4 * length));
  }
  return kept;
}

const transfer = (what: Transfer["what"], values: Float32Array, other: number): Transfer => {
  return { what, values, with: other, kind: SUMS };
};
