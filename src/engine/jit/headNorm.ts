/** Layer normalisation of queries and keys over the width of a head, where attention copies them. */
import { type Body, FLOAT, float, type Value } from "../llvm/ir.js";
import { spread } from "./elements.js";
import { each, pieces, put, type Rows } from "./rows.js";

const HEAD_NORM_EPSILON = 1e-5;

/** Addresses of gamma and beta, or of their gradients. */
export interface Weights {
  gamma: Value;
  beta: Value;
}

/** Those of queries or of keys in a tensor [4, w]: gamma and beta of queries, gamma and beta of keys. */
export function weightsAt(body: Body, tensor: Value, side: "q" | "k", w: number): Weights {
  const first = side === "q" ? 0 : 2 * w;
  return { gamma: body.at(tensor, first), beta: body.at(tensor, first + w) };
}

/** A row in registers: whole vectors and single numbers. */
type Line = { at: number; type: string; value: Value }[];

const loaded = (body: Body, from: Value, w: number): Line => {
  const line: Line = [];
  pieces(body, w, (at, type) => line.push({ at, type, value: body.load(type, body.at(from, at)) }));
  return line;
};

const mapped = (line: Line, fn: (value: Value, type: string, at: number) => Value): Line =>
  line.map(({ at, type, value }) => ({ at, type, value: fn(value, type, at) }));

/** the sum of a row's elements */
function total(body: Body, line: Line): Value {
  const of = (kind: (type: string) => boolean) => line.filter(({ type }) => kind(type)).map(({ value }) => value);
  const vectors = of((type) => type !== FLOAT);
  const numbers = of((type) => type === FLOAT);
  const sum = vectors.length > 0 ? body.sum(vectors.reduce((a, b) => body.fadd(a, b))) : float(0);
  return numbers.reduce((a, b) => body.fadd(a, b), sum);
}

/** Normalised elements of a row, and what they were divided by, inverted. */
function normalised(body: Body, from: Value, w: number): { normal: Line; scale: Value } {
  const share = float(1 / w);
  const line = loaded(body, from, w);
  const mean = body.fmul(total(body, line), share);
  const centred = mapped(line, (value, type) => body.fsub(value, spread(body, type, mean)));
  const squares = mapped(centred, (value) => body.fmul(value, value));
  const variance = body.fma(total(body, squares), share, float(HEAD_NORM_EPSILON));
  const scale = body.fdiv(float(1), body.sqrt(variance));
  return { normal: mapped(centred, (value, type) => body.fmul(value, spread(body, type, scale))), scale };
}

/** `to = (norm(from) (* gamma + beta)) * factor`, row by row; both may be the same. */
export function normRows(body: Body, from: Rows, to: Rows, weights: Weights | null, factor = 1): void {
  each(body, 0, from.count, (row) => {
    const { normal } = normalised(body, from.row(row), from.w);
    const target = to.row(row);
    for (const { at, type, value } of normal) {
      const of = (list: Value) => body.load(type, body.at(list, at));
      const weighted = weights ? body.fma(value, of(weights.gamma), of(weights.beta)) : value;
      const scaled = factor === 1 ? weighted : body.fmul(weighted, spread(body, type, float(factor)));
      body.store(scaled, body.at(target, at));
    }
  });
}

/**
 * The gradient of `normRows` without its factor: rows of x and of the gradient `dy * factor` of its result to rows of dx.
 * Gradients of the weights are added to `gradients`, those of x to `dx` if `add` is set.
 */
export function normGradRows(
  body: Body,
  x: Rows,
  dy: Rows & { factor: number },
  dx: Rows,
  weights: { values: Weights; gradients: Weights } | null,
  { add = false } = {},
): void {
  const share = float(1 / x.w);
  each(body, 0, x.count, (row) => {
    const { normal, scale } = normalised(body, x.row(row), x.w);
    const given = mapped(loaded(body, dy.row(row), x.w), (value, type) =>
      dy.factor === 1 ? value : body.fmul(value, spread(body, type, float(dy.factor))),
    );
    const upstream = weights
      ? mapped(given, (value, type, at) => body.fmul(value, body.load(type, body.at(weights.values.gamma, at))))
      : given;
    if (weights) {
      for (const [i, { at, type, value }] of given.entries()) {
        const [toGamma, toBeta] = [weights.gradients.gamma, weights.gradients.beta].map((list) => body.at(list, at));
        body.store(body.fma(value, normal[i].value, body.load(type, toGamma)), toGamma);
        body.store(body.fadd(value, body.load(type, toBeta)), toBeta);
      }
    }
    const average = body.fmul(total(body, upstream), share);
    const products = upstream.map((piece, i) => ({ ...piece, value: body.fmul(piece.value, normal[i].value) }));
    const slope = body.fmul(total(body, products), share);
    const target = dx.row(row);
    for (const [i, { at, type, value }] of upstream.entries()) {
      const parallel = body.fmul(normal[i].value, spread(body, type, slope));
      const rest = body.fsub(body.fsub(value, spread(body, type, average)), parallel);
      put(body, body.fmul(rest, spread(body, type, scale)), body.at(target, at), add);
    }
  });
}
