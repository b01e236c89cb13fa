import { describe, expect, it } from "vitest";
import {
  momentsGradKernel,
  momentsKernel,
  squaresGradKernel,
  squaresKernel,
} from "../../../src/engine/jit/ensemble.js";
import { normal } from "../../engine/support.js";
import fc from "../../support/property.js";
import { compileKernel, distance, MACHINES } from "./machines.js";

interface Shape {
  rows: number;
  members: number;
  width: number;
}

const given = ({ rows, members, width }: Shape, seed: number) => {
  const list = (index: number, n: number) => normal(10 * seed + index, [n]).data;
  return {
    ens: list(0, rows * members * width).map((x) => x + 1),
    target: list(1, rows * width),
    weights: list(2, rows * width).map(Math.abs),
    dMoments: list(3, 2 * rows * width),
  };
};
type Given = ReturnType<typeof given>;

function reference({ ens, target, weights, dMoments }: Given, { rows, members, width }: Shape, dy: number) {
  const [moments, sums] = [new Float64Array(2 * rows * width), new Float64Array(rows)];
  const [dMean, dSquares] = [new Float64Array(ens.length), new Float64Array(ens.length)];
  for (let row = 0; row < rows; row++) {
    for (let i = 0; i < width; i++) {
      const at = row * width + i;
      const places = Array.from({ length: members }, (_, member) => (row * members + member) * width + i);
      const mean = places.reduce((sum, place) => sum + ens[place], 0) / members;
      const squares = places.reduce((sum, place) => sum + (ens[place] - mean) ** 2, 0);
      const spread = Math.sqrt(squares / (members - 1));
      moments[at] = mean;
      moments[rows * width + at] = spread;
      for (const place of places) {
        const difference = ens[place] - target[at];
        sums[row] += weights[at] * difference ** 2;
        dSquares[place] = 2 * dy * weights[at] * difference;
        const slope = spread === 0 ? 0 : dMoments[rows * width + at] / spread / (members - 1);
        dMean[place] = dMoments[at] / members + slope * (ens[place] - mean);
      }
    }
  }
  return { moments, dMean, sums, dSquares };
}

describe.each(MACHINES)("ensembles, %s", (_, jit) => {
  const { target } = jit;
  const kernel = (source: typeof momentsKernel) => compileKernel(jit, (name) => source(target, name));
  const kernels = {
    moments: kernel(momentsKernel),
    momentsGrad: kernel(momentsGradKernel),
    squares: kernel(squaresKernel),
    squaresGrad: kernel(squaresGradKernel),
  };

  function run({ ens, target, weights, dMoments }: Given, { rows, members, width }: Shape, dy: number) {
    const parameters = [rows, members, width];
    const [moments] = kernels.moments({ inputs: [ens], outputs: [2 * rows * width], parameters });
    const [dMean] = kernels.momentsGrad({ inputs: [ens, moments, dMoments], outputs: [ens.length], parameters });
    const [sums] = kernels.squares({ inputs: [ens, target, weights], outputs: [rows], parameters });
    const inputs = [ens, target, weights, Float32Array.of(dy)];
    const [dSquares] = kernels.squaresGrad({ inputs, outputs: [ens.length], parameters });
    return { moments, dMean, sums, dSquares };
  }

  function expectEqual(shape: Shape, seed: number): void {
    const numbers = given(shape, seed);
    const [actual, expected] = [run(numbers, shape, 0.3), reference(numbers, shape, 0.3)];
    for (const key of ["moments", "sums", "dMean", "dSquares"] as const) {
      expect(distance(actual[key], expected[key]), `${JSON.stringify(shape)} ${key}`).toBeLessThan(2e-6);
    }
  }

  it.each([0, 1, 5].flatMap((rows) => [3, 16].map((members) => [rows, members])))(
    "of %i rows, %i members",
    (rows, members) => {
      for (const width of [1, 5, 16, 33, 130]) expectEqual({ rows, members, width }, rows);
    },
  );

  it("of every shape", () => {
    const shapes = fc.record({
      rows: fc.integer({ min: 1, max: 6 }),
      members: fc.integer({ min: 3, max: 9 }),
      width: fc.integer({ min: 1, max: 70 }),
    });
    fc.assert(
      fc.property(shapes, fc.nat(1000), (shape, seed) => expectEqual(shape, seed)),
      { numRuns: 30 },
    );
  });

  it("members that agree have no spread, and no slope of it", () => {
    const shape = { rows: 2, members: 4, width: 19 };
    const numbers = given(shape, 3);
    const { moments, dMean } = run({ ...numbers, ens: numbers.ens.fill(0.7) }, shape, 1);
    expect(moments.subarray(38)).toEqual(new Float32Array(38));
    const shares = numbers.dMoments.subarray(0, 38).map((x) => x / 4);
    for (let i = 0; i < dMean.length; i++) {
      const [row, at] = [Math.floor(i / 76), i % 19];
      expect(Math.abs(dMean[i] - shares[row * 19 + at])).toBeLessThan(1e-6);
    }
  });

  it("what is not a number: its point in the moments, its row in the sums", () => {
    const shape = { rows: 3, members: 4, width: 19 };
    const numbers = given(shape, 4);
    const clean = run(numbers, shape, 1);
    const at = (row: number, member: number, i: number) => (row * 4 + member) * 19 + i;
    const bad = run({ ...numbers, ens: numbers.ens.with(at(1, 2, 18), Number.NaN) }, shape, 1);
    const point = 19 + 18;
    expect(bad.moments).toEqual(clean.moments.with(point, Number.NaN).with(57 + point, Number.NaN));
    expect(bad.sums).toEqual(clean.sums.with(1, Number.NaN));
    const members = [0, 1, 2, 3].map((member) => at(1, member, 18));
    expect(bad.dMean).toEqual(members.reduce((list, i) => list.with(i, Number.NaN), clean.dMean));
    expect(bad.dSquares).toEqual(clean.dSquares.with(at(1, 2, 18), Number.NaN));
  });
});
