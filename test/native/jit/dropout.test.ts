import { describe, expect, it } from "vitest";
import { dropoutKernel } from "../../../src/engine/jit/dropout.js";
import { statelessUniform } from "../../../src/random/philox.js";
import { normal } from "../../engine/support.js";
import fc from "../../support/property.js";
import { compileKernel, MACHINES } from "./machines.js";

const bits = (value: number): number => new Int32Array(Float32Array.of(value).buffer)[0];

interface Drawn {
  rate: number;
  seed: readonly [number, number];
  /** numbers of the stream that precede */
  before?: number;
}

describe.each(MACHINES)("dropout, %s", (_, jit) => {
  const kernel = compileKernel(jit, (name) => dropoutKernel(jit.target, name));
  const dropped = (x: Float32Array, { rate, seed, before = 0 }: Drawn): Float32Array =>
    kernel({
      inputs: [x, BigInt64Array.from(seed, BigInt)],
      outputs: [x.length],
      parameters: [x.length, before / 4, Math.ceil(rate * 2 ** 23), bits(1 / (1 - rate))],
    })[0];
  const expected = (x: Float32Array, { rate, seed, before = 0 }: Drawn): Float32Array => {
    const keep = Math.fround(1 / (1 - rate));
    const uniform = statelessUniform(before + x.length, seed).subarray(before);
    return x.map((number, i) => number * (uniform[i] >= rate ? keep : 0));
  };

  it.each([0, 1, 4, 15, 16, 17, 63, 64, 65, 129, 1001])("of %i numbers", (n) => {
    const x = normal(n, [n]).data;
    const drawn: Drawn = { rate: 0.25, seed: [n, 5] };
    expect(dropped(x, drawn)).toEqual(expected(x, drawn));
  });

  it("has the bits of TensorFlow's stream for every size, seed, rate and place in it", () => {
    const seeds = fc.tuple(fc.maxSafeInteger(), fc.maxSafeInteger());
    const rates = fc.float({ min: 0, max: Math.fround(1 - 2 ** -24), noNaN: true });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 300 }), seeds, rates, fc.nat(200), (n, seed, rate, blocks) => {
        const drawn: Drawn = { rate, seed, before: 4 * blocks };
        const ones = new Float32Array(n).fill(1);
        expect(dropped(ones, drawn)).toEqual(expected(ones, drawn));
      }),
      { numRuns: 100 },
    );
  });

  it.each([
    ["near 0", 2 ** -30],
    ["near 1", 1 - 2 ** -23],
    ["nearer", 1 - 2 ** -24],
  ])("a rate %s", (_, rate) => {
    const ones = new Float32Array(4099).fill(1);
    const drawn: Drawn = { rate, seed: [2 ** 40 + 3, -7] };
    expect(dropped(ones, drawn)).toEqual(expected(ones, drawn));
  });

  it("what is not a number stays, kept or not", () => {
    const x = normal(3, [70]).data.map((number, i) => (i % 9 === 4 ? Number.NaN : number));
    const drawn: Drawn = { rate: 0.5, seed: [1, 2] };
    const y = dropped(x, drawn);
    expect(y).toEqual(expected(x, drawn));
    expect(y.filter(Number.isNaN)).toHaveLength(8);
  });
});
