import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { evaluateLoss } from "../../src/losses/evaluate.js";
import { BUILT_IN, lossInfo, lossNames, registerLoss } from "../../src/losses/names.js";
import { getLoss, LOSSES } from "../../src/losses/table.js";
import { needsArea, totalLoss } from "../../src/losses/total.js";
import type { OwnLoss } from "../../src/losses/types.js";
import { fromMembers, inScope, useWasm } from "./support.js";

beforeAll(async () => {
  await useWasm();
});

const predicted = (weights: number[]) =>
  weights.map((weight, index) => ({ index, weight, field: { name: `f${index}` } })) as unknown as Parameters<
    typeof totalLoss
  >[1];

describe("the table of losses", () => {
  it("has the reference's seven losses and ours, each with a function and a line of doc", () => {
    const reference = ["crps", "kernel_crps", "mse", "mse_ensemble", "stats", "stats_area", "weighted_mse"];
    expect(Object.keys(BUILT_IN)).toEqual(expect.arrayContaining([...reference, "almost_fair_crps", "ensemble_crps"]));
    for (const [name, { doc, members }] of Object.entries(lossNames())) {
      expect(doc.length).toBeGreaterThan(10);
      expect(members).toBeGreaterThanOrEqual(1);
      expect(getLoss(name).fn).toBeTypeOf("function");
    }
  });

  it("names the known losses and the nearest for an unknown one", () => {
    expect(() => getLoss("mse_ensembel")).toThrow(
      /unknown loss; found mse_ensembel; expected one of mse, .*mse_ensemble\?/,
    );
    expect(() => lossInfo("toString")).toThrow(/unknown loss/);
  });

  it("takes a loss of the user's, and the same name again, but none of a built-in loss", () => {
    const value = () =>
      inScope(() =>
        getLoss("mae_of_test")
          .fn(fromMembers(tf.tensor2d([[1, 2]]), tf.zeros([1, 1, 2])))
          .dataSync(),
      );
    const entry: OwnLoss = {
      fn: ({ target, mean, valid }, tools) => tools.weightedMean(tools.tf.abs(tf.sub(mean, target)), valid ?? null),
      doc: "mean absolute error of the ensemble mean",
    };
    registerLoss("mae_of_test", entry);
    expect(lossNames().mae_of_test).toEqual({ members: 1, area: false, doc: entry.doc });
    expect(value()[0]).toBe(1.5);
    registerLoss("mae_of_test", { ...entry, fn: ({ target }) => tf.max(target), area: true });
    expect(value()[0]).toBe(2);
    expect(needsArea({ losses: ["mae_of_test"] })).toBe(true);
    expect(() => registerLoss("mse", entry)).toThrow(/built-in/);
    expect(() => registerLoss("Not a name", entry)).toThrow(/lower-case/);
    expect(() => registerLoss("no_doc", { ...entry, doc: "" })).toThrow(/incomplete/);
    expect(() => registerLoss("no_members", { ...entry, members: 0 })).toThrow(/incomplete/);
    expect(() => lossInfo("no_doc")).toThrow(/unknown loss/);
  });

  it.each<[string, OwnLoss["fn"], RegExp]>([
    [
      "an operation without a gradient",
      ({ ens }) => tf.sum(tf.cumprod(ens)),
      /the loss own_one failed in Cumprod; .*no gradient/,
    ],
    [
      "shapes that do not fit",
      ({ ens }) => tf.sum(tf.reshape(ens, [7])),
      /the loss own_one failed in reshape; .*\[7\]|Size/,
    ],
    [
      "a slice out of range",
      ({ ens }) => tf.sum(tf.slice(ens, [5], [9])),
      /the loss own_one failed in slice; .*5 and 9/,
    ],
    [
      "a tensor with axes",
      ({ ens }) => tf.square(ens) as tf.Scalar,
      /own_one must give a scalar; found a tensor \[2,1,1\]/,
    ],
    [
      "a promise",
      (async ({ ens }: { ens: tf.Tensor }) => tf.sum(ens)) as unknown as OwnLoss["fn"],
      /own_one must give a scalar; found a promise/,
    ],
  ])("names the loss of the user's and the operation: %s", (_, fn, message) => {
    registerLoss("own_one", { fn, doc: "a loss that fails" });
    const points = { target: [1, 2], members: [[2, 3]] };
    expect(() => evaluateLoss("own_one", points)).toThrow(message);
    // the engine is as it was
    expect(evaluateLoss("mse", points).value).toBe(1);
  });

  it("knows which losses read the latitudes", () => {
    expect(needsArea({ losses: ["mse", "crps"] })).toBe(false);
    expect(needsArea({ losses: ["mse", "weighted_mse"] })).toBe(true);
    expect(() => LOSSES.weighted_mse.fn(fromMembers(tf.zeros([1, 1]), tf.zeros([1, 1, 1])))).toThrow(
      /cosine of latitude/,
    );
  });
});

describe("totalLoss", () => {
  const one = (error: number, empty = false) => ({
    ...fromMembers(tf.zeros([1, 1]), tf.fill([1, 1, 1], error)),
    empty,
  });

  it("weights losses and fields, and divides by the weights", () => {
    inScope(() => {
      const fields = [one(1), one(2)];
      const config = { losses: ["mse", "kernel_crps"], loss_weights: [3, 1] };
      const { total, terms, mse, spread } = totalLoss(config, predicted([0.5, 0.25]), fields, fields);
      // mse 1 and 4, absolute error 1 and 2
      const expected = (3 * (0.5 * 1 + 0.25 * 4) + 1 * (0.5 * 1 + 0.25 * 2)) / (4 * 0.75);
      expect(total.dataSync()[0]).toBeCloseTo(expected, 6);
      expect(terms.map(({ loss, field, value }) => [loss, field, value.dataSync()[0]])).toEqual([
        ["mse", "f0", 1],
        ["mse", "f1", 4],
        ["kernel_crps", "f0", 1],
        ["kernel_crps", "f1", 2],
      ]);
      expect(mse.map((value) => value?.dataSync()[0])).toEqual([1, 4]);
      expect(spread.map((value) => value?.dataSync()[0])).toEqual([0, 0]);
    });
  });

  it("leaves out a field without hidden tokens", () => {
    inScope(() => {
      const fields = [one(1), one(2, true)];
      const { total, terms, mse } = totalLoss({ losses: ["mse"] }, predicted([0.5, 0.25]), fields, fields);
      expect(total.dataSync()[0]).toBe(1);
      expect(terms.map(({ field }) => field)).toEqual(["f0"]);
      expect(mse[1]).toBeNull();
    });
  });

  it("says so when nothing is left to train on", () => {
    inScope(() => {
      const fields = [one(2, true)];
      expect(() => totalLoss({ losses: ["mse"] }, predicted([1]), fields, fields)).toThrow(/nothing to train on/);
      const weightless = [one(1)];
      expect(() => totalLoss({ losses: ["mse"] }, predicted([0]), weightless, weightless)).toThrow(
        /no loss has a weight/,
      );
    });
  });
});
