/**
 * The gradient of a linear layer's weight, `dy^T x`, and of its bias: a product whose both operands are copied into the
 * order in which the tile reads them (Goto and van de Geijn 2008), so that neither is transposed first.
 */
import { type Body, FLOAT, float, i64, Module, type Value, vectorOf } from "../llvm/ir.js";
import type { Target } from "../llvm/jit.js";
import { addRows, along, clearAll } from "./elements.js";
import { addresses, atMost, blocksOf, KERNEL, numbers, shares, whole } from "./kernel.js";
import { each } from "./rows.js";
import { equalParts, roundUp, tileFor } from "./shape.js";
import { defineProduct } from "./tile.js";

/** Rows of x and dy that are copied at once, at most, and columns of x. */
const ROWS = 544;
const COLUMNS = 256;

interface Shape {
  rows: number;
  inputs: number;
  outputs: number;
}

/** Rows of a block: equal blocks, as few as possible. */
const blockRows = (rows: number): number => equalParts(rows, ROWS);

/** Floats of scratch space. */
export function weightGradScratch(target: Target, { rows, outputs }: Shape): number {
  const tile = tileFor(target, 2);
  const columns = tile.vectors * target.lanes;
  return blockRows(rows) * (COLUMNS + roundUp(outputs, tile.rows)) + tile.rows * columns;
}

/** Parameters of the kernel. */
export const weightGradParameters = ({ rows, inputs, outputs }: Shape): number[] => [
  rows,
  inputs,
  outputs,
  blockRows(rows),
];

/** LLVM assembly of the kernel `x [R, i], dy [R, o] -> dweight [o, i], dbias [o]`. */
export function weightGradKernel(target: Target, name: string): string {
  const module = new Module(target.lanes);
  const tile = tileFor(target, 2);
  const width = tile.vectors * target.lanes;
  const layout = { ...tile, aRow: 1, aColumn: tile.rows, bRow: width, cRow: width, accumulate: false };
  defineProduct(module, "tile", layout);
  module.define(name, KERNEL, (body, [given, results, parameters, scratch]) => {
    const [x, dy] = addresses(body, given, 2);
    const [dWeight, dBias] = addresses(body, results, 2);
    const [rows, inputs, outputs, block] = numbers(body, parameters, 4);
    const take = shares(body, scratch);
    const panelsOfX = take(body.mul(block, COLUMNS));
    const panelsOfDy = take(body.mul(block, whole(body, outputs, tile.rows)));
    const sums = take(tile.rows * width);
    clearAll(body, dBias, outputs);
    // without rows nothing adds up
    body.when(body.compare("eq", rows, i64(0)), () => clearAll(body, dWeight, body.mul(outputs, inputs)));
    blocksOf(body, rows, block, (first, terms) => {
      const later = body.compare("ne", first, i64(0));
      addRows(body, body.at(dy, body.mul(first, outputs)), terms, outputs, dBias);
      body.loop(0, outputs, tile.rows, [], (o) => {
        const to = body.at(panelsOfDy, body.mul(o, block));
        pack(body, { at: body.at(dy, body.mul(first, outputs)), line: outputs, terms }, o, tile.rows, to);
        return [];
      });
      body.loop(0, inputs, COLUMNS, [], (c) => {
        const columns = atMost(body, body.sub(inputs, c), COLUMNS);
        body.loop(0, columns, width, [], (n) => {
          const to = body.at(panelsOfX, body.mul(n, block));
          pack(body, { at: body.at(x, body.mul(first, inputs)), line: inputs, terms }, body.add(c, n), width, to);
          return [];
        });
        body.loop(0, columns, width, [], (n) => {
          body.loop(0, outputs, tile.rows, [], (o) => {
            const [a, b] = [body.at(panelsOfDy, body.mul(o, block)), body.at(panelsOfX, body.mul(n, block))];
            body.call("void", "@tile", [a, b, sums, i64(tile.rows), i64(width), terms]);
            const column = body.add(c, n);
            const place = body.at(dWeight, body.add(body.mul(o, inputs), column));
            const size = {
              rows: atMost(body, body.sub(outputs, o), tile.rows),
              columns: atMost(body, body.sub(inputs, column), width),
            };
            write(body, { from: sums, width }, { at: place, line: inputs, ...size }, later);
            return [];
          });
          return [];
        });
        return [];
      });
    });
  });
  return module.text;
}

/** Columns `first` to `first + width` of rows that lie `line` apart, row after row; columns beyond the last are 0. */
function pack(
  body: Body,
  { at, line, terms }: { at: Value; line: Value; terms: Value },
  first: Value,
  width: number,
  to: Value,
): void {
  const left = body.sub(line, first);
  const type = vectorOf(width);
  const full = body.compare("sge", left, i64(width));
  body.when(full, () => {
    each(body, 0, terms, (row) => {
      const from = body.at(at, body.add(body.mul(row, line), first));
      body.store(body.load(type, from), body.at(to, body.mul(row, width)));
    });
  });
  body.when(body.compare("slt", left, i64(width)), () => {
    each(body, 0, terms, (row) => {
      const [from, target] = [body.at(at, body.add(body.mul(row, line), first)), body.at(to, body.mul(row, width))];
      each(body, 0, left, (i) => body.store(body.load(FLOAT, body.at(from, i)), body.at(target, i)));
      each(body, left, i64(width), (i) => body.store(float(0), body.at(target, i)));
    });
  });
}

/** A tile's sums to their place, or added to what is there. */
function write(
  body: Body,
  { from, width }: { from: Value; width: number },
  to: { at: Value; line: Value; rows: Value; columns: Value },
  add: Value,
): void {
  each(body, 0, to.rows, (row) => {
    const [source, target] = [body.at(from, body.mul(row, width)), body.at(to.at, body.mul(row, to.line))];
    along(body, to.columns, (i, type, of) => {
      const [sum, place] = [body.load(type, body.at(source, i)), body.at(target, i)];
      // the first time there may be anything, also what is not a number
      const before = body.load(type, place);
      body.store(body.fadd(body.select(add, before, of(float(0))), sum), place);
    });
  });
}
