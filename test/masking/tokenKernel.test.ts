import { expect, test } from "vitest";
import { SharedChunks } from "../../src/data/cache/sharedChunks.js";
import { applyChoice, coarsenTokens } from "../../src/masking/apply.js";
import type { LevelChoice } from "../../src/masking/choice.js";
import { tokenKernel } from "../../src/masking/tokenKernel.js";
import { type LevelLayout, placeOf, TOKEN_KIND } from "../../src/masking/types.js";
import { Generator } from "../../src/random/index.js";
import fc from "../support/property.js";

/** The bits of numbers, all NaN alike: which of them an operation gives is the processor's choice. */
const bits = (values: Float32Array) =>
  Buffer.from(Float32Array.from(values, (value) => (Number.isNaN(value) ? Number.NaN : value)).buffer).toString("hex");

test("takes, masks, noises and coarsens tokens of any size as plain TypeScript does, and touches nothing else", () => {
  const cache = new SharedChunks(1e6, ["x"]);
  const [memory, targets] = [cache.lend(1_100_000)!, cache.lend(500_000)!];
  const sizes = fc.record({
    tokenSize: fc.oneof(
      {
        weight: 9,
        arbitrary: fc.tuple(
          fc.integer({ min: 1, max: 3 }),
          fc.integer({ min: 1, max: 7 }),
          fc.integer({ min: 1, max: 7 }),
        ),
      },
      // so large that few of the tokens' normal numbers are drawn at once, or those of one token
      { weight: 1, arbitrary: fc.constantFrom<[number, number, number]>([3, 80, 90], [1, 179, 183]) },
    ),
    B: fc.integer({ min: 1, max: 3 }),
    N: fc.integer({ min: 1, max: 4 }),
    shift: fc.nat(3),
    seed: fc.nat(),
    odd: fc.constantFrom(1, Number.NaN, Number.POSITIVE_INFINITY, 3e38, 1e-45, -0),
  });
  fc.assert(
    fc.property(sizes, ({ tokenSize, B, N, shift, seed, odd }) => {
      const random = new Generator(seed);
      const D = tokenSize[0] * tokenSize[1] * tokenSize[2];
      const length = 2 * B * N * D + 5;
      const source = memory.subarray(shift, shift + length);
      source.set(random.standardNormal(length));
      source[seed % length] = odd;
      const layout: LevelLayout = { source, start: N * D, stride: 2 * N * D, B, N, tokenSize };
      const idx = random.permutation(B * N).subarray(0, 1 + (seed % (B * N)));
      const kind = Uint8Array.from(random.integers(0, 8, idx.length), (bit) => TOKEN_KIND.chosen | (bit << 1));
      const noised = kind.filter((one) => one & TOKEN_KIND.noised).length;
      const choice: LevelChoice = {
        ...{ idx, kind, count: new Int32Array(B) },
        ...{ noiseWeights: random.randomFloat32(noised), coarseDraw: random.random() },
      };
      const plain = { ...layout, source: Float32Array.from(source) };
      const drawer = () => {
        const normals = new Generator(seed + 1);
        return (into: Float32Array) => void into.set(normals.standardNormal(into.length));
      };
      const place = placeOf(layout);
      const expected = new Float32Array(idx.length * D + 7).fill(5);
      for (const [m, token] of idx.entries()) {
        expected.set(source.subarray(place(token), place(token) + D), 3 + m * D);
      }

      const out = targets.subarray(0, idx.length * D + 7).fill(5);
      const kernel = tokenKernel(cache.kernelRoom, D, source, out)!;
      const std = kernel.pointwiseStd(layout);
      kernel.take(layout, choice, out, 3);
      kernel.noise(layout, choice, std, drawer());
      coarsenTokens(layout, choice, 2);

      applyChoice(plain, choice, noised > 0 ? drawer() : null, 2);
      expect(bits(source)).toBe(bits(plain.source));
      expect(bits(out)).toBe(bits(expected));
    }),
    { numRuns: 60 },
  );
});
