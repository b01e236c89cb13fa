/**
 * Float32 numbers as sums of three bfloat16 numbers, which together have all of its 24 bits, copied into the tiles of the
 * matrix unit.
 */
import { type Body, FLOAT, I32, I64, i32, i64, type Module, PTR, type Value, vectorOf } from "../llvm/ir.js";
import { TERMS, TILE, TILE_BYTES, TILE_ROW } from "./amx.js";
import { atMost } from "./kernel.js";
import { clear, each, lines, turnRows } from "./rows.js";

/** How many parts are kept of each number: three are all of it. */
export type Parts = 1 | 2 | 3;
/** Bytes of a step: two tiles of each part, for `TERMS` terms. */
export const stepBytes = (parts: Parts): number => 2 * parts * TILE_BYTES;
/** Rows, or columns, of a step. */
export const STEP_WIDTH = 2 * TILE;

const HALF = i32(0x8000);
const UPPER = i32(0xffff0000);

/** The numbers of a vector in parts, the largest first, each rounded and in the upper half of 32 bits. */
function split(body: Body, x: Value, parts: Parts): Value[] {
  const number = (value: Value) => body.convert("bitcast", value, body.vector);
  const found: Value[] = [];
  let rest = x;
  for (let part = 0; part < parts; part++) {
    if (part > 0) rest = body.fsub(rest, number(found[part - 1]));
    found.push(body.binary("and", rounded(body, rest, part, parts), body.splat(UPPER)));
  }
  return found;
}

/** The bits of a number plus half of the last that is kept. */
function rounded(body: Body, x: Value, part: number, parts: Parts): Value {
  const bits = body.convert("bitcast", x, vectorOf(TILE, I32));
  // the third part has eight bits as it is
  if (part === 2) return bits;
  const sum = body.add(bits, body.splat(HALF));
  // what is not a number may turn into a finite one by the carry: its last part keeps that from happening
  return part === parts - 1 ? body.select(body.compare("oeq", x, x), sum, bits) : sum;
}

/** Whose tiles: of the first factor rows of terms side by side, of the second pairs of terms of each column. */
export type Side = "first" | "second";

/**
 * Defines `name(from, line, p, q, to)`: copies a block of a matrix whose rows lie `line` numbers apart into the
 * tiles of its parts, which lie two tiles apart. `p` rows and `q` columns of the matrix are left; what is beyond is zero.
 *
 * @param turned the matrix is the factor transposed
 */
export function definePacking(
  module: Module,
  name: string,
  { side, turned, parts }: { side: Side; turned: boolean; parts: Parts },
): void {
  // rows and columns of the block of the factor, and of the matrix it comes from
  const [height, width] = side === "first" ? [TILE, TERMS] : [TERMS, TILE];
  const [p, q] = turned ? [width, height] : [height, width];
  const pack = `${name}_tiles`;
  module.define(
    pack,
    [PTR, I64, PTR],
    (body, [from, line, to]) => (side === "first" ? rows : pairs)(body, { from, line, to, parts }),
    { internal: true },
  );
  module.define(
    name,
    [PTR, I64, I64, I64, PTR],
    (body, [from, line, left, leftColumns, to]) => {
      const [filled, transposed] = [body.alloca(FLOAT, p * q), body.alloca(FLOAT, p * q)];
      const place = body.alloca(PTR, 1);
      const step = body.alloca(I64, 1);
      body.store(from, place);
      body.store(line, step);
      const full = body.binary("and", body.compare("sge", left, i64(p)), body.compare("sge", leftColumns, i64(q)));
      body.when(body.not(full), () => {
        fill(body, { from, line, left, leftColumns }, filled, p, q);
        body.store(filled, place);
        body.store(i64(q), step);
      });
      const [source, apart] = [body.load(PTR, place), body.load(I64, step)];
      if (!turned) {
        body.call("void", `@${pack}`, [source, apart, to]);
        return;
      }
      turnRows(body, lines(body, source, apart, i64(p), q), transposed, p);
      body.call("void", `@${pack}`, [transposed, i64(p), to]);
    },
    { internal: true },
  );
}

/** What is left of a matrix, with zeros around it. */
function fill(
  body: Body,
  { from, line, left, leftColumns }: { from: Value; line: Value; left: Value; leftColumns: Value },
  to: Value,
  p: number,
  q: number,
): void {
  clear(body, to, p * q);
  each(body, 0, atMost(body, left, p), (row) => {
    const [source, target] = [body.at(from, body.mul(row, line)), body.at(to, body.mul(row, q))];
    each(body, 0, atMost(body, leftColumns, q), (i) =>
      body.store(body.load(FLOAT, body.at(source, i)), body.at(target, i)),
    );
  });
}

const tileOf = (body: Body, to: Value, part: number, row: Value): Value =>
  body.at(body.at(to, 2 * part * TILE_BYTES, "i8"), body.mul(row, TILE_ROW), "i8");

interface Block {
  from: Value;
  line: Value;
  to: Value;
  parts: Parts;
}

/** Rows of terms: 16 rows of 32 numbers. */
function rows(body: Body, { from, line, to, parts }: Block): void {
  const odd = Array.from({ length: TERMS }, (_, i) => 2 * i + 1);
  each(body, 0, i64(TILE), (row) => {
    const source = body.at(from, body.mul(row, line));
    const [a, b] = [0, TILE].map((at) => split(body, body.load(body.vector, body.at(source, at)), parts));
    for (let part = 0; part < parts; part++) {
      const halves = [a, b].map((side) => body.convert("bitcast", side[part], vectorOf(TERMS, "i16")));
      body.store(body.shuffle(halves[0], halves[1], odd), tileOf(body, to, part, row));
    }
  });
}

/** Pairs of terms of 16 columns: 32 rows of 16 numbers. */
function pairs(body: Body, { from, line, to, parts }: Block): void {
  each(body, 0, i64(TILE), (pair) => {
    const source = body.at(from, body.mul(body.mul(pair, 2), line));
    const [even, odd] = [source, body.at(source, line)].map((at) => split(body, body.load(body.vector, at), parts));
    for (let part = 0; part < parts; part++) {
      const lower = body.binary("lshr", even[part], body.splat(i32(16)));
      body.store(body.binary("or", odd[part], lower), tileOf(body, to, part, pair));
    }
  });
}
