import { expect, test } from "vitest";
import { fillNormals } from "../../src/masking/normals.js";
import { defaultRng } from "../../src/random/index.js";
import fc from "../support/property.js";

test("the same numbers, and the same place in the stream, as one by one", () => {
  const counts = fc.array(fc.integer({ min: 0, max: 9000 }), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 31 }), counts, fc.boolean(), (seed, sizes, half) => {
      const [one, other] = [defaultRng(seed), defaultRng(seed)];
      // an unused half of 64 bits waits meanwhile
      if (half) expect(other.randomFloat32(1)).toEqual(one.randomFloat32(1));
      for (const size of sizes) {
        const expected = one.standardNormal(size, new Float32Array(size));
        expect(
          Buffer.from(fillNormals(other, new Float32Array(size)).buffer).equals(Buffer.from(expected.buffer)),
        ).toBe(true);
        expect(other.getState()).toEqual(one.getState());
      }
      expect(other.randomFloat32(3)).toEqual(one.randomFloat32(3));
    }),
    { numRuns: 40 },
  );
});

test("a million numbers reach the tail and agree", () => {
  const [one, other] = [defaultRng(5), defaultRng(5)];
  const values = fillNormals(other, new Float32Array(1_000_000));
  expect(values.some((x) => Math.abs(x) > 3.6541528853610088)).toBe(true);
  expect(
    Buffer.from(values.buffer).equals(Buffer.from(one.standardNormal(1_000_000, new Float32Array(1_000_000)).buffer)),
  ).toBe(true);
  expect(other.getState()).toEqual(one.getState());
});

test("normal numbers are rounded to float32 as they are drawn", () => {
  const float64 = defaultRng(3).standardNormal(100);
  expect(defaultRng(3).standardNormal(100, new Float32Array(100))).toEqual(new Float32Array(float64));
});
