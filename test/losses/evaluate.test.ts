/** Losses on plain numbers. */
import { describe, expect, it } from "vitest";
import { losses } from "../../src/index.js";
import { lossNames } from "../../src/losses/index.js";

const points = {
  target: [0.3, -1],
  members: [
    [0, -2],
    [1, 0.5],
    [0.4, -1.2],
  ],
};

describe("losses.evaluate", () => {
  it.each(Object.keys(lossNames()))("%s: the gradient is the slope of the value", async (name) => {
    const { value, gradient } = await losses.evaluate(name, points);
    expect(value).toBeGreaterThan(0);
    expect(gradient.map(({ length }) => length)).toEqual([2, 2, 2]);
    const h = 1e-2;
    for (const [e, p] of [
      [0, 0],
      [1, 1],
      [2, 0],
    ]) {
      const shifted = (by: number) => points.members.map((m, i) => m.map((v, j) => (i === e && j === p ? v + by : v)));
      const [up, down] = [
        await losses.evaluate(name, { ...points, members: shifted(h) }),
        await losses.evaluate(name, { ...points, members: shifted(-h) }),
      ];
      expect(gradient[e][p]).toBeCloseTo((up.value - down.value) / (2 * h), 2);
    }
  });

  it("says what is wrong with its input", async () => {
    await expect(losses.evaluate("crps", { target: [0], members: [[1]] })).rejects.toThrow(/too few members/);
    await expect(losses.evaluate("mse", { target: [0, 1], members: [[1]] })).rejects.toThrow(/members.*1.*2/s);
    await expect(losses.evaluate("msee", points)).rejects.toThrow(/Did you mean mse\?/);
  });
});
