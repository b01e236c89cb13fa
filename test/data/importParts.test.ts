import { describe, expect, it } from "vitest";
import { type Step, TimeFiller } from "../../src/data/import/fillTime.js";
import { arrange, planGrid } from "../../src/data/import/grid.js";
import fc from "../support/property.js";

const axis = (start: number, step: number, count: number) =>
  Float64Array.from({ length: count }, (_, i) => start + i * step);

describe("planGrid", () => {
  const step = fc.constantFrom(0.25, 0.5, 1, 2.5);
  it("gives the same places wherever longitudes start, in any direction and convention", () => {
    fc.assert(
      fc.property(
        step,
        fc.integer({ min: 2, max: 12 }),
        fc.integer({ min: 2, max: 40 }),
        fc.integer({ min: 0, max: 143 }),
        fc.boolean(),
        fc.boolean(),
        (res, rows, columns, west, flipLat, signed) => {
          const lats = axis(60 - (rows - 1) * res, res, rows);
          const lons = axis(west * 2.5, res, columns).map((lon) => {
            const turned = lon % 360;
            return signed && turned >= 180 ? turned - 360 : turned;
          });
          if (flipLat) lats.reverse();
          const plan = planGrid(lats, lons, null, "test");
          expect(plan.res).toEqual([res, res]);
          expect(plan.isGlobal).toBe(false);
          expect(Array.from(plan.lats)).toEqual(Array.from(axis(30, res, rows)));
          expect(Array.from(plan.lons)).toEqual(Array.from(axis(west * 2.5, res, columns)));
          // Every place keeps its value.
          const plane: number[] = [];
          for (const lat of lats) for (const lon of lons) plane.push(lat * 1000 + ((lon + 720) % 360));
          const placed = arrange(plane, plan);
          for (const [y, lat] of plan.lats.entries())
            for (const [x, lon] of plan.lons.entries()) {
              expect(placed[y * columns + x]).toBe((90 - lat) * 1000 + (lon % 360));
            }
        },
      ),
    );
  });

  it("knows a globe and cuts boxes across the Greenwich meridian out of it", () => {
    const lats = axis(90, -5, 37);
    for (const lons of [axis(0, 5, 72), axis(-180, 5, 72)]) {
      const globe = planGrid(lats, lons, null, "test");
      expect([globe.isGlobal, globe.lons[0], globe.lons[71]]).toEqual([true, 0, 355]);
      for (const [west, east] of [
        [-10, 10],
        [350, 10],
        [350, 370],
      ]) {
        const cut = planGrid(lats, lons, { north: 60, west, south: 50, east }, "test");
        expect(Array.from(cut.lons)).toEqual([350, 355, 360, 365, 370]);
        expect(Array.from(cut.lats)).toEqual([30, 35, 40]);
      }
    }
  });

  it("takes the rounding of float32 axes", () => {
    const lons = Float64Array.from(axis(-0.3, 0.1, 7), Math.fround);
    const plan = planGrid(Float64Array.from(axis(50.1, 0.1, 5), Math.fround), lons, null, "test");
    expect(plan.res).toEqual([0.1, 0.1]);
    expect(plan.lons[0]).toBeCloseTo(359.7, 5);
    expect(plan.lons[6]).toBeCloseTo(360.3, 5);
  });
});

describe("TimeFiller", () => {
  it("gives back a straight line in time wherever inner gaps are short enough, and all steps in order", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.boolean(), fc.boolean()), { minLength: 3, maxLength: 30 }),
        fc.integer({ min: 1, max: 4 }),
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 30, maxLength: 30 }),
        (missing, longest, gaps) => {
          let hours = 0;
          const times = BigInt64Array.from(missing, (_, i) => {
            hours += gaps[i];
            return BigInt(hours) * 3_600_000_000_000n;
          });
          const line = (t: number, c: number) => (Number(times[t]) / 3.6e12) * (c + 1) + 3;
          const filler = new TimeFiller(times, longest, 2);
          const done: Step[] = [];
          for (const [time, holes] of missing.entries()) {
            const planes = holes.map((hole, c) => Float64Array.of(hole ? Number.NaN : line(time, c), line(time, c)));
            done.push(...filler.push({ time, planes }));
          }
          done.push(...filler.finish());
          expect(done.map((step) => step.time)).toEqual([...missing.keys()]);
          for (const c of [0, 1]) {
            for (const [t, holes] of missing.entries()) {
              let from = t;
              let to = t;
              while (from >= 0 && missing[from][c]) from -= 1;
              while (to < missing.length && missing[to][c]) to += 1;
              const fillable = holes[c] && from >= 0 && to < missing.length && to - from - 1 <= longest;
              const value = done[t].planes[c][0];
              if (holes[c] && !fillable) expect(value).toBeNaN();
              else expect(value).toBeCloseTo(line(t, c), 9);
              expect(filler.filled[c].has(t)).toBe(fillable);
            }
          }
        },
      ),
    );
  });
});
