/** The tutorials' last cell, and what makes outputs repeat. */
import { afterEach, describe, expect, it, vi } from "vitest";
import { assertRunId, drawRunId } from "../../src/config/runId.js";
import { DISPLAY } from "../../src/notebook/figure/display.js";
import * as nb from "../../src/notebook/index.js";

describe("expect", () => {
  it("shows numbers that are within their tolerances, and gives them to programs", async () => {
    const bundle = await nb.expect({ steps: [3, 3], "RMSE (m/s)": [10.1, 10, 0.02], bias: [0.01, 0, 0.1] })[DISPLAY]();
    expect(bundle["text/plain"]).toMatch(
      /steps +3 +3 +exactly\nRMSE \(m\/s\) +10\.1 +10 +± 2 %\nbias +0\.01 +0 +± 0\.1/,
    );
    expect(bundle[nb.EXPECT_TYPE]).toEqual({
      steps: { found: 3, expected: 3, tolerance: 0 },
      "RMSE (m/s)": { found: 10.1, expected: 10, tolerance: 0.02 },
      bias: { found: 0.01, expected: 0, tolerance: 0.1 },
    });
  });

  it("names every number that is not", () => {
    const numbers = { a: [1, 2], b: [1, 1], c: [10.3, 10, 0.02], d: [Number.NaN, 1, 1] } as const;
    expect(() => nb.expect(numbers)).toThrow(/a: 1; c: 10\.3; d: NaN[\s\S]*a: 2 exactly; c: 10 ± 2 %; d: 1 ± 100 %/);
  });

  it("refuses to compare nothing", () => {
    expect(() => nb.expect({})).toThrow(/nothing to compare/);
  });
});

describe("outputs repeat", () => {
  afterEach(() => vi.unstubAllEnvs());

  it("a figure's SVG is the same text each time, and its ids are its own", async () => {
    const figure = (value: number) =>
      nb.views.mapFigure({
        field: "velocity_u",
        level: 500,
        unit: "m/s",
        time: "1996-01-08T00:00",
        values: Float64Array.of(0, 1, 2, value),
        lats: Float64Array.of(50, 40),
        lons: Float64Array.of(10, 20),
      });
    const ids = (svg: string) => [...svg.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id);
    const [first, again, other] = [
      await nb.svgFigure(figure(3)),
      await nb.svgFigure(figure(3)),
      await nb.svgFigure(figure(4)),
    ];
    expect(again).toBe(first);
    expect(ids(first).length).toBeGreaterThan(0);
    for (const id of ids(first)) expect(first).toContain(`url(#${id})`);
    expect(first.match(/url\(#/g)?.length).toBe([...first.matchAll(/url\(#(f[0-9a-f]{8}-\d+)\)/g)].length);
    expect(ids(other).filter((id) => ids(first).includes(id))).toEqual([]);
  });

  it("run ids come in the same sequence from a seed, and at random without", () => {
    const drawn = Array.from({ length: 20 }, () => drawRunId("tutorial"));
    expect(new Set(drawn).size).toBe(20);
    for (const id of drawn) assertRunId(id);
    vi.stubEnv("ATMOREP_RUN_ID_SEED", "");
    expect(drawRunId()).not.toBe(drawRunId());
  });
});
