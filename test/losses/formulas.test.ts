import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { BUILT_IN } from "../../src/losses/names.js";
import { weightedMean } from "../../src/losses/reduce.js";
import { LOSSES } from "../../src/losses/table.js";
import { lossAndGradient, POINT_FORMULAS } from "../../src/verify/kinds/lossFormulas.js";
import fc from "../support/property.js";
import { close, inputsOf, inScope, type Plain, plainInputs, useWasm, valueAndGradient } from "./support.js";

beforeAll(async () => {
  await useWasm();
});

const names = Object.keys(BUILT_IN);
const runs = { numRuns: 40 };

/** Largest distance from the mean over spread; large values make float32 and float64 differ by their steepness alone. */
function spreads({ shape: [M, E, D], ens }: Plain): number[] {
  return Array.from({ length: M * D }, (_, k) => {
    const members = Array.from({ length: E }, (_, e) => ens[(Math.floor(k / D) * E + e) * D + (k % D)]);
    const mean = members.reduce((a, b) => a + b, 0) / E;
    return Math.sqrt(members.reduce((sum, e) => sum + (e - mean) ** 2, 0) / (E - 1));
  });
}

describe("every loss", () => {
  it.each(names)("%s equals its formula in float64, its gradient the central differences", (name) => {
    fc.assert(
      fc.property(plainInputs(), (plain) => {
        fc.pre(Math.min(...spreads(plain)) > 0.3);
        const [M, , D] = plain.shape;
        const area = Float32Array.from({ length: M * D }, (_, k) => 0.25 + (k % 7) / 10);
        const weights = name === "weighted_mse" ? area : null;
        const expected = lossAndGradient(POINT_FORMULAS[name], plain.target, plain.ens, plain.shape, weights);
        const actual = valueAndGradient(LOSSES[name].fn, plain, { area: tf.tensor(area, [M, D]) });
        expect(close(actual.value, expected.value), `${actual.value} ${expected.value}`).toBe(true);
        for (const [i, slope] of expected.gradient.entries()) {
          expect(close(actual.gradient[i], slope, 1e-3, 2e-5), `${i}: ${actual.gradient[i]} ${slope}`).toBe(true);
        }
      }),
      runs,
    );
  });

  it.each(names)("%s does not depend on the order of the batch", (name) => {
    fc.assert(
      fc.property(plainInputs(), (plain) => {
        fc.pre(Math.min(...spreads(plain)) > 0.01);
        const [M, E, D] = plain.shape;
        const reversed = inScope(() => {
          const flip = (data: Float32Array, width: number) =>
            Float32Array.from(data, (_, i) => data[(M - 1 - Math.floor(i / width)) * width + (i % width)]);
          return { ...plain, target: flip(plain.target, D), ens: flip(plain.ens, E * D) };
        });
        const area = { area: tf.ones([M, D]) };
        const one = valueAndGradient(LOSSES[name].fn, plain, area).value;
        const other = valueAndGradient(LOSSES[name].fn, reversed, area).value;
        expect(close(one, other, 1e-6, 1e-7), `${one} ${other}`).toBe(true);
      }),
      runs,
    );
  });

  it.each(names)("%s with a mask equals the loss of the valid points alone", (name) => {
    fc.assert(
      fc.property(plainInputs(), fc.infiniteStream(fc.boolean()), (plain, bits) => {
        const [M, E, D] = plain.shape;
        const valid = Uint8Array.from({ length: M }, () => (bits.next().value ? 1 : 0));
        fc.pre(valid.includes(1));
        const keep = [...valid.keys()].filter((m) => valid[m] === 1);
        const rows = (data: Float32Array, width: number) =>
          Float32Array.from(keep.flatMap((m) => [...data.subarray(m * width, (m + 1) * width)]));
        const part: Plain = {
          shape: [keep.length, E, D],
          target: rows(plain.target, D),
          ens: rows(plain.ens, E * D),
        };
        const mask = tf.tensor(
          Float32Array.from({ length: M * D }, (_, k) => valid[Math.floor(k / D)]),
          [M, D],
        );
        const whole = valueAndGradient(LOSSES[name].fn, plain, { valid: mask, area: tf.ones([M, D]) });
        const alone = valueAndGradient(LOSSES[name].fn, part, { area: tf.ones([keep.length, D]) });
        expect(close(whole.value, alone.value, 1e-5, 1e-6), `${whole.value} ${alone.value}`).toBe(true);
        for (let i = 0; i < whole.gradient.length; i++) {
          if (valid[Math.floor(i / (E * D))] === 0) expect(Math.abs(whole.gradient[i])).toBe(0);
        }
      }),
      runs,
    );
  });

  it.each(names)("%s and its gradient stay finite when the members nearly or wholly agree", (name) => {
    const spreadsToTry = [0, 1e-30, 1e-12, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3];
    for (const spread of spreadsToTry) {
      for (const error of [0, 1e-7, 1e-3, 1, 50]) {
        const plain: Plain = {
          shape: [1, 3, 1],
          target: Float32Array.of(error),
          ens: Float32Array.of(-spread, 0, spread),
        };
        const { value, gradient } = valueAndGradient(LOSSES[name].fn, plain, { area: tf.ones([1, 1]) });
        expect([value, ...gradient].every(Number.isFinite), `spread ${spread}, error ${error}`).toBe(true);
      }
    }
  });

  it.each(names)("%s of a field without valid points is 0, with gradient 0", (name) => {
    const plain: Plain = { shape: [1, 2, 1], target: Float32Array.of(1), ens: Float32Array.of(0, 3) };
    const none = { valid: tf.zeros([1, 1]), area: tf.ones([1, 1]) };
    const { value, gradient } = valueAndGradient(LOSSES[name].fn, plain, none);
    expect(value).toBe(0);
    expect([...gradient].every((slope) => slope === 0)).toBe(true);
  });

  it.each(names)("%s with one member works or says what it needs", (name) => {
    const plain: Plain = { shape: [1, 1, 2], target: Float32Array.of(1, -2), ens: Float32Array.of(0.5, 0) };
    const run = () => valueAndGradient(LOSSES[name].fn, plain, { area: tf.ones([1, 2]) });
    if (LOSSES[name].members > 1) expect(run).toThrow(new RegExp(`losses: ${name}: .*net_tail_num_nets`));
    else {
      const points = [...plain.target].map((t, i) => POINT_FORMULAS[name](t, [plain.ens[i]]));
      expect(run().value).toBeCloseTo((points[0] + points[1]) / 2, 6);
    }
  });
});

describe("continuous ranked probability scores", () => {
  it.each(["crps", "kernel_crps", "almost_fair_crps", "ensemble_crps"])("%s is never negative", (name) => {
    fc.assert(
      fc.property(plainInputs(8), (plain) => {
        const { value } = valueAndGradient(LOSSES[name].fn, plain);
        expect(value).toBeGreaterThanOrEqual(0);
      }),
      { numRuns: 100 },
    );
  });

  it("of members that all agree are the absolute error", () => {
    fc.assert(
      fc.property(plainInputs(6, 1), ({ shape: [M, E, D], target, ens }) => {
        const point = Float32Array.from(ens, (_, i) => ens[Math.floor(i / (E * D)) * E * D + (i % D)]);
        const plain: Plain = { shape: [M, E, D], target, ens: point };
        let expected = 0;
        for (let k = 0; k < M * D; k++) {
          expected += Math.abs(point[Math.floor(k / D) * E * D + (k % D)] - target[k]) / (M * D);
        }
        for (const name of ["kernel_crps", "almost_fair_crps", "ensemble_crps", "crps"]) {
          if (E < LOSSES[name].members) continue;
          const { value } = valueAndGradient(LOSSES[name].fn, plain);
          expect(close(value, expected, 1e-6, 2e-6), `${name} ${value} ${expected}`).toBe(true);
        }
      }),
      runs,
    );
  });

  it("the almost fair form is 0.95 of the fair and 0.05 of the plain one", () => {
    const plain: Plain = { shape: [1, 3, 1], target: Float32Array.of(0), ens: Float32Array.of(-1, 1, 4) };
    // mean |e| = 2; sum over ordered pairs = 2 (2 + 5 + 3) = 20
    const fair = 2 - 20 / 12;
    const unfair = 2 - 20 / 18;
    expect(valueAndGradient(LOSSES.almost_fair_crps.fn, plain).value).toBeCloseTo(0.95 * fair + 0.05 * unfair, 6);
    expect(valueAndGradient(LOSSES.ensemble_crps.fn, plain).value).toBeCloseTo(unfair, 6);
  });

  // members that are fixed numbers for many targets: what a tail is to all points that look alike
  it("the ensemble form rests where members are the quantiles (k - 1/2)/E, the fair form where the outer ones are the extremes", () => {
    const E = 4;
    const targets = Float32Array.from({ length: 400 }, (_, i) => i);
    const slopes = (loss: string, members: number[]) => {
      const ens = Float32Array.from({ length: targets.length * E }, (_, i) => members[Math.floor(i / targets.length)]);
      const { gradient } = valueAndGradient(LOSSES[loss].fn, { shape: [1, E, targets.length], target: targets, ens });
      return members.map((_, e) =>
        gradient.slice(e * targets.length, (e + 1) * targets.length).reduce((sum, g) => sum + g, 0),
      );
    };
    const quantiles = [1, 3, 5, 7].map((k) => (k * 400) / 8 - 0.5);
    for (const slope of slopes("ensemble_crps", quantiles)) expect(Math.abs(slope)).toBeLessThan(1e-6);
    const [lowest, , , highest] = slopes("kernel_crps", quantiles);
    expect([lowest > 0.01, highest < -0.01]).toEqual([true, true]);
    for (const slope of slopes("kernel_crps", [-5, 399 / 3, (2 * 399) / 3, 405]))
      expect(Math.abs(slope)).toBeLessThan(2e-3);
  });

  it("the fair form leaves a stray member without a pull, the almost fair form pulls it back", () => {
    const plain: Plain = { shape: [1, 2, 1], target: Float32Array.of(0), ens: Float32Array.of(-0.5, 40) };
    expect(valueAndGradient(LOSSES.kernel_crps.fn, plain).gradient[1]).toBe(0);
    expect(valueAndGradient(LOSSES.almost_fair_crps.fn, plain).gradient[1]).toBeGreaterThan(0);
  });
});

describe("means", () => {
  it("of a million squares are right to 1e-6 on WASM", () => {
    const n = 1_000_003;
    const values = Float32Array.from({ length: n }, (_, i) => 1 + ((i * 2654435761) % 1000) / 1000);
    let expected = 0;
    for (const value of values) expected += value / n;
    const actual = inScope(() => weightedMean(tf.tensor1d(values), null).dataSync()[0]);
    expect(Math.abs(actual / expected - 1)).toBeLessThan(1e-6);
  });

  it("give every point its share of the gradient", () => {
    const plain: Plain = { shape: [1, 2, 2], target: Float32Array.of(0, 0), ens: Float32Array.of(1, 2, 3, 4) };
    const mean = (weights: tf.Tensor | null) => (ens: tf.Tensor) => weightedMean(ens, weights);
    inScope(() => {
      const { ens } = inputsOf(plain);
      expect([...tf.grad(mean(null))(ens).dataSync()]).toEqual([0.25, 0.25, 0.25, 0.25]);
      const weights = tf.tensor([3, 1], [1, 1, 2]);
      expect([...tf.grad(mean(weights))(ens).dataSync()]).toEqual([0.375, 0.125, 0.375, 0.125]);
    });
  });
});
