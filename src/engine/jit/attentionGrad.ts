/** The backward pass of attention by blocks of keys and queries; probabilities are computed again. */
import { FLOAT, float, i64, Module, PTR, type Value } from "../llvm/ir.js";
import type { Target } from "../llvm/jit.js";
import { addresses, atMost, eachHead, layoutOf, shares, sizesOf, statistics, whole } from "./attentionLayout.js";
import { exp2UpToZero } from "./functions.js";
import { clear, copyRows, dot, each, turnRows } from "./rows.js";
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
 * LLVM assembly of the kernel `q, k, v, o, dy, stats -> dq, dk, dv`; `stats` as the forward kernel gives it for the same
 * heads, whose gradients [batch*rows, n*w] come out.
 */
export function attentionGradKernel(target: Target, name: string, w: number): string {
  const module = new Module(target.lanes);
  const { padded, scores, sums } = layoutOf(target, w);
  const added = { bRow: padded, cRow: padded, accumulate: true };
  defineProduct(module, "scores", { ...scores, aRow: padded, aColumn: 1, bRow: KEYS, cRow: KEYS, accumulate: false });
  defineProduct(module, "byQuery", { ...sums, ...added, aRow: KEYS, aColumn: 1 });
  defineProduct(module, "byKey", { ...sums, ...added, aRow: 1, aColumn: KEYS });
  module.define(name, [PTR, PTR, PTR, PTR], (body, [inputs, outputs, parameters, scratch]) => {
    const sizes = sizesOf(body, parameters);
    const { t, s } = sizes;
    const [q, k, v, o, dy, stats] = addresses(body, inputs, 6);
    const [dq, dk, dv] = addresses(body, outputs, 3);
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
    eachHead(body, sizes, w, ({ index, all: { line, at: place }, own }) => {
      clear(body, queries, body.mul(all, 3 * padded));
      const start = place(t, i64(0));
      const from = (tensor: Value) => ({ at: body.at(tensor, start), line, count: t, w });
      copyRows(body, from(q), { at: queries, ...lines }, scale * Math.LOG2E);
      copyRows(body, from(dy), { at: upstream, ...lines });
      each(body, 0, t, (r) => {
        const at = body.mul(r, line);
        // the row sums of dP * P equal those of dy * o
        const product = dot(body, body.at(body.at(o, start), at), body.at(body.at(dy, start), at), w);
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
        const at = place(s, first);
        const [ourKeys, ourValues] = [k, v].map((tensor) => ({ at: body.at(tensor, at), line, count: valid, w }));
        clear(body, turnedKeys, KEYS * (2 * w + 3 * padded));
        turnRows(body, ourKeys, turnedKeys, KEYS);
        turnRows(body, ourValues, turnedValues, KEYS);
        copyRows(body, ourKeys, { at: keys, ...lines });
        body.loop(0, all, QUERIES, [], (query) => {
          const offset = body.mul(query, padded);
          const [ourQueries, ourUpstream] = [body.at(queries, offset), body.at(upstream, offset)];
          body.call("void", "@scores", [ourQueries, turnedKeys, p, i64(QUERIES), columns, i64(w)]);
          body.call("void", "@scores", [ourUpstream, turnedValues, ds, i64(QUERIES), columns, i64(w)]);
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
          body.call("void", "@byKey", [p, ourUpstream, dValues, valid, width, i64(QUERIES)]);
          body.call("void", "@byKey", [ds, ourQueries, dKeys, valid, width, i64(QUERIES)]);
          body.call("void", "@byQuery", [ds, keys, body.at(dQueries, offset), i64(QUERIES), width, valid]);
          return [];
        });
        const written = { ...lines, count: valid, w };
        const to = (tensor: Value) => ({ at: body.at(tensor, own.at(s, first)), line: own.line });
        // queries were scaled to powers of two
        copyRows(body, { ...written, at: dKeys }, to(dk), Math.LN2);
        copyRows(body, { ...written, at: dValues }, to(dv));
        return [];
      });
      const to = { at: body.at(dq, own.at(t, i64(0))), line: own.line };
      copyRows(body, { ...lines, at: dQueries, count: t, w }, to, scale);
    });
  });
  return module.text;
}
