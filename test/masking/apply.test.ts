import { expect, test } from "vitest";
import { type LevelLayout, pointwiseStd } from "../../src/masking/apply.js";
import { Generator } from "../../src/random/index.js";
import fc from "../support/property.js";

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

test("neither several tokens at once nor levels in between change a bit: any token size, one token and many", () => {
  const sizes = fc.record({
    D: fc.integer({ min: 1, max: 130 }),
    B: fc.integer({ min: 1, max: 3 }),
    L: fc.integer({ min: 1, max: 3 }),
    N: fc.integer({ min: 1, max: 150 }),
    seed: fc.nat(),
  });
  fc.assert(
    fc.property(sizes, ({ D, B, L, N, seed }) => {
      const source = new Generator(seed).standardNormal(B * L * N * D, new Float32Array(B * L * N * D));
      for (let l = 0; l < L; l++) {
        const layout: LevelLayout = { source, start: l * N * D, stride: L * N * D, B, N, tokenSize: [1, 1, D] };
        const samples = Array.from({ length: B }, (_, b) => [...source.subarray((b * L + l) * N * D).slice(0, N * D)]);
        expect(pointwiseStd(layout)).toEqual(plainly(Float32Array.from(samples.flat()), D));
      }
    }),
    { numRuns: 50 },
  );
});

test("normal numbers are rounded to float32 as they are drawn", () => {
  const float64 = new Generator(3).standardNormal(100);
  expect(new Generator(3).standardNormal(100, new Float32Array(100))).toEqual(new Float32Array(float64));
});
