/** What all kernels share: their signature, and what they are given. */
import { type Body, I64, i64, PTR, type Value } from "../llvm/ir.js";
import { each } from "./rows.js";

/** Types of a kernel's parameters: lists of addresses of its inputs and outputs, its numbers, its scratch space. */
export const KERNEL = [PTR, PTR, PTR, PTR];

/** `count` addresses from a list. */
export const addresses = (body: Body, list: Value, count: number): Value[] =>
  Array.from({ length: count }, (_, i) => body.load(PTR, body.at(list, i, PTR)));

/** The first `count` of a kernel's numbers. */
export const numbers = (body: Body, parameters: Value, count: number): Value[] =>
  Array.from({ length: count }, (_, i) => body.load(I64, body.at(parameters, i, I64)));

const view = new DataView(new ArrayBuffer(4));

/** The bits of a float32, as which a kernel is given it among its numbers. */
export function floatBits(value: number): number {
  view.setFloat32(0, value);
  return view.getInt32(0);
}

/** Hands out parts of the scratch space. */
export function shares(body: Body, scratch: Value): (elements: Value | number) => Value {
  let next = scratch;
  return (elements) => {
    const at = next;
    next = body.at(next, elements);
    return at;
  };
}

export function atMost(body: Body, value: Value, limit: Value | number): Value {
  const most = typeof limit === "number" ? i64(limit) : limit;
  return body.select(body.compare("slt", value, most), value, most);
}

export const atLeast = (body: Body, value: Value, limit: number): Value =>
  body.select(body.compare("slt", value, i64(limit)), i64(limit), value);

/** Calls `fn` with the begin and the size of each block of `count`; the last may be smaller. */
export function blocksOf(body: Body, count: Value, size: Value, fn: (from: Value, size: Value) => void): void {
  each(body, 0, body.div(body.add(count, body.sub(size, 1)), size), (index) => {
    const from = body.mul(index, size);
    fn(from, atMost(body, body.sub(count, from), size));
  });
}

/** `value` rounded up to whole `unit`s */
export const whole = (body: Body, value: Value, unit: number): Value =>
  body.mul(body.div(body.add(value, unit - 1), unit), unit);
