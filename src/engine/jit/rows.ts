/** Moving rows of numbers between a tensor and the scratch space of a kernel. */
import { type Body, FLOAT, float, type Value } from "../llvm/ir.js";

/** Rows of `w` numbers each. */
export interface Rows {
  /** where row `i` begins */
  row(i: Value): Value;
  count: Value;
  w: number;
}

/** Rows that lie `line` elements apart. */
export const lines = (body: Body, at: Value, line: Value | number, count: Value, w: number): Rows => ({
  row: (i) => body.at(at, body.mul(i, line)),
  count,
  w,
});

/** Calls `fn(i)` for `from <= i < to`. */
export function each(body: Body, from: Value | number, to: Value | number, fn: (i: Value) => void): void {
  body.loop(from, to, 1, [], (i) => {
    fn(i);
    return [];
  });
}

/** Calls `fn` with the offset and type of each piece of a row: whole vectors, then what is left one by one. */
export function pieces(body: Body, w: number, fn: (offset: number, type: string) => void): void {
  const whole = w - (w % body.lanes);
  for (let at = 0; at < whole; at += body.lanes) fn(at, body.vector);
  for (let at = whole; at < w; at++) fn(at, FLOAT);
}

const times = (body: Body, value: Value, factor: number): Value => {
  if (factor === 1) return value;
  return body.fmul(value, value.type === FLOAT ? float(factor) : body.constant(factor));
};

/** Copies rows, times a factor, or adds them to what is there. */
export function copyRows(body: Body, from: Rows, to: Rows, factor = 1, { add = false } = {}): void {
  each(body, 0, from.count, (row) => {
    const [source, target] = [from.row(row), to.row(row)];
    pieces(body, from.w, (at, type) => {
      put(body, times(body, body.load(type, body.at(source, at)), factor), body.at(target, at), add);
    });
  });
}

/** Stores a value, or adds it to what is there. */
export function put(body: Body, value: Value, at: Value, add: boolean): void {
  body.store(add ? body.fadd(body.load(value.type, at), value) : value, at);
}

/** Copies rows to columns: number c of row r to `to[c * spacing + r]`. */
export function turnRows(body: Body, from: Rows, to: Value, spacing: number): void {
  const { lanes } = body;
  const { w, count } = from;
  const whole = w - (w % lanes);
  const groups = body.mul(body.div(count, lanes), lanes);
  const one = (row: Value, c: number) => {
    const number = body.load(FLOAT, body.at(from.row(row), c));
    body.store(number, body.at(to, body.add(row, c * spacing)));
  };
  body.loop(0, groups, lanes, [], (row) => {
    body.loop(0, whole, lanes, [], (c) => {
      const block = Array.from({ length: lanes }, (_, i) =>
        body.load(body.vector, body.at(from.row(body.add(row, i)), c)),
      );
      const target = body.at(body.at(to, body.mul(c, spacing)), row);
      for (const [i, column] of transposed(body, block).entries()) body.store(column, body.at(target, i * spacing));
      return [];
    });
    return [];
  });
  each(body, 0, groups, (row) => {
    for (let c = whole; c < w; c++) one(row, c);
  });
  each(body, groups, count, (row) => {
    for (let c = 0; c < w; c++) one(row, c);
  });
}

/** A square block of vectors transposed, by exchanging halves, quarters, ... (Eklundh 1972). */
function transposed(body: Body, block: readonly Value[]): Value[] {
  const size = block.length;
  const lines = [...block];
  for (let step = 1; step < size; step *= 2) {
    for (let i = 0; i < size; i++) {
      if (i & step) continue;
      const [a, b] = [lines[i], lines[i + step]];
      const order = (upper: boolean) =>
        Array.from({ length: size }, (_, j) => {
          if (upper) return j & step ? size + j : j + step;
          return j & step ? size + j - step : j;
        });
      lines[i] = body.shuffle(a, b, order(false));
      lines[i + step] = body.shuffle(a, b, order(true));
    }
  }
  return lines;
}

/** The scalar product of two rows of `w` numbers. */
export function dot(body: Body, a: Value, b: Value, w: number): Value {
  let total: Value = body.constant(0);
  let rest: Value = float(0);
  pieces(body, w, (at, type) => {
    const [x, y] = [a, b].map((row) => body.load(type, body.at(row, at)));
    if (type === FLOAT) rest = body.fma(x, y, rest);
    else total = body.fma(x, y, total);
  });
  return body.fadd(body.sum(total), rest);
}

/** Sets `count` elements (whole vectors) to zero. */
export function clear(body: Body, at: Value, count: Value | number): void {
  const zero = body.constant(0);
  body.loop(0, count, body.lanes, [], (i) => {
    body.store(zero, body.at(at, i));
    return [];
  });
}
