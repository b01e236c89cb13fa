import { expect, it } from "vitest";
import type { Params } from "../../src/model/types.js";
import { layoutOf } from "../../src/step/sharedGradients.js";
import { ownersOf } from "../../src/step/zero.js";
import fc from "../support/property.js";

const of = (sizes: readonly number[]) => Object.fromEntries(sizes.map((size, i) => [`p${i}`, { size }]));
const config = { optimizer_zero: true, freeze: [] };

it("deals every parameter to one process, in order, no part above its share by more than the largest", () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 1000 }), { minLength: 1, maxLength: 60 });
  fc.assert(
    fc.property(sizes, fc.integer({ min: 2, max: 9 }), (list, size) => {
      const owners = ownersOf(of(list), config, { size })!;
      expect(owners.flat()).toEqual(Object.keys(of(list)));
      const total = list.reduce((a, b) => a + b, 0);
      for (const own of owners) {
        const part = own.reduce((sum, name) => sum + of(list)[name].size, 0);
        expect(part).toBeLessThanOrEqual(total / size + Math.max(...list));
      }
    }),
  );
});

it("is not asked of one process, nor where it is switched off; what is frozen weighs nothing", () => {
  expect(ownersOf(of([3, 4]), config, { size: 1 })).toBeNull();
  expect(ownersOf(of([3, 4]), { ...config, optimizer_zero: false }, { size: 2 })).toBeNull();
  expect(ownersOf(of([100, 5, 5]), { ...config, freeze: ["p0"] }, { size: 2 })).toEqual([["p0", "p1"], ["p2"]]);
});

it("parts end where their parameters do, also where some have no gradient", () => {
  const params = of([4, 2, 6, 3]) as unknown as Params;
  const owners = [["p0", "p1"], ["p2"], ["p3"]];
  const layout = (rank: number) => layoutOf(params, new Set(["p1"]), owners, { rank, size: 3 });
  expect(layout(0)).toMatchObject({ names: ["p0", "p2", "p3"], at: [0, 4, 10, 13], ends: [4, 10, 13], own: [0, 1] });
  expect([layout(1).own, layout(2).own]).toEqual([
    [1, 2],
    [2, 3],
  ]);
});
