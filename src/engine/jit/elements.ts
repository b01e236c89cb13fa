/** Loops over the elements of tensors. */
import { type Body, FLOAT, float, type Value } from "../llvm/ir.js";
import { each, put } from "./rows.js";

/**
 * `outputs[k][i] = fn(inputs[..][i])[k]` for `count` elements, `group` vectors at a time. What is left at the end goes
 * through space on the stack, which `fn` sees filled with zeros.
 *
 * @param fn is given the index of the first element, and the group's vectors of each input
 */
export function elementwise(
  body: Body,
  count: Value,
  { inputs, outputs, group = 1 }: { inputs: readonly Value[]; outputs: readonly Value[]; group?: number },
  fn: (first: Value, vectors: Value[][]) => Value[][],
): void {
  const size = group * body.lanes;
  const spare = [...inputs, ...outputs].map(() => body.alloca(FLOAT, size));
  const [spareInputs, spareOutputs] = [spare.slice(0, inputs.length), spare.slice(inputs.length)];
  const one = (first: Value, from: readonly Value[], to: readonly Value[]) => {
    const offsets = Array.from({ length: group }, (_, k) => k * body.lanes);
    const given = from.map((at) => offsets.map((offset) => body.load(body.vector, body.at(at, offset))));
    for (const [k, vectors] of fn(first, given).entries()) {
      for (const [j, vector] of vectors.entries()) body.store(vector, body.at(to[k], offsets[j]));
    }
  };
  const all = (list: readonly Value[], i: Value) => list.map((at) => body.at(at, i));
  const whole = body.mul(body.div(count, size), size);
  body.loop(0, whole, size, [], (i) => {
    one(i, all(inputs, i), all(outputs, i));
    return [];
  });
  body.when(body.compare("slt", whole, count), () => {
    for (const at of spareInputs) {
      for (let offset = 0; offset < size; offset += body.lanes) body.store(body.constant(0), body.at(at, offset));
    }
    const copy = (from: Value, to: Value) => body.store(body.load(FLOAT, from), to);
    for (const [k, input] of inputs.entries()) {
      each(body, whole, count, (i) => copy(body.at(input, i), body.at(spareInputs[k], body.sub(i, whole))));
    }
    one(whole, spareInputs, spareOutputs);
    for (const [k, output] of outputs.entries()) {
      each(body, whole, count, (i) => copy(body.at(spareOutputs[k], body.sub(i, whole)), body.at(output, i)));
    }
  });
}

/** A number as a value of the type at hand: itself, or a vector of it. */
export const spread = (body: Body, type: string, value: Value): Value => (type === FLOAT ? value : body.splat(value));

/** Walks along `count` elements, vector by vector and then one by one, for what `fn` stores. */
export function along(
  body: Body,
  count: Value,
  fn: (i: Value, type: string, of: (value: Value) => Value) => void,
): void {
  sums(body, count, 0, (i, type) => {
    fn(i, type, (value) => spread(body, type, value));
    return [];
  });
}

/**
 * Walks along `count` elements, vector by vector and then one by one, with sums.
 * @returns the total of each sum
 */
export function sums(
  body: Body,
  count: Value,
  zeros: number,
  fn: (i: Value, type: string, sums: Value[]) => readonly Value[],
): Value[] {
  const whole = body.mul(body.div(count, body.lanes), body.lanes);
  const many = (value: Value) => Array.from({ length: zeros }, () => value);
  const vectors = body.loop(0, whole, body.lanes, many(body.constant(0)), (i, sums) => fn(i, body.vector, sums));
  const rest = body.loop(whole, count, 1, many(body.zero), (i, sums) => fn(i, FLOAT, sums));
  return vectors.map((vector, k) => body.fadd(body.sum(vector), rest[k]));
}

/** Sets `count` elements to zero. */
export function clearAll(body: Body, at: Value, count: Value): void {
  along(body, count, (i, _, of) => body.store(of(float(0)), body.at(at, i)));
}

/** Adds rows [terms, count] to `to` [count]. */
export function addRows(body: Body, at: Value, terms: Value, count: Value, to: Value): void {
  each(body, 0, terms, (row) => {
    const line = body.at(at, body.mul(row, count));
    along(body, count, (i, type) => put(body, body.load(type, body.at(line, i)), body.at(to, i), true));
  });
}
