/** Dropout whose mask is drawn on the fly: the same bits as TensorFlow's stateless uniform numbers. */

import { BLOCK, FACTORS, RANDOM_BITS, ROUNDS, SEED_KEY, WEYL } from "../../random/philox.js";
import { type Body, float, I32, I64, i32, Module, type Value, vectorOf } from "../llvm/ir.js";
import type { Target } from "../llvm/jit.js";
import { elementwise } from "./elements.js";
import { addresses, floatBits, KERNEL, numbers } from "./kernel.js";

type Four = readonly [Value, Value, Value, Value];

/** What one call is asked for: `before` numbers of the stream precede, whole blocks of them. */
interface Asked {
  elements: number;
  rate: number;
  before: number;
}

/** Parameters of the kernel: elements, first block, smallest mantissa that is kept, factor of what is kept. */
export const dropoutParameters = ({ elements, rate, before }: Asked): number[] => [
  elements,
  before / BLOCK,
  Math.ceil(Math.fround(rate) * (RANDOM_BITS + 1)),
  floatBits(1 / (1 - rate)),
];

/** LLVM assembly of the kernel `x, seed int64 [2] -> x mask`. */
export function dropoutKernel(target: Target, name: string): string {
  const module = new Module(target.lanes);
  module.define(name, KERNEL, (body, [inputs, outputs, parameters]) => {
    const [x, seed] = addresses(body, inputs, 2);
    const [count, firstBlock, limit, factor] = numbers(body, parameters, 4);
    const integers = vectorOf(body.lanes, I32);
    const wide = (value: Value): Value => body.splat(value);
    const narrow = (value: Value): Value => body.convert("trunc", value, I32);
    const halves = numbers(body, seed, 2).flatMap((number) => [
      narrow(number),
      narrow(body.binary("lshr", number, { type: I64, text: "32" })),
    ]);
    const keys = SEED_KEY.map((key) => i32(key));
    const [k0, k1, c2, c3] = philox(body, halves as unknown as Four, keys, scalarProduct);
    const [high2, high3] = [wide(c2), wide(c3)];
    const steps = { type: integers, text: `<${Array.from({ length: body.lanes }, (_, i) => `i32 ${i}`).join(", ")}>` };
    const smallest = wide(narrow(limit));
    const kept = wide(body.convert("bitcast", narrow(factor), "float"));
    const none = wide(float(0));
    const zero = wide(i32(0));
    const mantissa = wide(i32(RANDOM_BITS));
    elementwise(
      body,
      count,
      { inputs: [x], outputs: addresses(body, outputs, 1), group: BLOCK },
      (first, [vectors]) => {
        const block = narrow(body.add(firstBlock, body.div(first, BLOCK)));
        const counters = body.add(wide(block), steps);
        const blocks = philox(body, [counters, zero, high2, high3], [k0, k1].map(wide), vectorProduct);
        return [
          interleaved(body, blocks).map((drawn, i) => {
            const enough = body.compare("sge", body.binary("and", drawn, mantissa), smallest);
            return body.fmul(vectors[i], body.select(enough, kept, none));
          }),
        ];
      },
    );
  });
  return module.text;
}

/** Upper and lower halves of the product of unsigned 32-bit numbers with a constant. */
type Product = (body: Body, x: Value, by: number) => { high: Value; low: Value };

const scalarProduct: Product = (body, x, by) => {
  const product = body.mul(body.convert("zext", x, I64), { type: I64, text: String(by) });
  const high = body.binary("lshr", product, { type: I64, text: "32" });
  return { high: body.convert("trunc", high, I32), low: body.convert("trunc", product, I32) };
};

/** Even and odd elements apart, as processors multiply them. */
const vectorProduct: Product = (body, x, by) => {
  const pairs = vectorOf(body.lanes / 2, I64);
  const constant = (value: bigint): Value => {
    const element = `i64 ${BigInt.asIntN(64, value)}`;
    return {
      type: pairs,
      text: `<${Array(body.lanes / 2)
        .fill(element)
        .join(", ")}>`,
    };
  };
  const [half, lower, upper] = [constant(32n), constant(0xffffffffn), constant(0xffffffff00000000n)];
  const given = body.convert("bitcast", x, pairs);
  const even = body.mul(body.binary("and", given, lower), constant(BigInt(by)));
  const odd = body.mul(body.binary("lshr", given, half), constant(BigInt(by)));
  const join = (a: Value, b: Value) => body.convert("bitcast", body.binary("or", a, b), x.type);
  return {
    high: join(body.binary("lshr", even, half), body.binary("and", odd, upper)),
    low: join(body.binary("and", even, lower), body.binary("shl", odd, half)),
  };
};

function philox(body: Body, counter: Four, keys: readonly Value[], product: Product): Four {
  const constant = (value: number, like: Value): Value => (like.type === I32 ? i32(value) : body.splat(i32(value)));
  let [x0, x1, x2, x3] = counter;
  let [k0, k1] = keys;
  for (let round = 0; round < ROUNDS; round++) {
    const [a, b] = [product(body, x0, FACTORS[0]), product(body, x2, FACTORS[1])];
    const mixed = (high: Value, x: Value, key: Value) => body.binary("xor", body.binary("xor", high, x), key);
    [x0, x1, x2, x3] = [mixed(b.high, x1, k0), b.low, mixed(a.high, x3, k1), a.low];
    [k0, k1] = [body.add(k0, constant(WEYL[0], k0)), body.add(k1, constant(WEYL[1], k1))];
  }
  return [x0, x1, x2, x3];
}

/** Four vectors to the order of blocks: the first elements of all, then the second ones, ... */
function interleaved(body: Body, [a, b, c, d]: Four): Value[] {
  const size = body.lanes;
  const order = (from: number, unit: number) =>
    Array.from({ length: size }, (_, i) => {
      const pair = Math.floor(i / unit);
      return (pair % 2) * size + from + Math.floor(pair / 2) * unit + (i % unit);
    });
  const both = (x: Value, y: Value, unit: number) => [0, size / 2].map((from) => body.shuffle(x, y, order(from, unit)));
  const [ab, cd] = [both(a, b, 1), both(c, d, 1)];
  return [0, 1].flatMap((half) => both(ab[half], cd[half], 2));
}
