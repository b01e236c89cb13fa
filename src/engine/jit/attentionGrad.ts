/** The backward pass of attention by blocks of keys and queries; probabilities are computed again. */
import { type Body, FLOAT, float, i64, Module, PTR, type Value } from "../llvm/ir.js";
import type { Target } from "../llvm/jit.js";
import {
  eachHead,
  extrasOf,
  headRows,
  layoutOf,
  type Place,
  queriesOf,
  sizesOf,
  TENSORS,
  type Variant,
} from "./attentionLayout.js";
import { exp2UpToZero } from "./functions.js";
import { normGradRows, normRows, weightsAt } from "./headNorm.js";
import { addresses, atMost, KERNEL, shares, whole } from "./kernel.js";
import { clear, copyRows, dot, each, lines, turnRows } from "./rows.js";
import { roundUp } from "./shape.js";
import { defineProduct } from "./tile.js";

/** Queries and keys of a block: whole numbers of tiles on every processor. */
const QUERIES = 48;
const KEYS = 96;

/** Floats of scratch space for T queries, or a list of `chosen` rows. */
export function attentionGradScratch(target: Target, w: number, t: number, chosen: number): number {
  const { padded } = layoutOf(target, w);
  const list = 2 * chosen;
  return list + roundUp(chosen || t, QUERIES) * (3 * padded + 3) + KEYS * (2 * w + 3 * padded) + 2 * QUERIES * KEYS;
}

/**
 * LLVM assembly of the kernel `q, k, v, (chosen rows), o, dy, stats, (weights of norms) -> gradients of the tensors, (of
 * the weights)`. There are always three of them; those whose number no `...Source` gives stay empty. `stats` as the
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
  module.define(name, KERNEL, (body, [inputs, outputs, parameters, scratch]) => {
    const sizes = sizesOf(body, parameters);
    const { t, s } = sizes;
    const given = addresses(body, inputs, TENSORS + 3 + extrasOf(variant));
    const results = addresses(body, outputs, TENSORS + (weighted ? 1 : 0));
    const [q, k, v] = given;
    const sources = [sizes.qSource, sizes.kSource, sizes.vSource];
    const [dq, dk, dv] = sources.map((source) => body.load(PTR, body.at(outputs, source, PTR)));
    const chosen = variant.chosen ? given[TENSORS] : null;
    const [o, dy, stats] = given.slice(TENSORS + (variant.chosen ? 1 : 0));
    const weights = (side: "q" | "k") => {
      const of = (list: Value[]) => weightsAt(body, list.at(-1)!, side, w);
      return weighted ? { values: of(given), gradients: of(results) } : null;
    };
    if (weighted) each(body, 0, 4 * w, (i) => body.store(float(0), body.at(results.at(-1)!, i)));
    const scale = 1 / Math.sqrt(w);
    // of a list of rows any sequence may have all
    const most = whole(body, chosen ? sizes.chosen : t, QUERIES);
    const take = shares(body, scratch);
    const perQuery = (width: number) => take(body.mul(most, width));
    const perKey = (width: number) => take(KEYS * width);
    // of a head
    const [queries, upstream, dQueries] = [perQuery(padded), perQuery(padded), perQuery(padded)];
    const [largest, inverse, dots] = [perQuery(1), perQuery(1), perQuery(1)];
    // of a block of keys
    const [turnedKeys, turnedValues] = [perKey(w), perKey(w)];
    const [keys, dKeys, dValues] = [perKey(padded), perKey(padded), perKey(padded)];
    const [p, ds] = [take(QUERIES * KEYS), take(QUERIES * KEYS)];
    const list = take(body.mul(sizes.chosen, 2));
    const blockOf = (at: Value, count: Value) => lines(body, at, padded, count, w);
    eachHead(body, sizes, w, (head) => {
      const { sequence, all: from, computed } = head;
      const asked = queriesOf(body, sizes, head, chosen, list);
      const all = whole(body, asked.count, QUERIES);
      clear(body, queries, body.mul(most, 3 * padded));
      const ofQueries = (tensor: Value, place: Place, row: (i: Value) => Value) =>
        headRows(body, tensor, place, row, asked.count, w);
      const ourQueries = ofQueries(q, from.q, asked.source);
      const [ourOutputs, ourUpstream] = [o, dy].map((tensor) => ofQueries(tensor, from.o, asked.result));
      const scaled = blockOf(queries, asked.count);
      if (norms.queries) normRows(body, ourQueries, scaled, weights("q")?.values ?? null, scale * Math.LOG2E);
      else copyRows(body, ourQueries, scaled, scale * Math.LOG2E);
      copyRows(body, ourUpstream, blockOf(upstream, asked.count));
      each(body, 0, asked.count, (r) => {
        // the row sums of dP * P equal those of dy * o
        const product = dot(body, ourOutputs.row(r), ourUpstream.row(r), w);
        const statistics = body.at(stats, asked.statistics(r));
        body.store(product, body.at(dots, r));
        body.store(body.load(FLOAT, statistics), body.at(largest, r));
        body.store(body.load(FLOAT, body.at(statistics, asked.kind)), body.at(inverse, r));
      });
      // rows beyond the last query count for nothing
      for (const list of [dots, largest, inverse]) {
        each(body, asked.count, all, (r) => body.store(float(0), body.at(list, r)));
      }
      const keysBefore = body.mul(sequence, s);
      body.loop(0, s, KEYS, [], (first) => {
        const valid = atMost(body, body.sub(s, first), KEYS);
        const columns = whole(body, valid, scores.vectors * body.lanes);
        const start = body.add(keysBefore, first);
        const ofKeys = (tensor: Value, place: Place) =>
          headRows(body, tensor, place, (i) => body.add(start, i), valid, w);
        const ourKeys = ofKeys(k, from.k);
        const keyBlock = blockOf(keys, valid);
        clear(body, turnedKeys, KEYS * (2 * w + 3 * padded));
        if (norms.keys) normRows(body, ourKeys, keyBlock, weights("k")?.values ?? null);
        else copyRows(body, ourKeys, keyBlock);
        turnRows(body, keyBlock, turnedKeys, KEYS);
        turnRows(body, ofKeys(v, from.v), turnedValues, KEYS);
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
        const toKeys = ofKeys(dk, computed.k);
        const gradients = blockOf(dKeys, valid);
        // queries were scaled to powers of two
        if (norms.keys) normGradRows(body, ourKeys, { ...gradients, factor: Math.LN2 }, toKeys, weights("k"));
        else copyRows(body, gradients, toKeys, Math.LN2);
        copyRows(body, blockOf(dValues, valid), ofKeys(dv, computed.v));
        return [];
      });
      const toQueries = ofQueries(dq, computed.q, asked.source);
      // rows that nobody chose have no gradient, those that are chosen twice the sum of two
      if (chosen) clearRows(body, sequence, t, w, (row) => body.at(dq, computed.q(row)));
      const add = { add: chosen !== null };
      const gradients = blockOf(dQueries, asked.count);
      if (norms.queries) normGradRows(body, ourQueries, { ...gradients, factor: scale }, toQueries, weights("q"), add);
      else copyRows(body, gradients, toQueries, scale, add);
    });
  });
  return module.text;
}

/** Sets a head's columns of all rows of a sequence to zero. */
function clearRows(body: Body, sequence: Value, t: Value, w: number, at: (row: Value) => Value): void {
  const before = body.mul(sequence, t);
  each(body, 0, t, (i) => {
    const row = at(body.add(before, i));
    for (let c = 0; c < w; c++) body.store(float(0), body.at(row, c));
  });
}
