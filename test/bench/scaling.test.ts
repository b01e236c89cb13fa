import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type Division,
  halfLost,
  NETWORK,
  numbersUpTo,
  type ProcessCosts,
  predictStep,
  stepParts,
} from "../../src/bench/scaling.js";

const costs: ProcessCosts = {
  threads: 1,
  gradients: 0.9,
  forward: 0.3,
  update: 0.08,
  reading: 0.02,
  masking: 0.01,
  gradientBytes: 64 * 2 ** 20,
  savedBytes: 0,
};
const division: Division = {
  samples: 3,
  accumulation: 2,
  epochBatches: 80,
  validationBatches: 8,
  workers: 0,
  maskStreams: "run",
  divided: false,
};

describe("stepParts", () => {
  it("is what one process does where there is one", () => {
    expect(stepParts(costs, division, NETWORK, 1)).toEqual({
      gradients: 1.8,
      update: 0.08,
      sum: 0,
      data: expect.closeTo(2 * 0.02 + 2 * 0.01, 12),
      between: expect.closeTo((8 * 0.03 + 8 * 0.3) / 40, 12),
    });
  });

  it("sends two messages a bucket to each of the others, and twice its part of the bytes", () => {
    const { sum } = stepParts(costs, division, { bandwidth: 1e9, latency: 0.001 }, 4);
    const bytes = 0.75 * 64 * 2 ** 20;
    expect(sum).toBeCloseTo((2 * bytes) / 1e9 + bytes / 5e9 + 2 * 3 * 2 * 0.001 + 0.005, 12);
  });

  it("draws the masks of all with streams of the run, its own with streams of a batch, which workers make meanwhile", () => {
    const data = (change: Partial<Division>) => stepParts(costs, { ...division, ...change }, NETWORK, 8).data;
    expect(data({})).toBeCloseTo(2 * 0.02 + 16 * 0.01, 12);
    expect(data({ maskStreams: "batch" })).toBeCloseTo(2 * 0.03, 12);
    expect(data({ maskStreams: "batch", workers: 2 })).toBe(0);
  });

  it("divides the update with optimizer_zero", () => {
    expect(stepParts(costs, { ...division, divided: true }, NETWORK, 4).update).toBeCloseTo(0.02, 12);
  });
});

describe("predictStep", () => {
  const seconds = fc.double({ min: 1e-4, max: 10, noNaN: true });
  const anyCosts = fc.record({
    threads: fc.constant(1),
    gradients: seconds,
    forward: seconds,
    update: seconds,
    reading: seconds,
    masking: seconds,
    gradientBytes: fc.integer({ min: 4, max: 1e9 }),
    savedBytes: fc.integer({ min: 0, max: 1e9 }),
  });
  const anyDivision = fc.record({
    samples: fc.integer({ min: 1, max: 32 }),
    accumulation: fc.integer({ min: 1, max: 8 }),
    epochBatches: fc.integer({ min: 512, max: 10_000 }),
    validationBatches: fc.integer({ min: 0, max: 100 }),
    workers: fc.integer({ min: 0, max: 4 }),
    maskStreams: fc.constantFrom("run" as const, "batch" as const),
    divided: fc.constant(false),
  });

  it("never has more from n processes than n times one, and loses nothing to a faster network", () => {
    fc.assert(
      fc.property(anyCosts, anyDivision, fc.integer({ min: 1, max: 64 }), (some, dealt, n) => {
        const slow = predictStep(some, dealt, NETWORK, n);
        const fast = predictStep(some, dealt, { bandwidth: 2 * NETWORK.bandwidth, latency: NETWORK.latency / 2 }, n);
        expect(slow.efficiency).toBeLessThanOrEqual(1 + 1e-9);
        expect(fast.efficiency).toBeGreaterThanOrEqual(slow.efficiency - 1e-9);
        expect(slow.samplesPerSecond).toBeCloseTo((n * dealt.accumulation * dealt.samples) / slow.step, 6);
      }),
    );
  });

  it("deals the samples of a step of all evenly, or says that it cannot", () => {
    const of = (n: number) => predictStep(costs, division, NETWORK, n, 6);
    expect(of(1).strong).toBe(1);
    expect(of(4).strong).not.toBeNull();
    expect(of(5).strong).toBeNull();
    const same = predictStep(costs, { ...division, accumulation: 12 / 4 }, NETWORK, 4).step;
    const alone = predictStep(costs, { ...division, accumulation: 12 }, NETWORK, 1).step;
    expect(of(4).strong).toBeCloseTo(alone / same / 4, 12);
  });
});

it("numbersUpTo has powers of two and the number itself", () => {
  expect(numbersUpTo(1)).toEqual([1]);
  expect(numbersUpTo(8)).toEqual([1, 2, 4, 8]);
  expect(numbersUpTo(12)).toEqual([1, 2, 4, 8, 12]);
});

it("halfLost is the first that falls below one half, while epochs have a step", () => {
  const slow = { bandwidth: 1e8, latency: 0.01 };
  const found = halfLost(costs, { ...division, epochBatches: 1e6 }, slow);
  expect(found?.efficiency).toBeLessThan(0.5);
  expect(
    predictStep(costs, { ...division, epochBatches: 1e6 }, slow, found!.processes / 2).efficiency,
  ).toBeGreaterThanOrEqual(0.5);
  expect(halfLost(costs, { ...division, epochBatches: 4 }, { bandwidth: 1e12, latency: 0 })).toBeNull();
});
