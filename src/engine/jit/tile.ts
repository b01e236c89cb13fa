/** The inner loops of every product: tiles of sums in registers. */
import { type Body, FLOAT, I64, type Module, PTR, type Value } from "../llvm/ir.js";
import type { Tile } from "./shape.js";

/** A product `c (+)= a b` whose strides, in elements, are known when it is compiled. */
export interface ProductLayout extends Tile {
  /** from row to row of a, and from column to column */
  aRow: number;
  aColumn: number;
  /** from row to row of b and of c, whose columns lie side by side */
  bRow: number;
  cRow: number;
  /** add to what c holds */
  accumulate: boolean;
}

/**
 * Defines the function `name(a, b, c, rows, columns, terms)`. Columns are a whole number of tiles; the last tile of rows
 * may go beyond `rows`, where a is read and c written all the same.
 */
export function defineProduct(module: Module, name: string, layout: ProductLayout): void {
  const { rows: tileRows, vectors, aRow } = layout;
  module.define(
    name,
    [PTR, PTR, PTR, I64, I64, I64],
    (body, [a, b, c, rows, columns, terms]) => {
      // columns of b outside: its strip stays in the cache while the rows of a pass by
      body.loop(0, columns, vectors * body.lanes, [], (n) => {
        const [strip, to] = [body.at(b, n), body.at(c, n)];
        body.loop(0, rows, tileRows, [], (m) => {
          tile(body, layout, body.at(a, body.mul(m, aRow)), strip, body.at(to, body.mul(m, layout.cRow)), terms);
          return [];
        });
        return [];
      });
    },
    { internal: true },
  );
}

function tile(body: Body, layout: ProductLayout, a: Value, b: Value, c: Value, terms: Value): void {
  const { rows, vectors, aRow, aColumn, bRow, cRow, accumulate } = layout;
  const places = Array.from({ length: rows * vectors }, (_, i) => [Math.floor(i / vectors), i % vectors] as const);
  const at = (m: number, n: number) => body.at(c, m * cRow + n * body.lanes);
  const zero = body.constant(0);
  const start = places.map(([m, n]) => (accumulate ? body.load(body.vector, at(m, n)) : zero));
  const sums = body.loop(0, terms, 1, [a, b, ...start], (_, [a, b, ...sums]) => {
    const line = Array.from({ length: vectors }, (_, n) => body.load(body.vector, body.at(b, n * body.lanes)));
    const factors = Array.from({ length: rows }, (_, m) => body.splat(body.load(FLOAT, body.at(a, m * aRow))));
    const next = places.map(([m, n], i) => body.fma(factors[m], line[n], sums[i]));
    return [body.at(a, aColumn), body.at(b, bRow), ...next];
  });
  for (const [i, [m, n]] of places.entries()) body.store(sums[i + 2], at(m, n));
}
