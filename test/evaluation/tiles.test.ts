import { expect, it } from "vitest";
import { axisTiles, blendWeights } from "../../src/evaluation/tiles.js";
import fc from "../support/property.js";

const axis = fc
  .tuple(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 0, max: 60 }), fc.nat(), fc.boolean())
  .map(([size, more, overlap, periodic]) => axisTiles(size + more, size, overlap % size, periodic));

it("windows cover every point, and their weights sum to 1 there", () => {
  fc.assert(
    fc.property(axis, (tiles) => {
      const sums = new Float64Array(tiles.length);
      for (const [i, weights] of blendWeights(tiles).entries()) {
        weights.forEach((weight, k) => {
          expect(weight).toBeGreaterThan(0);
          sums[(tiles.starts[i] + k) % tiles.length] += weight;
        });
      }
      for (const sum of sums) expect(sum).toBeCloseTo(1, 12);
      if (!tiles.periodic) expect(tiles.starts.at(-1)! + tiles.size).toBe(tiles.length);
    }),
  );
});

it("an overlap of three points blends in quarters", () => {
  const [first, second] = blendWeights(axisTiles(7, 5, 3, false));
  expect([...first]).toEqual([1, 1, 0.75, 0.5, 0.25]);
  expect([...second]).toEqual([0.25, 0.5, 0.75, 1, 1]);
});

it("refuses an overlap that leaves no step", () => {
  expect(() => axisTiles(10, 4, 4, true)).toThrow("the windows cannot tile the grid");
});
