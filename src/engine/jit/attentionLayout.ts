/** What the two kernels of attention share: parameters, sizes of blocks, the walk over heads. */
import { type Body, I64, i64, PTR, type Value } from "../llvm/ir.js";
import type { Target } from "../llvm/jit.js";
import { each } from "./rows.js";
import { roundUp, type Tile, tileFor } from "./shape.js";

/** Parameters of both kernels, in their order: sequences, heads of one, its queries and keys, the heads to compute. */
const NAMES = ["batch", "heads", "t", "s", "first", "end"] as const;
export type Sizes = Record<(typeof NAMES)[number], Value>;

export const attentionParameters = (sizes: Record<(typeof NAMES)[number], number>): number[] =>
  NAMES.map((name) => sizes[name]);

/** Sizes that are known when a kernel is compiled. */
export interface Layout {
  /** width of a head, and the same in whole vectors */
  w: number;
  padded: number;
  /** tiles of scores, and of sums over keys or queries */
  scores: Tile;
  sums: Tile;
}

export function layoutOf(target: Target, w: number): Layout {
  const padded = roundUp(w, target.lanes);
  return { w, padded, scores: tileFor(target, 2), sums: tileFor(target, padded / target.lanes) };
}

/** A head in tensors of the same width. */
export interface Place {
  /** elements from row to row */
  line: Value;
  /** the place of row `row` of the sequence, which has `rows` rows */
  at(rows: Value, row: Value): Value;
}

/** One head of one sequence. */
export interface Head {
  /** its number among those that are computed */
  index: Value;
  /** in tensors with all heads [batch*rows, heads*w] */
  all: Place;
  /** in tensors with the computed heads only */
  own: Place;
}

export const sizesOf = (body: Body, parameters: Value): Sizes =>
  Object.fromEntries(NAMES.map((name, i) => [name, body.load(I64, body.at(parameters, i, I64))])) as Sizes;

/** `count` addresses from a list. */
export const addresses = (body: Body, list: Value, count: number): Value[] =>
  Array.from({ length: count }, (_, i) => body.load(PTR, body.at(list, i, PTR)));

/** The heads `first` to `end` of every sequence. */
export function eachHead(body: Body, sizes: Sizes, w: number, fn: (head: Head) => void): void {
  const { batch, heads, first, end } = sizes;
  const computed = body.sub(end, first);
  const within = (sequence: Value, head: Value, count: Value): Place => {
    const line = body.mul(count, w);
    const column = body.mul(head, w);
    const at = (rows: Value, row: Value) =>
      body.add(body.mul(body.add(body.mul(sequence, rows), row), line), column);
    return { line, at };
  };
  each(body, 0, batch, (sequence) => {
    each(body, first, end, (head) => {
      const own = body.sub(head, first);
      fn({
        index: body.add(body.mul(sequence, computed), own),
        all: within(sequence, head, heads),
        own: within(sequence, own, computed),
      });
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
