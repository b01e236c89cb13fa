import { expect, it } from "vitest";
import { compare, compareJson, TOLERANCES } from "../../src/verify/compare.js";
import fc from "../support/property.js";

it("accepts errors up to the tolerance and names the worst element beyond it", () => {
  expect(compare("x", [1, 2 + 2e-4], [1, 2], TOLERANCES.network)).toMatchObject({ ok: true });
  expect(compare("x", [1, 2.1, 3.001], [1, 2, 3], TOLERANCES.network)).toMatchObject({
    ok: false,
    detail: "worst at 1: 2.1, expected 2",
  });
});

it.each([
  ["another length", [1], [1, 2]],
  ["NaN for a number", [Number.NaN], [1]],
  ["a number for NaN", [1], [Number.NaN]],
  ["infinity for a number", [Infinity], [1]],
  ["the other infinity", [Infinity], [-Infinity]],
])("refuses %s", (_, actual, expected) => {
  expect(compare("x", actual, expected, TOLERANCES.network).ok).toBe(false);
});

it("takes NaN for NaN and infinity for infinity", () => {
  expect(compare("x", [Number.NaN, Infinity], [Number.NaN, Infinity], TOLERANCES.exact).ok).toBe(true);
});

it("exact means equal", () => {
  fc.assert(
    fc.property(fc.array(fc.double({ noNaN: true }), { minLength: 1 }), fc.nat(), (values, at) => {
      expect(compare("x", values, values, TOLERANCES.exact).ok).toBe(true);
      const changed = [...values];
      const i = at % values.length;
      changed[i] = changed[i] === 0 ? 1e-300 : -changed[i];
      expect(compare("x", changed, values, TOLERANCES.exact).ok).toBe(false);
    }),
  );
});

it("measures gradients against the largest of the tensor as well", () => {
  expect(compare("g", [1, 1e-5], [1, 0], TOLERANCES.gradient).ok).toBe(true);
  expect(compare("g", [1, 2e-4], [1, 0], TOLERANCES.gradient).ok).toBe(false);
});

it("compares plain values by their JSON", () => {
  expect(compareJson("x", { a: [1] }, { a: [1] }).ok).toBe(true);
  expect(compareJson("x", { a: [1] }, { a: [2] })).toMatchObject({
    ok: false,
    detail: '{"a":[1]}, expected {"a":[2]}',
  });
});
