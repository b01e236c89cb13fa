/**
 * Products of float32 matrices by the matrix unit, which multiplies bfloat16 numbers: each number as a sum of up to three,
 * and of the products of parts those that are not below the last bit kept (Henry, Tang and Heinecke 2019). With three what
 * comes out is as near to the exact result as a float32 product's, but for numbers around 1e-33 and below, whose parts the
 * unit takes as zero.
 */
import { type Body, FLOAT, I64, i64, Module, PTR, type Value } from "../llvm/ir.js";
import type { Target } from "../llvm/jit.js";
import {
  configureTiles,
  loadTile,
  multiplyTiles,
  releaseTiles,
  storeTile,
  TERMS,
  TILE,
  TILE_BYTES,
  TILE_ROW,
} from "./amx.js";
import { definePacking, type Parts, type Side, STEP_WIDTH, stepBytes } from "./bfloat16.js";
import { addRows, clearAll } from "./elements.js";
import { addresses, atLeast, atMost, blocksOf, KERNEL, numbers, shares, whole } from "./kernel.js";
import { clear, each } from "./rows.js";
import { equalParts, roundUp } from "./shape.js";

/** c [m, n] = a b (+ bias), over `terms` */
export interface ProductShape {
  m: number;
  n: number;
  terms: number;
}

export interface ProductVariant {
  /** the first factor is given as [terms, m] */
  turnedA: boolean;
  /** the second factor is given as [n, terms] */
  turnedB: boolean;
  /** an input [n] that is added to each row */
  bias: boolean;
  /** of each number that are multiplied */
  parts: Parts;
  /** a second output: sums over the rows of the first factor as it is given (turned) */
  sums: boolean;
}

/** Bytes of the first factor's tiles that are worked on at once: within the second-level cache. */
const BLOCK_BYTES = 1 << 20;
/** Rows of the first factor that are worked on at once, at most: for each such block the second is packed again. */
const BLOCK_ROWS = 1024;

/** Rows and terms that are worked on at once. */
function blocks({ m, terms }: ProductShape, parts: Parts): { rows: number; terms: number } {
  const rows = equalParts(m, BLOCK_ROWS, STEP_WIDTH);
  const steps = Math.floor(BLOCK_BYTES / ((rows / STEP_WIDTH) * stepBytes(parts)));
  return { rows, terms: equalParts(terms, steps * TERMS, TERMS) };
}

const FLOAT_BYTES = 4;
const stepFloats = (parts: Parts): number => stepBytes(parts) / FLOAT_BYTES;

/** Floats of scratch space. */
export function productScratch(shape: ProductShape, parts: Parts): number {
  const { rows, terms } = blocks(shape, parts);
  const panel = (terms / TERMS) * stepFloats(parts);
  return roundUp(shape.n, STEP_WIDTH) + panel * (rows / STEP_WIDTH + 1);
}

export function productParameters(shape: ProductShape, parts: Parts): number[] {
  const { rows, terms } = blocks(shape, parts);
  return [shape.m, shape.n, shape.terms, rows, terms];
}

/** tiles: sums in the first four, then two of each factor */
const SUMS = [0, 1, 2, 3] as const;
const FIRST = [4, 5] as const;
const SECOND = [6, 7] as const;

/** LLVM assembly of the kernel `a, b, bias? -> c, sums?`. */
export function productKernel(target: Target, name: string, variant: ProductVariant): string {
  const { turnedA, turnedB, bias, sums, parts } = variant;
  const module = new Module(target.lanes);
  definePacking(module, "pack_first", { side: "first", turned: turnedA, parts });
  definePacking(module, "pack_second", { side: "second", turned: turnedB, parts });
  defineTiles(module, "tiles", parts);
  module.define(name, KERNEL, (body, [given, results, parameters, scratch]) => {
    const inputs = addresses(body, given, bias ? 3 : 2);
    const [c, total] = addresses(body, results, sums ? 2 : 1);
    const [m, n, terms, blockRows, blockTerms] = numbers(body, parameters, 5);
    const take = shares(body, scratch);
    const width = whole(body, n, STEP_WIDTH);
    const start = take(width);
    const second = take(body.mul(body.div(blockTerms, TERMS), stepFloats(parts)));
    const first = take(0);
    clear(body, start, width);
    if (bias) each(body, 0, n, (i) => body.store(body.load(FLOAT, body.at(inputs[2], i)), body.at(start, i)));
    if (sums) {
      clearAll(body, total, m);
      addRows(body, inputs[0], terms, m, total);
    }
    configureTiles(body);
    blocksOf(body, m, blockRows, (row, rows) => {
      // once also without terms
      const any = atLeast(body, terms, 1);
      blocksOf(body, any, blockTerms, (term, count) => {
        const span = { term, terms: atMost(body, count, terms), ofTerms: terms };
        const steps = body.div(body.add(span.terms, TERMS - 1), TERMS);
        const panel = body.mul(steps, stepFloats(parts));
        const factor = { ...span, panel, parts };
        pack(body, { ...factor, side: "first", at: inputs[0], turned: turnedA, from: row, rows, ofRows: m }, first);
        const later = body.compare("ne", term, i64(0));
        body.loop(0, n, STEP_WIDTH, [], (column) => {
          const columns = atMost(body, body.sub(n, column), STEP_WIDTH);
          const own = { from: column, rows: columns, ofRows: n };
          pack(body, { ...factor, side: "second", at: inputs[1], turned: turnedB, ...own }, second);
          body.loop(0, rows, STEP_WIDTH, [], (own) => {
            const a = body.at(first, body.mul(body.div(own, STEP_WIDTH), panel));
            const at = body.at(c, body.add(body.mul(body.add(row, own), n), column));
            const left = [body.sub(rows, own), columns];
            body.call("void", "@tiles", [a, second, body.at(start, column), at, n, ...left, steps, later]);
            return [];
          });
          return [];
        });
      });
    });
    releaseTiles(body);
  });
  return module.text;
}

interface Packed {
  side: Side;
  /** the matrix as it is given */
  at: Value;
  turned: boolean;
  /** the first of the terms, how many, of how many in all */
  term: Value;
  terms: Value;
  ofTerms: Value;
  /** floats of a panel: the terms of two tiles' rows or columns */
  panel: Value;
  parts: Parts;
  /** the first of the rows of the first factor, or columns of the second, how many, of how many in all */
  from: Value;
  rows: Value;
  ofRows: Value;
}

/** Panel after panel, step after step. */
function pack(body: Body, packed: Packed, tiles: Value): void {
  const { side, at, turned, panel, parts, term, terms, from, rows } = packed;
  // in the matrix as it is given, terms lie side by side in rows, or below each other
  const sideBySide = (side === "first") !== turned;
  const line = sideBySide ? packed.ofTerms : packed.ofRows;
  body.loop(0, rows, STEP_WIDTH, [], (row) => {
    const place = body.at(tiles, body.mul(body.div(row, STEP_WIDTH), panel));
    body.loop(0, terms, TERMS, [], (k) => {
      const step = body.at(place, body.mul(body.div(k, TERMS), stepFloats(parts)));
      for (const tile of [0, 1]) {
        const own = body.add(row, tile * TILE);
        const ofRows = [body.add(from, own), body.sub(rows, own)];
        const ofTerms = [body.add(term, k), body.sub(terms, k)];
        const [[p, pLeft], [q, qLeft]] = sideBySide ? [ofRows, ofTerms] : [ofTerms, ofRows];
        const source = body.at(at, body.add(body.mul(p, line), q));
        const target = body.at(step, tile * TILE_BYTES, "i8");
        body.call("void", `@pack_${side}`, [source, line, pLeft, qLeft, target]);
      }
      return [];
    });
    return [];
  });
}

/**
 * `name(a, b, start, c, line, rows, columns, steps, later)`: 32 x 32 numbers of c, of which so many rows and columns are
 * written. Sums begin as `start`, the same for each row, or `later` as what c holds.
 */
function defineTiles(module: Module, name: string, parts: Parts): void {
  module.define(
    name,
    [PTR, PTR, PTR, PTR, I64, I64, I64, I64, "i1"],
    (body, [a, b, start, c, line, rows, columns, steps, later]) => {
      const spare = body.alloca(FLOAT, STEP_WIDTH * STEP_WIDTH);
      const [place, apart] = [body.alloca(PTR, 1), body.alloca(I64, 1)];
      body.store(c, place);
      body.store(body.mul(line, FLOAT_BYTES), apart);
      const copy = (to: "spare" | "c") => {
        each(body, 0, atMost(body, rows, STEP_WIDTH), (row) => {
          const [inSpare, inC] = [body.at(spare, body.mul(row, STEP_WIDTH)), body.at(c, body.mul(row, line))];
          const [from, target] = to === "c" ? [inSpare, inC] : [inC, inSpare];
          each(body, 0, columns, (i) => body.store(body.load(FLOAT, body.at(from, i)), body.at(target, i)));
        });
      };
      const full = [rows, columns].map((left) => body.compare("sge", left, i64(STEP_WIDTH)));
      const partial = body.not(body.binary("and", full[0], full[1]));
      body.when(partial, () => {
        // only what is copied in is copied out again
        clear(body, spare, i64(STEP_WIDTH * STEP_WIDTH));
        body.when(later, () => copy("spare"));
        body.store(spare, place);
        body.store(i64(STEP_WIDTH * FLOAT_BYTES), apart);
      });
      const [to, bytes] = [body.load(PTR, place), body.load(I64, apart)];
      const tileAt = (tile: number) => {
        const row = body.at(to, body.mul(bytes, Math.floor(tile / 2) * TILE), "i8");
        return body.at(row, (tile % 2) * TILE);
      };
      body.when(later, () => {
        for (const tile of SUMS) loadTile(body, tile, tileAt(tile), bytes);
      });
      body.when(body.not(later), () => {
        for (const tile of SUMS) loadTile(body, tile, body.at(start, (tile % 2) * TILE), 0);
      });
      body.loop(0, steps, 1, [a, b], (_, [a, b]) => {
        multiplyStep(body, a, b, parts);
        return [a, b].map((at) => body.at(at, stepBytes(parts), "i8"));
      });
      for (const tile of SUMS) storeTile(body, tile, tileAt(tile), bytes);
      body.when(partial, () => copy("c"));
    },
    { internal: true },
  );
}

/**
 * Products of parts, [of the first factor, of the second], down to the last part that is kept, so ordered that each needs
 * few tiles that the one before had not.
 */
const PRODUCTS: Readonly<Record<Parts, readonly (readonly [number, number])[]>> = {
  1: [[0, 0]],
  2: [
    [1, 0],
    [0, 0],
    [0, 1],
  ],
  3: [
    [2, 0],
    [1, 0],
    [1, 1],
    [0, 1],
    [0, 0],
    [0, 2],
  ],
};

/** The products of parts of 32 terms, two tiles of rows by two of columns. */
function multiplyStep(body: Body, a: Value, b: Value, parts: Parts): void {
  const load = (tiles: readonly number[], from: Value, part: number) => {
    for (const [i, tile] of tiles.entries()) {
      loadTile(body, tile, body.at(from, (2 * part + i) * TILE_BYTES, "i8"), TILE_ROW);
    }
  };
  let [heldA, heldB] = [-1, -1];
  for (const [i, j] of PRODUCTS[parts]) {
    if (i !== heldA) load(FIRST, a, i);
    if (j !== heldB) load(SECOND, b, j);
    [heldA, heldB] = [i, j];
    for (const tile of SUMS) multiplyTiles(body, tile, FIRST[Math.floor(tile / 2)], SECOND[tile % 2]);
  }
}
