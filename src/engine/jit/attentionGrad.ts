/** The backward pass of attention by blocks of keys and queries; probabilities are computed again. */
import { FLOAT, float, i64, Module, PTR, type Value } from "../llvm/ir.js";
import type { Target } from "../llvm/jit.js";
import {
  addresses,
  atMost,
  eachHead,
  layoutOf,
  type Place,
  shares,
  sizesOf,
  statistics,
  tensorsOf,
  type Variant,
  whole,
} from "./attentionLayout.js";
import { exp2UpToZero } from "./functions.js";
import { normGradRows, normRows } from "./headNorm.js";
import { clear, copyRows, dot, each, type Rows, turnRows } from "./rows.js";
import { roundUp } from "./shape.js";
import { defineProduct } from "./tile.js";

/** Queries and keys of a block: whole numbers of tiles on every processor. */
const QUERIES = 48;
const KEYS = 96;

/** Floats of scratch space for T queries. */
export function attentionGradScratch(target: Target, w: number, t: number): number {
  const { padded } = layoutOf(target, w);
  return roundUp(t, QUERIES) * (3 * padded + 3) + KEYS * (2 * w + 3 * padded) + 2 * QUERIES * KEYS;
}

/**
 * LLVM assembly of the kernel `tensors of q, k, v, o, dy, stats, (weights of norms) -> their gradients`; `stats` as the
 * forward kernel gives it for the same heads, whose columns alone come out.
 */
export function attentionGradKernel(target: Target, name: string, variant: Variant): string {
  const { w, norms, weighted } = variant;
  const module = new Module(target.lanes);
  const { padded, scores, sums } = layoutOf(target, w);
  const added = { bRow: padded, cRow: padded, accumulate: true };
  defineProduct(module, "scores", { ...scores, aRow: padded, aColumn: 1, bRow: KEYS, cRow: KEYS, accumulate: false });
  defineProduct(module, "byQuery", { ...sums, ...added, aRow: KEYS, aColumn: 1 });
  defineProduct(module, "byKey", { ...sums, ...added, aRow: 1, aColumn: KEYS });
  module.define(name, [PTR, PTR, PTR, PTR], (body, [inputs, outputs, parameters, scratch]) => {
    const sizes = sizesOf(body, parameters);
    const { t, s } = sizes;
    const tensors = tensorsOf(variant);
    const given = addresses(body, inputs, tensors + 3 + (weighted ? 1 : 0));
    const results = addresses(body, outputs, tensors + (weighted ? 1 : 0));
    const [[q, k, v], [dq, dk, dv]] = [given, results].map((list) => variant.sources.map((i) => list[i]));
    const [o, dy, stats] = given.slice(tensors);
    const weights = (which: number) => {
      const of = (list: Value[]) => ({
        gamma: body.at(list.at(-1)!, 2 * which * w),
        beta: body.at(list.at(-1)!, (2 * which + 1) * w),
      });
      return weighted ? { values: of(given), gradients: of(results) } : null;
    };
    if (weighted) each(body, 0, 4 * w, (i) => body.store(float(0), body.at(results.at(-1)!, i)));
    const allStats = statistics(body, sizes);
    const scale = 1 / Math.sqrt(w);
    const all = whole(body, t, QUERIES);
    const take = shares(body, scratch);
    const ofQueries = (width: number) => take(body.mul(all, width));
    const ofKeys = (width: number) => take(KEYS * width);
    // of a head
    const [queries, upstream, dQueries] = [ofQueries(padded), ofQueries(padded), ofQueries(padded)];
    const [largest, inverse, dots] = [ofQueries(1), ofQueries(1), ofQueries(1)];
    // of a block of keys
    const [turnedKeys, turnedValues] = [ofKeys(w), ofKeys(w)];
    const [keys, dKeys, dValues] = [ofKeys(padded), ofKeys(padded), ofKeys(padded)];
    const [p, ds] = [take(QUERIES * KEYS), take(QUERIES * KEYS)];
    const lines = { line: padded };
    const rowsOf = (tensor: Value, place: Place, rows: Value, first: Value, count: Value): Rows & { line: Value } => ({
      at: body.at(tensor, place.at(rows, first)),
      line: place.line,
      count,
      w,
    });
    eachHead(body, sizes, w, ({ index, all: from, own }) => {
      clear(body, queries, body.mul(all, 3 * padded));
      const zero = i64(0);
      const [ourQueries, ourOutputs, ourUpstream] = [
        rowsOf(q, from.q, t, zero, t),
        rowsOf(o, from.o, t, zero, t),
        rowsOf(dy, from.o, t, zero, t),
      ];
      const scaled = { at: queries, ...lines };
      if (norms.queries) normRows(body, ourQueries, scaled, weights(0)?.values ?? null, scale * Math.LOG2E);
      else copyRows(body, ourQueries, scaled, scale * Math.LOG2E);
      copyRows(body, ourUpstream, { at: upstream, ...lines });
      each(body, 0, t, (r) => {
        // the row sums of dP * P equal those of dy * o
        const at = ({ at, line }: Rows) => body.at(at, body.mul(r, line));
        const product = dot(body, at(ourOutputs), at(ourUpstream), w);
        const statistics = body.at(stats, body.add(body.mul(index, t), r));
        body.store(product, body.at(dots, r));
        body.store(body.load(FLOAT, statistics), body.at(largest, r));
        body.store(body.load(FLOAT, body.at(statistics, allStats)), body.at(inverse, r));
      });
      // rows beyond the last query count for nothing
      for (const list of [dots, largest, inverse]) {
        each(body, t, all, (r) => body.store(float(0), body.at(list, r)));
      }
      body.loop(0, s, KEYS, [], (first) => {
        const valid = atMost(body, body.sub(s, first), KEYS);
        const columns = whole(body, valid, scores.vectors * body.lanes);
        const ourKeys = rowsOf(k, from.k, s, first, valid);
        clear(body, turnedKeys, KEYS * (2 * w + 3 * padded));
        if (norms.keys) normRows(body, ourKeys, { at: keys, ...lines }, weights(1)?.values ?? null);
        else copyRows(body, ourKeys, { at: keys, ...lines });
        turnRows(body, { at: keys, ...lines, count: valid, w }, turnedKeys, KEYS);
        turnRows(body, rowsOf(v, from.v, s, first, valid), turnedValues, KEYS);
        body.loop(0, all, QUERIES, [], (query) => {
          const offset = body.mul(query, padded);
          const [blockQueries, blockUpstream] = [body.at(queries, offset), body.at(upstream, offset)];
          body.call("void", "@scores", [blockQueries, turnedKeys, p, i64(QUERIES), columns, i64(w)]);
          body.call("void", "@scores", [blockUpstream, turnedValues, ds, i64(QUERIES), columns, i64(w)]);
          each(body, 0, QUERIES, (r) => {
            const row = body.add(query, r);
            const of = (list: Value) => body.splat(body.load(FLOAT, body.at(list, row)));
            const [shift, factor, product] = [of(largest), of(inverse), of(dots)];
            const begin = body.mul(r, KEYS);
            const [pRow, dsRow] = [body.at(p, begin), body.at(ds, begin)];
            body.loop(0, columns, body.lanes, [], (c) => {
              const [toP, toDs] = [body.at(pRow, c), body.at(dsRow, c)];
              const e = exp2UpToZero(body, body.fsub(body.load(body.vector, toP), shift));
              const weight = body.fmul(e, factor);
              body.store(weight, toP);
              body.store(body.fmul(weight, body.fsub(body.load(body.vector, toDs), product)), toDs);
              return [];
            });
          });
          const width = i64(padded);
          body.call("void", "@byKey", [p, blockUpstream, dValues, valid, width, i64(QUERIES)]);
          body.call("void", "@byKey", [ds, blockQueries, dKeys, valid, width, i64(QUERIES)]);
          body.call("void", "@byQuery", [ds, keys, body.at(dQueries, offset), i64(QUERIES), width, valid]);
          return [];
        });
        const written = { ...lines, count: valid, w };
        const toKeys = rowsOf(dk, own.k, s, first, valid);
        // queries were scaled to powers of two
        if (norms.keys) {
          normGradRows(body, ourKeys, { ...written, at: dKeys, factor: Math.LN2 }, toKeys, weights(1));
        } else copyRows(body, { ...written, at: dKeys }, toKeys, Math.LN2);
        copyRows(body, { ...written, at: dValues }, rowsOf(dv, own.v, s, first, valid));
        return [];
      });
      const toQueries = rowsOf(dq, own.q, t, zero, t);
      const gradients = { ...lines, at: dQueries };
      if (norms.queries) normGradRows(body, ourQueries, { ...gradients, factor: scale }, toQueries, weights(0));
      else copyRows(body, { ...gradients, count: t, w }, toQueries, scale);
    });
  });
  return module.text;
}
