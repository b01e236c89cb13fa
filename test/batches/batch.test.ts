import { describe, expect, it } from "vitest";
import { plainBatch, targetRows } from "../../src/batches/plain.js";
import type { PredictedField } from "../../src/config/types.js";
import { stepModel } from "../../src/step/step.js";
import { maskedBatch, smallConfig } from "../step/support.js";
import fc from "../support/property.js";

const { predicted } = stepModel(smallConfig());

describe("plainBatch", () => {
  it("turns indices n + N*b of level l into rows (b*L + l)*N + n, in target order", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 1, max: 9 }),
        (B, L, N) => {
          const idx = Array.from({ length: L }, (_, l) =>
            Int32Array.from(Array.from({ length: B * N }, (_, i) => i).filter((i) => (i + l) % 3 !== 0)),
          );
          const rows = targetRows({ L, N, idx });
          expect(new Set(rows).size).toBe(rows.length);
          let m = 0;
          for (const [l, level] of idx.entries()) {
            for (const index of level) {
              const [n, rest] = [rows[m] % N, Math.floor(rows[m] / N)];
              expect([rest % L, n + N * Math.floor(rest / L)]).toEqual([l, index]);
              m++;
            }
          }
        },
      ),
    );
  });

  it("takes the predicted fields in their own order", () => {
    const order = [predicted[1], predicted[0]];
    const { inputs, targets, samples } = plainBatch(maskedBatch(1), order);
    expect(samples).toBe(2);
    expect(targets.map(({ name }) => name)).toEqual(["v", "u"]);
    expect(inputs.map(({ shape }) => shape)).toEqual([
      [2, 2, 8, 4],
      [2, 2, 8, 4],
    ]);
    expect(Array.from(targets[0].rows)).toEqual([0, 3, 5, 16, 19, 21, 9, 25]);
    expect(targets[0].area).toBeNull();
  });

  it("hides bad values of points that do not count, and drops a mask of ones", () => {
    const masked = maskedBatch(1);
    masked.fields[0].valid = new Uint8Array(32).fill(1);
    masked.fields[1].valid = new Uint8Array(32).fill(1);
    masked.fields[1].valid[3] = 0;
    masked.fields[1].target[3] = Number.NaN;
    const { targets } = plainBatch(masked, predicted);
    expect(targets[0].valid).toBeNull();
    expect(targets[1].valid?.[3]).toBe(0);
    expect(targets[1].target[3]).toBe(0);
    expect(masked.fields[1].target[3]).toBeNaN();
  });

  it("gives each grid point the cosine of its row's latitude", () => {
    // tokens [2, 2, 2] of [1, 2, 2]: four rows; `lats` counts from the North pole
    const lats = [Float64Array.of(90, 150, 30, 0), Float64Array.of(45, 90, 90, 90)];
    const [{ area, rows }] = plainBatch(maskedBatch(1), predicted, lats).targets;
    const cosines = [
      [1, 0.5, 0.5, 0],
      [Math.SQRT1_2, 1, 1, 1],
    ];
    for (const [m, row] of rows.entries()) {
      const b = Math.floor(row / 16);
      const y = Math.floor((row % 8) / 2) % 2;
      for (let k = 0; k < 4; k++) {
        expect(area?.[m * 4 + k]).toBeCloseTo(cosines[b][y * 2 + Math.floor(k / 2)], 6);
      }
    }
    expect(() => plainBatch(maskedBatch(1), predicted, [new Float64Array(3), new Float64Array(4)])).toThrow(
      /u, sample 0: latitudes do not fit the tokens; found 3; expected 4/,
    );
  });

  it("says so when a predicted field is missing", () => {
    const other = { ...predicted[0], field: { ...predicted[0].field, name: "w" } } as PredictedField;
    expect(() => plainBatch(maskedBatch(1), [other])).toThrow(/w: predicted field is not in the batch/);
  });
});
