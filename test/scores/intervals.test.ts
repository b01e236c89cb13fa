/** Intervals of scores: block lengths and t quantiles against Python, and whether they hold where the truth is known. */

import { beforeAll, describe, expect, it } from "vitest";
import { faultOf } from "../../scripts/interval-coverage/judge.js";
import {
  type Coverage,
  coverageOf,
  LENGTHS,
  PROCESSES,
  type Process,
  type Question,
} from "../../scripts/interval-coverage/simulate.js";
import { defaultRng } from "../../src/random/index.js";
import { automaticBlockLength, blockLength, overlapOf } from "../../src/scores/intervals/blockLength.js";
import { pairedTest, scoreInterval, type TimeSums } from "../../src/scores/intervals/intervals.js";
import { studentBound, studentInner } from "../../src/scores/intervals/studentT.js";
import fc from "../support/property.js";

const mean = (sums: Float64Array) => sums[1] / sums[0];
const seriesOf = (values: ArrayLike<number>): TimeSums => ({
  times: Array.from(values, (_, t) => t),
  sums: Array.from(values, (x) => Float64Array.of(1, x)),
});
/** `numpy.random.default_rng(seed).standard_normal(length)`, then x[t] += r * x[t - 1] */
const autoregression = (seed: number, length: number, r: number) => {
  const x = Float64Array.from(defaultRng(seed).standardNormal(length));
  for (let t = 1; t < length; t++) x[t] += r * x[t - 1];
  return x;
};

describe("the block length", () => {
  it("is that of arch", () => {
    // arch 8.0.0: optimal_block_length(x)["circular"]
    const expected: [seed: number, length: number, r: number, circular: number][] = [
      [1, 60, 0, 0.3951524015026737],
      [2, 120, 0.5, 3.932030499152294],
      [3, 325, 0.9, 26.325802967551773],
      [4, 1000, 0.9, 45.779575241190706],
      [5, 1000, -0.4, 9.31528974372745],
    ];
    for (const [seed, length, r, circular] of expected) {
      expect(automaticBlockLength(autoregression(seed, length, r)) / circular).toBeCloseTo(1, 9);
    }
    const squares = autoregression(6, 325, 0.5).map((x) => x * x);
    expect(automaticBlockLength(squares)).toBeCloseTo(6.808782500997217, 9);
    // numpy.convolve(numpy.random.default_rng(7).standard_normal(411), numpy.ones(12), "valid")
    const noise = defaultRng(7).standardNormal(411);
    const sums = Array.from({ length: 400 }, (_, t) => noise.slice(t, t + 12).reduce((a, b) => a + b, 0));
    expect(automaticBlockLength(sums)).toBeCloseTo(20.99572241217763, 9);
  });

  it("counts the initial times that share data, in time and not in samples", () => {
    expect(overlapOf([0, 1, 2, 3, 4, 5], 3)).toBe(3);
    expect(overlapOf([0, 3, 6, 9], 3)).toBe(1);
    expect(overlapOf([0, 6, 12, 18], 13)).toBe(3);
    expect(overlapOf([0, 100, 101, 102, 200], 12)).toBe(3);
    expect(overlapOf([5, 9], 0)).toBe(1);
  });

  it("is never below the overlap, never above the series, and one for what does not vary", () => {
    const noise = autoregression(9, 400, 0);
    expect(blockLength(noise)).toBe(8);
    expect(blockLength(noise, 2)).toBeGreaterThanOrEqual(8);
    // of 400 sums of 12 the optimal length is (1.5 (143/36)^2 400)^(1/3) = 21.2
    expect(blockLength(noise, 12)).toBe(22);
    expect(blockLength(noise, 60)).toBeGreaterThanOrEqual(60);
    expect(blockLength(noise.subarray(0, 20), 60)).toBe(20);
    expect(automaticBlockLength(new Float64Array(50).fill(3))).toBe(1);
    expect(blockLength(autoregression(10, 400, 0.9))).toBeGreaterThan(25);
  });
});

it("t is SciPy's", () => {
  // scipy.stats.t.ppf(0.975, n), t.ppf(0.95, n), 1 - 2 * t.sf(1.3, n)
  const expected = [
    [1, 12.706204736174694, 6.313751514675037, 0.5825711996796945],
    [2, 4.302652729749462, 2.9199855803537242, 0.6767529681839597],
    [5, 2.5705818356363146, 2.0150483733330233, 0.749699365829323],
    [8, 2.306004135204166, 1.8595480375308973, 0.7701963750814746],
    [33, 2.0345152974493383, 1.6923603090303438, 0.7973917382410116],
    [100, 1.9839715185235518, 1.6602343260853392, 0.8034105365776338],
  ];
  for (const [freedom, at95, at90, inner] of expected) {
    expect(studentBound(0.95, freedom)).toBeCloseTo(at95, 9);
    expect(studentBound(0.9, freedom)).toBeCloseTo(at90, 9);
    expect(studentInner(1.3, freedom)).toBeCloseTo(inner, 12);
  }
  expect(studentInner(Number.POSITIVE_INFINITY, 7)).toBe(1);
});

describe("an interval", () => {
  it("is the common t interval where every time is a block", () => {
    const values = defaultRng(8)
      .standardNormal(40)
      .map((x) => x + 0.2);
    // scipy.stats.t.interval(0.95, 39, x.mean(), scipy.stats.sem(x)), ttest_1samp(x, 0).pvalue
    const { value, low, high, blocks } = scoreInterval(seriesOf(values), mean, { blockLength: 1 });
    expect(blocks).toBe(40);
    expect([value, low, high].map((x) => x.toFixed(12))).toEqual(
      [0.03434167652743784, -0.3388867750069805, 0.4075701280618562].map((x) => x.toFixed(12)),
    );
    const zero = seriesOf(new Float64Array(40));
    expect(pairedTest(seriesOf(values), zero, mean, { blockLength: 1 }).pValue).toBeCloseTo(0.8533209802872722, 12);
  });

  it("is wider for values that stay alike, and for fewer blocks", () => {
    const values = Array.from(autoregression(3, 50, 0)).flatMap((x) => new Array<number>(8).fill(x));
    const width = (blockLength?: number) => {
      const { low, high } = scoreInterval(seriesOf(values), mean, { blockLength });
      return high - low;
    };
    expect(width(16)).toBeGreaterThan(2 * width(1));
    expect(width()).toBeGreaterThan(2 * width(1));
    // the span alone makes blocks longer
    const noise = seriesOf(autoregression(11, 200, 0));
    expect(scoreInterval(noise, mean, { span: 24 })).toMatchObject({ blocks: 7, tooFew: true });
    expect(scoreInterval(noise, mean).tooFew).toBe(false);
  });

  it("says too few below eight blocks, and has no ends with one", () => {
    const series = seriesOf(autoregression(5, 39, 0));
    expect(scoreInterval(series, mean, { blockLength: 5 })).toMatchObject({ blocks: 7, tooFew: true, blockLength: 5 });
    expect(scoreInterval(series, mean, { blockLength: 4 })).toMatchObject({ blocks: 9, tooFew: false });
    expect(scoreInterval(seriesOf([3]), mean)).toMatchObject({ value: 3, low: Number.NaN, blocks: 1, tooFew: true });
    expect(scoreInterval(seriesOf([3, 3, 3]), mean, { blockLength: 1 })).toMatchObject({ low: 3, high: 3 });
  });

  it("keeps its ends in order, and positive scores positive", () => {
    const root = ([n, sum]: Float64Array) => Math.sqrt(sum / n);
    fc.assert(
      fc.property(fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 24, maxLength: 40 }), (xs) => {
        const { value, low, high, blockLength, blocks } = scoreInterval(seriesOf(xs), mean);
        expect(blockLength).toBeLessThanOrEqual(xs.length);
        if (blocks < 2) {
          expect([low, high]).toEqual([Number.NaN, Number.NaN]);
          return;
        }
        expect(low).toBeLessThanOrEqual(high);
        expect((low + high) / 2 - value).toBeLessThan(1e-6 * Math.max(1, high - low));
        const squares = scoreInterval(seriesOf(xs.map((x) => x * x)), root, { positive: true, blockLength: 3 });
        expect(squares.low).toBeGreaterThanOrEqual(0);
        expect(squares.low).toBeLessThanOrEqual(squares.value);
        expect(squares.high).toBeGreaterThanOrEqual(squares.value);
      }),
      { numRuns: 100 },
    );
  });
});

describe("the paired test", () => {
  it("finds a small difference that both series' own spread would hide", () => {
    const common = autoregression(6, 200, 0);
    const better = common.map((x) => x - 0.02 - 0.001 * Math.sin(x));
    const single = scoreInterval(seriesOf(better), mean);
    expect(single.high - single.low).toBeGreaterThan(0.1);
    const test = pairedTest(seriesOf(better), seriesOf(common), mean);
    expect(test.value).toBeCloseTo(-0.02, 3);
    expect(test).toMatchObject({ significant: true });
    expect(test.pValue).toBeLessThan(1e-6);
  });

  it("finds none between a series and itself, and none in few blocks", () => {
    const series = seriesOf(autoregression(7, 50, 0));
    expect(pairedTest(series, series, mean)).toMatchObject({ value: 0, significant: false, pValue: 1 });
    const few = pairedTest(seriesOf([1, 1, 1, 1]), seriesOf([2, 2, 2, 2]), mean);
    expect(few).toMatchObject({ significant: false, tooFew: true });
  });
});

describe("where the truth is known", () => {
  /** Few histories of every case; `scripts/interval-coverage/table.ts` draws thousands. */
  const HISTORIES = 80;
  const rows: Coverage[] = [];
  const pooled = (question: Question, share: (row: Coverage) => number) => {
    const own = rows.filter((row) => row.question === question && row.answered > 0.5);
    const told = own.reduce((sum, row) => sum + row.answered, 0);
    return own.reduce((sum, row) => sum + row.answered * share(row), 0) / told;
  };

  beforeAll(() => {
    for (const process of Object.keys(PROCESSES) as Process[]) {
      for (const length of LENGTHS) rows.push(...coverageOf(process, length, HISTORIES, 1));
    }
  }, 120_000);

  it("intervals hold or say too few to tell, whatever the memory, the overlap and the length", () => {
    expect(rows.filter((row) => faultOf(row) !== null)).toEqual([]);
  });

  it("hold in 92 to 97 % of all cases together, and find 3 to 8 % where there is nothing", () => {
    for (const question of ["bias", "RMSE", "equal forecasts", "a better forecast"] as const) {
      const covered = pooled(question, (row) => row.covered);
      expect(covered, question).toBeGreaterThan(0.92);
      expect(covered, question).toBeLessThan(0.97);
    }
    const found = pooled("equal forecasts", (row) => row.found);
    expect(found).toBeGreaterThan(0.03);
    expect(found).toBeLessThan(0.08);
  });

  it("find a forecast that is better by a fifth about as often as a test that knows the variance", () => {
    const found = pooled("a better forecast", (row) => row.found);
    const oracle = pooled("a better forecast", (row) => row.oracle);
    expect(oracle).toBeGreaterThan(0.6);
    expect(found).toBeGreaterThan(oracle - 0.05);
  });
});
