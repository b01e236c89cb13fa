/**
 * Attention by blocks of queries and keys, with running maximum and sum (Dao et al. 2022, FlashAttention): nothing of
 * T x S is kept. Scores are in powers of two.
 */
import { type Body, FLOAT, float, i64, Module, PTR, type Value } from "../llvm/ir.js";
import type { Target } from "../llvm/jit.js";
import {
  addresses,
  atMost,
  eachHead,
  type Layout,
  layoutOf,
  shares,
  sizesOf,
  statistics,
  whole,
} from "./attentionLayout.js";
import { exp2UpToZero } from "./functions.js";
import { clear, copyRows, each, turnRows } from "./rows.js";
import { roundUp } from "./shape.js";
import { defineProduct } from "./tile.js";

/** Queries and keys of a block: whole numbers of tiles on every processor. */
const QUERIES = 24;
const KEYS = 256;
/** Below every score. */
const LOWEST = -1e30;

/** Floats of scratch space for S keys. */
export function attentionScratch(target: Target, w: number, s: number): number {
  const { padded } = layoutOf(target, w);
  return roundUp(s, KEYS) * (w + padded) + QUERIES * (KEYS + 2 * padded + 2);
}

/**
 * LLVM assembly of the kernel `q, k, v -> o, stats`: o [batch*T, n*w] of the n heads computed; stats [2, batch*n, T],
 * each query's largest score and the inverse of its sum of exponentials.
 */
export function attentionKernel(target: Target, name: string, w: number): string {
  const module = new Module(target.lanes);
  const layout = layoutOf(target, w);
  const { padded, scores, sums } = layout;
  const rows = { aColumn: 1, accumulate: false };
  defineProduct(module, "scores", { ...scores, ...rows, aRow: padded, bRow: KEYS, cRow: KEYS });
  defineProduct(module, "average", { ...sums, ...rows, aRow: KEYS, bRow: padded, cRow: padded, accumulate: true });
  module.define(name, [PTR, PTR, PTR, PTR], (body, [inputs, outputs, parameters, scratch]) => {
    const sizes = sizesOf(body, parameters);
    const { t, s } = sizes;
    const [q, k, v] = addresses(body, inputs, 3);
    const [o, stats] = addresses(body, outputs, 2);
    const allKeys = whole(body, s, KEYS);
    const take = shares(body, scratch);
    // of a head: keys turned, block by block, and values
    const [turnedKeys, values] = [take(body.mul(allKeys, w)), take(body.mul(allKeys, padded))];
    // of a block of queries
    const [queries, averages] = [take(QUERIES * padded), take(QUERIES * padded)];
    const state = { p: take(QUERIES * KEYS), largest: take(QUERIES), totals: take(QUERIES), averages };
    clear(body, scratch, body.mul(allKeys, w + padded));
    clear(body, queries, QUERIES * padded);
    eachHead(body, sizes, w, ({ index, all: { line, at: place }, own }) => {
      body.loop(0, s, KEYS, [], (from) => {
        const count = atMost(body, body.sub(s, from), KEYS);
        const at = place(s, from);
        turnRows(body, { at: body.at(k, at), line, count, w }, body.at(turnedKeys, body.mul(from, w)), KEYS);
        const target = { at: body.at(values, body.mul(from, padded)), line: padded };
        copyRows(body, { at: body.at(v, at), line, count, w }, target);
        return [];
      });
      body.loop(0, t, QUERIES, [], (first) => {
        const count = atMost(body, body.sub(t, first), QUERIES);
        const at = place(t, first);
        const scale = Math.LOG2E / Math.sqrt(w);
        copyRows(body, { at: body.at(q, at), line, count, w }, { at: queries, line: padded }, scale);
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
        const results = { at: averages, line: padded, count, w };
        const allStats = statistics(body, sizes);
        each(body, 0, count, (r) => {
          const inverse = body.fdiv(float(1), body.load(FLOAT, body.at(state.totals, r)));
          scaleRow(body, body.at(averages, body.mul(r, padded)), padded, body.splat(inverse));
          const to = body.at(stats, body.add(body.mul(index, t), body.add(first, r)));
          body.store(body.load(FLOAT, body.at(state.largest, r)), to);
          body.store(inverse, body.at(to, allStats));
        });
        copyRows(body, results, { at: body.at(o, own.at(t, first)), line: own.line });
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
