/** What the two kernels of attention share: variants, parameters, sizes of blocks, the walk over heads. */
import { type Body, I64, i64, PTR, type Value } from "../llvm/ir.js";
import type { Target } from "../llvm/jit.js";
import { each } from "./rows.js";
import { roundUp, type Tile, tileFor } from "./shape.js";

/** What is known of a kernel when it is compiled. */
export interface Variant {
  /** width of a head */
  w: number;
  /** the tensor that holds queries, keys and values: one for all, one for the latter two, or one each */
  sources: readonly [q: number, k: number, v: number];
  /** layer norms of queries and of keys over the width of a head */
  norms: { queries: boolean; keys: boolean };
  /** the norms have weights, one tensor [4, w]: gamma and beta of queries, gamma and beta of keys */
  weighted: boolean;
}

/** How many tensors hold queries, keys and values. */
export const tensorsOf = ({ sources }: Variant): number => Math.max(...sources) + 1;

/** Parameters of both kernels, in their order. A head's columns in a tensor: number `part` of `parts` groups of w. */
const NAMES = [
  ...["batch", "heads", "t", "s", "first", "end"],
  ...["qParts", "qPart", "kParts", "kPart", "vParts", "vPart"],
] as const;
export type Sizes<T = Value> = Record<
  "batch" | "heads" | "t" | "s" | "first" | "end" | "qParts" | "qPart" | "kParts" | "kPart" | "vParts" | "vPart",
  T
>;

export const attentionParameters = (sizes: Sizes<number>): number[] => NAMES.map((name) => sizes[name as keyof Sizes]);

export const sizesOf = (body: Body, parameters: Value): Sizes =>
  Object.fromEntries(NAMES.map((name, i) => [name, body.load(I64, body.at(parameters, i, I64))])) as Sizes;

/** Sizes that follow from the width of a head. */
export interface Layout {
  /** width in whole vectors */
  padded: number;
  /** tiles of scores, and of sums over keys or queries */
  scores: Tile;
  sums: Tile;
}

export function layoutOf(target: Target, w: number): Layout {
  const padded = roundUp(w, target.lanes);
  return { padded, scores: tileFor(target, 2), sums: tileFor(target, padded / target.lanes) };
}

/** A head's columns in a tensor. */
export interface Place {
  /** elements from row to row */
  line: Value;
  /** the place of row `row` of the sequence, which has `rows` rows */
  at(rows: Value, row: Value): Value;
}

/** One head of one sequence: where it lies in tensors with all heads, and in those with the computed ones. */
export interface Head {
  /** its number among those that are computed */
  index: Value;
  all: Record<"q" | "k" | "v" | "o", Place>;
  own: Record<"q" | "k" | "v" | "o", Place>;
}

/** `count` addresses from a list. */
export const addresses = (body: Body, list: Value, count: number): Value[] =>
  Array.from({ length: count }, (_, i) => body.load(PTR, body.at(list, i, PTR)));

/** The heads `first` to `end` of every sequence. */
export function eachHead(body: Body, sizes: Sizes, w: number, fn: (head: Head) => void): void {
  const { batch, heads, first, end } = sizes;
  const computed = body.sub(end, first);
  each(body, 0, batch, (sequence) => {
    each(body, first, end, (head) => {
      const own = body.sub(head, first);
      const place = (head: Value, count: Value, parts: Value, part: Value): Place => {
        const line = body.mul(body.mul(count, parts), w);
        const column = body.mul(body.add(body.mul(head, parts), part), w);
        return {
          line,
          at: (rows, row) => body.add(body.mul(body.add(body.mul(sequence, rows), row), line), column),
        };
      };
      const places = (head: Value, count: Value) => ({
        q: place(head, count, sizes.qParts, sizes.qPart),
        k: place(head, count, sizes.kParts, sizes.kPart),
        v: place(head, count, sizes.vParts, sizes.vPart),
        o: place(head, count, i64(1), i64(0)),
      });
      const index = body.add(body.mul(sequence, computed), own);
      fn({ index, all: places(head, heads), own: places(own, computed) });
    });
  });
}

/** Elements of the first half of the statistics [2, heads computed, T]. */
export const statistics = (body: Body, { batch, first, end, t }: Sizes): Value =>
  body.mul(body.mul(batch, body.sub(end, first)), t);

export const atMost = (body: Body, value: Value, limit: number): Value =>
  body.select(body.compare("slt", value, i64(limit)), value, i64(limit));

/** `value` rounded up to whole `unit`s */
export const whole = (body: Body, value: Value, unit: number): Value =>
  body.mul(body.div(body.add(value, unit - 1), unit), unit);

/** Hands out parts of the scratch space. */
export function shares(body: Body, scratch: Value): (elements: Value | number) => Value {
  let next = scratch;
  return (elements) => {
    const at = next;
    next = body.at(next, elements);
    return at;
  };
}
