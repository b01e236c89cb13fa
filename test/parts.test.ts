import { describe, expect, it } from "vitest";
import { ownerOf, parsePart, rangeOf } from "../src/parts.js";
import fc from "./support/property.js";

describe("part i of N", () => {
  it("deals every unit to exactly one part, neighbours together, as evenly as can be", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 200 }), (of, units) => {
        const ranges = Array.from({ length: of }, (_, i) => rangeOf({ number: i + 1, of }, units));
        const owners = ranges.flatMap(([from, to], i) => Array<number>(to - from).fill(i + 1));
        const sizes = ranges.map(([from, to]) => to - from);
        expect([0, ...ranges.map(([, to]) => to)]).toEqual([...ranges.map(([from]) => from), units]);
        expect(owners).toEqual(Array.from({ length: units }, (_, unit) => ownerOf(unit, units, of)));
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
      }),
    );
  });

  it("is read as i/N and refused otherwise", () => {
    expect(parsePart("2/4")).toEqual({ number: 2, of: 4 });
    for (const text of ["0/4", "5/4", "2", "2/4/1", "-1/4", "1/99999", "a/b", ""]) {
      expect(() => parsePart(text), text).toThrow(/not a part/);
    }
  });
});
