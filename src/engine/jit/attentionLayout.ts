/** What the two kernels of attention share: variants, parameters, sizes of blocks, the walk over heads. */
import { type Body, I32, I64, i64, type Value } from "../llvm/ir.js";
import type { Target } from "../llvm/jit.js";
import { numbers } from "./kernel.js";
import { each, type Rows } from "./rows.js";
import { roundUp, type Tile, tileFor } from "./shape.js";

/** What is known of a kernel when it is compiled. */
export interface Variant {
  /** width of a head */
  w: number;
  /** layer norms of queries and of keys over the width of a head */
  norms: { queries: boolean; keys: boolean };
  /** the norms have weights, one tensor [4, w]: gamma and beta of queries, gamma and beta of keys */
  weighted: boolean;
  /** only rows of a list ask: queries are rows of all sequences, chosen by an int32 tensor [M] */
  chosen: boolean;
}

/** Tensors of queries, keys and values; two or all of them may be the same. */
export const TENSORS = 3;

/** Inputs of both kernels beside those tensors: a list of rows and weights of norms, if there are any. */
export const extrasOf = ({ chosen, weighted }: Variant): number => Number(chosen) + Number(weighted);

/**
 * Parameters of both kernels, in their order. A head's columns in a tensor: number `part` of `parts` groups of w.
 * `chosen`: rows in the list, 0 if there is none. `...Source`: number of the output with the gradient of its tensor.
 */
const NAMES = [
  "batch",
  "heads",
  "t",
  "s",
  "first",
  "end",
  "qParts",
  "qPart",
  "kParts",
  "kPart",
  "vParts",
  "vPart",
  "chosen",
  "qSource",
  "kSource",
  "vSource",
] as const;
export type Sizes<T = Value> = Record<(typeof NAMES)[number], T>;

export const attentionParameters = (sizes: Sizes<number>): number[] => NAMES.map((name) => sizes[name]);

export function sizesOf(body: Body, parameters: Value): Sizes {
  const values = numbers(body, parameters, NAMES.length);
  return Object.fromEntries(NAMES.map((name, i) => [name, values[i]])) as Sizes;
}

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

/** Where row `row`, of all rows of a tensor, has a head's columns. */
export type Place = (row: Value) => Value;

/** One head of one sequence: where it lies in tensors with all heads, and in those with the computed ones. */
export interface Head {
  sequence: Value;
  /** its number among those that are computed */
  own: Value;
  all: Record<"q" | "k" | "v" | "o", Place>;
  computed: Record<"q" | "k" | "v" | "o", Place>;
}

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
        return (row) => body.add(body.mul(row, line), column);
      };
      const places = (head: Value, count: Value) => ({
        q: place(head, count, sizes.qParts, sizes.qPart),
        k: place(head, count, sizes.kParts, sizes.kPart),
        v: place(head, count, sizes.vParts, sizes.vPart),
        o: place(head, count, i64(1), i64(0)),
      });
      fn({ sequence, own, all: places(head, heads), computed: places(own, computed) });
    });
  });
}

/** Rows of a head in a tensor: those with the numbers `row(0)`, `row(1)`, ... of all rows. */
export const headRows = (
  body: Body,
  tensor: Value,
  place: Place,
  row: (i: Value) => Value,
  count: Value,
  w: number,
): Rows => ({
  row: (i) => body.at(tensor, place(row(i))),
  count,
  w,
});

/** The queries of one head of one sequence. */
export interface Queries {
  count: Value;
  /** row of query `i` in the tensor of queries, and in those of results and their gradients */
  source(i: Value): Value;
  result(i: Value): Value;
  /** place of its statistics, and how far behind the first kind the second lies */
  statistics(i: Value): Value;
  kind: Value;
}

/**
 * @param rows the list of rows, if there is one
 * @param list space for its entries that belong to a sequence, int64 [M]
 */
export function queriesOf(
  body: Body,
  { batch, t, first, end, chosen }: Sizes,
  { sequence, own }: Head,
  rows: Value | null,
  list: Value,
): Queries {
  const computed = body.sub(end, first);
  const before = body.mul(sequence, t);
  if (!rows) {
    const index = body.add(body.mul(sequence, computed), own);
    return {
      count: t,
      source: (i) => body.add(before, i),
      result: (i) => body.add(before, i),
      statistics: (i) => body.add(body.mul(index, t), i),
      kind: body.mul(body.mul(batch, computed), t),
    };
  }
  const rowAt = (i: Value) => body.convert("sext", body.load(I32, body.at(rows, i, I32)), I64);
  const entry = (i: Value) => body.load(I64, body.at(list, i, I64));
  const next = body.add(before, t);
  const [count] = body.loop(0, chosen, 1, [i64(0)], (i, [count]) => {
    const row = rowAt(i);
    body.store(i, body.at(list, count, I64));
    const ours = body.binary("and", body.compare("sge", row, before), body.compare("slt", row, next));
    return [body.add(count, body.convert("zext", ours, I64))];
  });
  return {
    count,
    source: (i) => rowAt(entry(i)),
    result: entry,
    statistics: (i) => body.add(body.mul(own, chosen), entry(i)),
    kind: body.mul(computed, chosen),
  };
}
