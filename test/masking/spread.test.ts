import { expect, test } from "vitest";
import { SharedChunks } from "../../src/data/cache/sharedChunks.js";
import { pointwiseStd } from "../../src/masking/spread.js";
import { tokenKernel } from "../../src/masking/tokenKernel.js";
import type { LevelLayout } from "../../src/masking/types.js";
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

/** The bits of numbers, all NaN alike: which of them an operation gives is the processor's choice. */
const bits = (values: Float64Array) =>
  Buffer.from(values.map((value) => (Number.isNaN(value) ? Number.NaN : value)).buffer).toString("hex");

test("neither several tokens at once nor levels in between change a bit: any token size, one token and many, any value", () => {
  const sizes = fc.record({
    D: fc.oneof(fc.integer({ min: 1, max: 130 }), fc.constantFrom(972, 40_000, 70_001)),
    B: fc.integer({ min: 1, max: 3 }),
    L: fc.integer({ min: 1, max: 3 }),
    N: fc.integer({ min: 1, max: 150 }),
    seed: fc.nat(),
    odd: fc.constantFrom(1, Number.NaN, Number.POSITIVE_INFINITY, 3e38, 1e-45, -0),
  });
  const cache = new SharedChunks(1e6, ["x"]);
  const tokens = cache.lend(9 * 150_000)!;
  let kernels = 0;
  fc.assert(
    fc.property(sizes, ({ D, B, L, N: most, seed, odd }) => {
      const N = Math.min(most, Math.ceil(40_000 / D));
      const source = tokens.subarray(seed % 4, (seed % 4) + B * L * N * D);
      source.set(new Generator(seed).standardNormal(B * L * N * D));
      const kernel = tokenKernel(cache.kernelRoom, D, source);
      kernels += kernel ? 1 : 0;
      source[seed % source.length] = odd;
      for (let l = 0; l < L; l++) {
        const layout: LevelLayout = { source, start: l * N * D, stride: L * N * D, B, N, tokenSize: [1, 1, D] };
        const samples = Array.from({ length: B }, (_, b) => source.subarray((b * L + l) * N * D).subarray(0, N * D));
        const level = new Float32Array(B * N * D);
        for (const [b, sample] of samples.entries()) level.set(sample, b * N * D);
        const expected = bits(plainly(level, D));
        expect(bits(pointwiseStd(layout))).toBe(expected);
        if (kernel) expect(bits(kernel.pointwiseStd(layout))).toBe(expected);
      }
    }),
    { numRuns: 40 },
  );
  expect(kernels).toBeGreaterThan(20);
});
