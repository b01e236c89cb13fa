import fc from "fast-check";
import { expect, test } from "vitest";
import { pointwiseStd } from "../../src/masking/apply.js";
import { Generator } from "../../src/random/index.js";

/** Sums in the order of the tokens, point by point. */
function plainly(tokens: Float32Array, D: number): Float64Array {
  const n = tokens.length / D;
  return Float64Array.from({ length: D }, (_, d) => {
    if (n < 2) return 0;
    let [sum, squares] = [0, 0];
    for (let i = d; i < tokens.length; i += D) sum += tokens[i];
    for (let i = d; i < tokens.length; i += D) squares += (tokens[i] - sum / n) * (tokens[i] - sum / n);
    return Math.sqrt(squares / (n - 1));
  });
}

test("tiles change no bit: any token size, one token and many tiles", () => {
  const sizes = fc.record({ D: fc.integer({ min: 1, max: 130 }), n: fc.integer({ min: 1, max: 300 }), seed: fc.nat() });
  fc.assert(
    fc.property(sizes, ({ D, n, seed }) => {
      const tokens = new Generator(seed).standardNormal(n * D, new Float32Array(n * D));
      expect(pointwiseStd(tokens, D)).toEqual(plainly(tokens, D));
    }),
    { numRuns: 50 },
  );
});

test("normal numbers are rounded to float32 as they are drawn", () => {
  const float64 = new Generator(3).standardNormal(100);
  expect(new Generator(3).standardNormal(100, new Float32Array(100))).toEqual(new Float32Array(float64));
});
