/**
 * Attention by blocks of queries and keys, with running maximum and sum (Dao et al. 2022, FlashAttention): nothing of
 * T x S is kept. Scores are in powers of two.
 */
import { type Body, FLOAT, float, i64, Module, type Value } from "../llvm/ir.js";
import type { Target } from "../llvm/jit.js";
import {
  eachHead,
  extrasOf,
  headRows,
  type Layout,
  layoutOf,
  type Place,
  queriesOf,
  sizesOf,
  TENSORS,
  type Variant,
} from "./attentionLayout.js";
import { exp2UpToZero } from "./functions.js";
import { normRows, weightsAt } from "./headNorm.js";
import { addresses, atMost, KERNEL, shares, whole } from "./kernel.js";
import { clear, copyRows, each, lines, turnRows } from "./rows.js";
import { roundUp } from "./shape.js";
import { defineProduct } from "./tile.js";

/** Queries and keys of a block: whole numbers of tiles on every processor. */
const QUERIES = 24;
const KEYS = 256;
/** Below every score; where all are infinite, none comes out a number. */
const LOWEST = Number.NEGATIVE_INFINITY;

/** Floats of scratch space for S keys and a list of `chosen` rows. */
export function attentionScratch(target: Target, w: number, s: number, chosen: number): number {
  const { padded } = layoutOf(target, w);
  const list = 2 * chosen;
  return list + roundUp(s, KEYS) * (w + padded) + QUERIES * (KEYS + 2 * padded + 2) + KEYS * padded;
}

/**
 * LLVM assembly of the kernel `q, k, v, (chosen rows), (weights of norms) -> o, stats`: o [batch*T, n*w] of
 * the n heads computed; stats [2, batch*n, T], each query's largest score and the inverse of its sum of exponentials.
 * Of M chosen rows: o [M, n*w], stats [2, n, M].
 */
export function attentionKernel(target: Target, name: string, variant: Variant): string {
  const { w, norms, weighted } = variant;
  const module = new Module(target.lanes);
  const layout = layoutOf(target, w);
  const { padded, scores, sums } = layout;
  const rows = { aColumn: 1, accumulate: false };
  defineProduct(module, "scores", { ...scores, ...rows, aRow: padded, bRow: KEYS, cRow: KEYS });
  defineProduct(module, "average", { ...sums, ...rows, aRow: KEYS, bRow: padded, cRow: padded, accumulate: true });
  module.define(name, KERNEL, (body, [inputs, outputs, parameters, scratch]) => {
    const sizes = sizesOf(body, parameters);
    const { s } = sizes;
    const given = addresses(body, inputs, TENSORS + extrasOf(variant));
    const [q, k, v] = given;
    const chosen = variant.chosen ? given[TENSORS] : null;
    const weights = (side: "q" | "k") => (weighted ? weightsAt(body, given.at(-1)!, side, w) : null);
    const [o, stats] = addresses(body, outputs, 2);
    const allKeys = whole(body, s, KEYS);
    const take = shares(body, scratch);
    // of a head: keys turned, block by block, and values
    const [turnedKeys, values] = [take(body.mul(allKeys, w)), take(body.mul(allKeys, padded))];
    // of a block of queries
    const [queries, averages] = [take(QUERIES * padded), take(QUERIES * padded)];
    const keyRows = take(KEYS * padded);
    const state = { p: take(QUERIES * KEYS), largest: take(QUERIES), totals: take(QUERIES), averages };
    const list = take(body.mul(sizes.chosen, 2));
    const blockOf = (at: Value, count: Value) => lines(body, at, padded, count, w);
    clear(body, scratch, body.mul(allKeys, w + padded));
    clear(body, queries, QUERIES * padded);
    eachHead(body, sizes, w, (head) => {
      const { sequence, all, computed } = head;
      const keysBefore = body.mul(sequence, s);
      body.loop(0, s, KEYS, [], (from) => {
        const count = atMost(body, body.sub(s, from), KEYS);
        const start = body.add(keysBefore, from);
        const of = (tensor: Value, place: Place) => headRows(body, tensor, place, (i) => body.add(start, i), count, w);
        let keys = of(k, all.k);
        if (norms.keys) {
          const normal = blockOf(keyRows, count);
          normRows(body, keys, normal, weights("k"));
          keys = normal;
        }
        turnRows(body, keys, body.at(turnedKeys, body.mul(from, w)), KEYS);
        copyRows(body, of(v, all.v), blockOf(body.at(values, body.mul(from, padded)), count));
        return [];
      });
      const asked = queriesOf(body, sizes, head, chosen, list);
      body.loop(0, asked.count, QUERIES, [], (first) => {
        const count = atMost(body, body.sub(asked.count, first), QUERIES);
        const scale = Math.LOG2E / Math.sqrt(w);
        const number = (i: Value) => body.add(first, i);
        const from = headRows(body, q, all.q, (i) => asked.source(number(i)), count, w);
        const to = blockOf(queries, count);
        if (norms.queries) normRows(body, from, to, weights("q"), scale);
        else copyRows(body, from, to, scale);
        clear(body, averages, QUERIES * padded);
        each(body, 0, QUERIES, (r) => {
          body.store(float(LOWEST), body.at(state.largest, r));
          body.store(float(0), body.at(state.totals, r));
        });
        body.loop(0, s, KEYS, [], (from) => {
          const valid = atMost(body, body.sub(s, from), KEYS);
          const columns = whole(body, valid, scores.vectors * body.lanes);
          const keys = body.at(turnedKeys, body.mul(from, w));
          body.call("void", "@scores", [queries, keys, state.p, count, columns, i64(w)]);
          each(body, 0, count, (r) => softmaxRow(body, layout, state, r, valid, columns));
          const rows = body.at(values, body.mul(from, padded));
          body.call("void", "@average", [state.p, rows, averages, count, i64(padded), valid]);
          return [];
        });
        each(body, 0, count, (r) => {
          const inverse = body.fdiv(float(1), body.load(FLOAT, body.at(state.totals, r)));
          scaleRow(body, body.at(averages, body.mul(r, padded)), padded, body.splat(inverse));
          const to = body.at(stats, asked.statistics(number(r)));
          body.store(body.load(FLOAT, body.at(state.largest, r)), to);
          body.store(inverse, body.at(to, asked.kind));
        });
        const results = headRows(body, o, computed.o, (i) => asked.result(number(i)), count, w);
        copyRows(body, blockOf(averages, count), results);
        return [];
      });
    });
  });
  return module.text;
}

interface BlockState {
  /** scores, then their exponentials [QUERIES, KEYS] */
  p: Value;
  /** each query's largest score so far, and the sum of its exponentials */
  largest: Value;
  totals: Value;
  /** sums of values [QUERIES, padded] */
  averages: Value;
}

/** Scores of query `r` to exponentials; what came before is brought to the new maximum. */
function softmaxRow(
  body: Body,
  { padded }: Layout,
  { p, largest, totals, averages }: BlockState,
  r: Value,
  valid: Value,
  columns: Value,
): void {
  const { lanes, vector } = body;
  const row = body.at(p, body.mul(r, KEYS));
  each(body, valid, columns, (c) => body.store(float(LOWEST), body.at(row, c)));
  const [toLargest, toTotal] = [body.at(largest, r), body.at(totals, r)];
  const former = body.load(FLOAT, toLargest);
  const [highest] = body.loop(0, columns, lanes, [body.splat(former)], (c, [highest]) => [
    body.max(highest, body.load(vector, body.at(row, c))),
  ]);
  const now = body.largest(highest);
  const shift = body.splat(now);
  const factor = exp2UpToZero(body, body.fsub(body.splat(former), shift));
  const [sum] = body.loop(0, columns, lanes, [body.constant(0)], (c, [sum]) => {
    const place = body.at(row, c);
    const e = exp2UpToZero(body, body.fsub(body.load(vector, place), shift));
    body.store(e, place);
    return [body.fadd(sum, e)];
  });
  body.store(now, toLargest);
  body.store(body.fma(body.load(FLOAT, toTotal), body.extract(factor, 0), body.sum(sum)), toTotal);
  scaleRow(body, body.at(averages, body.mul(r, padded)), padded, factor);
}

/** A row of `padded` numbers, times a factor. */
function scaleRow(body: Body, row: Value, padded: number, factor: Value): void {
  for (let at = 0; at < padded; at += body.lanes) {
    const place = body.at(row, at);
    body.store(body.fmul(body.load(body.vector, place), factor), place);
  }
}
