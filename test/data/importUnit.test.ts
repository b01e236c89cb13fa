/** Which planes a unit of an import reads. */
import { expect, it } from "vitest";
import { layoutOf, unitsOf } from "../../src/data/import/layout.js";
import { planImport } from "../../src/data/import/plan.js";
import type { InputVariable } from "../../src/data/import/types.js";
import { importUnit } from "../../src/data/import/unit.js";

const DAY_NS = 86_400_000_000_000n;

it("reads no more than its month where no chunk begins in the month, and then to the end of the last", async () => {
  const read: number[] = [];
  const variable: InputVariable = {
    name: "t",
    path: "made up",
    units: "K",
    levels: null,
    times: BigInt64Array.from({ length: 90 }, (_, i) => 1_609_459_200_000_000_000n + BigInt(i) * DAY_NS),
    lats: Float64Array.of(50, 49),
    lons: Float64Array.of(0, 1),
    async readPlane(time) {
      read.push(time);
      return Float64Array.of(time, time, time, time);
    },
  };
  const pieces = [{ name: "t", surface: true, level: null, variable }];
  const plan = planImport(pieces, { levels: null, box: null, dates: null });
  const layout = layoutOf({ times: 90, fields: 0, levels: 0, fieldsSfc: 1, grid: [2, 2] }, { time: 90 }, 1, "none");
  const counts: number[] = [];
  for (const unit of unitsOf(plan, layout)) {
    read.length = 0;
    const tools = { sink: { put: async () => {} }, progress: () => {}, ended: { aborted: false } };
    await importUnit(plan, layout, unit, { fillSteps: 0, normUntil: null, missing: "keep" }, tools);
    counts.push(read.length);
  }
  expect(counts).toEqual([90, 28, 31]);
});
