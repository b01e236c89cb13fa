import { expect, test } from "vitest";
import { Blocks } from "../../../src/data/cache/blocks.js";
import fc from "../../support/property.js";

test("blocks lie apart, within the bounds, in the first gap, and refuse only what no gap has room for", () => {
  const steps = fc.array(fc.record({ bytes: fc.nat(400), back: fc.boolean(), which: fc.nat() }), { maxLength: 60 });
  let refused = 0;
  fc.assert(
    fc.property(steps, (all) => {
      const [start, end] = [128, 128 + 64 * 20];
      const blocks = new Blocks(start, end);
      const units: (number | null)[] = Array(20).fill(null);
      const lent: number[] = [];
      for (const { bytes, back, which } of all) {
        if (back && lent.length > 0) {
          const [at] = lent.splice(which % lent.length, 1);
          blocks.takeBack(at);
          for (const [i, owner] of units.entries()) if (owner === at) units[i] = null;
          continue;
        }
        const size = Math.max(1, Math.ceil(bytes / 64));
        const gap = units.findIndex(
          (_, i) => i + size <= 20 && units.slice(i, i + size).every((owner) => owner === null),
        );
        const at = blocks.lend(bytes);
        expect(at).toBe(gap < 0 ? null : start + 64 * gap);
        refused += Number(at === null);
        if (at === null) continue;
        units.fill(at, gap, gap + size);
        lent.push(at);
      }
      expect(blocks.whole).toBe(lent.length === 0);
    }),
  );
  expect(refused).toBeGreaterThan(0);
});
