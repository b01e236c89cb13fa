import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Pcg64 } from "../../src/random/pcg64.js";
import { blockBootstrap, defaultBlockLength, pairedBootstrap, quantile } from "../../src/scores/bootstrap.js";

const mean = ([n, sum]: ArrayLike<number>[] | Float64Array) => Number(sum) / Number(n);
const rowsOf = (values: number[]) => values.map((x) => Float64Array.of(1, x));
const uniform = (length: number, seed: number) => {
  const generator = new Pcg64(seed);
  return Array.from({ length }, () => generator.nextDouble());
};

it("quantiles are NumPy's", () => {
  // np.quantile([1., 2., 4., 8.], [0.025, 0.5, 0.975])
  expect([0.025, 0.5, 0.975].map((q) => quantile([1, 2, 4, 8], q))).toEqual([1.075, 3, 7.699999999999999]);
});

describe("the moving-block bootstrap", () => {
  it("is the same at every call and another with another seed", () => {
    const rows = rowsOf(uniform(60, 1));
    const interval = blockBootstrap(rows, mean);
    expect(blockBootstrap(rows, mean)).toEqual(interval);
    expect(blockBootstrap(rows, mean, { seed: 1 }).low).not.toBe(interval.low);
  });

  it("has the width of the normal interval for independent values", () => {
    const values = uniform(400, 2);
    const { value, low, high, blocks } = blockBootstrap(rowsOf(values), mean, { blockLength: 1, resamples: 4000 });
    // standard deviation of the mean of 400 uniform values: sqrt(1/12/400) = 0.01443
    expect(high - low).toBeGreaterThan(0.9 * 2 * 1.96 * 0.01443);
    expect(high - low).toBeLessThan(1.1 * 2 * 1.96 * 0.01443);
    expect(low < value && value < high).toBe(true);
    expect(blocks).toBe(400);
  });

  it("is wider for values that stay alike over blocks, and chooses their length", () => {
    const values = uniform(50, 3).flatMap((x) => new Array(8).fill(x));
    const narrow = blockBootstrap(rowsOf(values), mean, { blockLength: 1 });
    const wide = blockBootstrap(rowsOf(values), mean, { blockLength: 16 });
    expect(wide.high - wide.low).toBeGreaterThan(2 * (narrow.high - narrow.low));
    expect(defaultBlockLength(values)).toBeGreaterThanOrEqual(5);
    expect(defaultBlockLength(uniform(400, 4))).toBe(8);
  });

  it("says too few below ten blocks", () => {
    const rows = rowsOf(uniform(39, 5));
    expect(blockBootstrap(rows, mean, { blockLength: 4 })).toMatchObject({ blocks: 9, tooFew: true, blockLength: 4 });
    expect(blockBootstrap(rows, mean, { blockLength: 3 })).toMatchObject({ blocks: 13, tooFew: false });
    expect(blockBootstrap(rowsOf([3]), mean)).toMatchObject({ value: 3, low: 3, high: 3, blocks: 1, tooFew: true });
  });

  it("keeps its interval in order, whatever the series", () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 40 }), (xs) => {
        const { low, high, blockLength } = blockBootstrap(rowsOf(xs), mean, { resamples: 100 });
        expect(low).toBeLessThanOrEqual(high);
        expect(blockLength).toBeLessThanOrEqual(xs.length);
        expect(low).toBeGreaterThanOrEqual(Math.min(...xs) - 1e-6);
        expect(high).toBeLessThanOrEqual(Math.max(...xs) + 1e-6);
      }),
      { numRuns: 50 },
    );
  });
});

describe("the paired test", () => {
  it("finds a small difference that both series' own spread would hide", () => {
    const common = uniform(200, 6);
    const better = common.map((x) => x - 0.02);
    const single = blockBootstrap(rowsOf(better), mean, { blockLength: 1 });
    expect(single.high - single.low).toBeGreaterThan(0.04);
    const test = pairedBootstrap(rowsOf(better), rowsOf(common), mean, { blockLength: 1 });
    expect(test.value).toBeCloseTo(-0.02, 12);
    expect(test).toMatchObject({ significant: true, pValue: 0 });
  });

  it("finds none between a series and itself, and none in few blocks", () => {
    const rows = rowsOf(uniform(50, 7));
    expect(pairedBootstrap(rows, rows, mean)).toMatchObject({ value: 0, significant: false, pValue: 1 });
    const few = rowsOf([1, 1, 1, 1]);
    expect(pairedBootstrap(few, rowsOf([2, 2, 2, 2]), mean)).toMatchObject({ significant: false, tooFew: true });
  });
});
