/** Figures of evaluations and of attention on the map: numbers, labels, refusals, the same in both forms. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Prepared, prepare } from "../../src/batches/prepare.js";
import { plotlyFigure } from "../../src/notebook/figure/plotly.js";
import { svgFigure } from "../../src/notebook/figure/svg.js";
import type { Band, Bars, Figure, Heatmap, Line, Points, Rects } from "../../src/notebook/figure/types.js";
import * as nb from "../../src/notebook/index.js";
import type { AttentionMap } from "../../src/prediction/attentionMaps.js";
import type { ScoreLeaf, ScoreReport } from "../../src/scores/index.js";
import { tinyConfig } from "../support/tinyRun.js";
import { plotlyAxis, svgPoints, svgTexts } from "./support.js";

const leaf = (value: number, blocks: number): ScoreLeaf => ({
  points: 100,
  times: 5,
  blockLength: 2,
  blocks,
  rmse: { value, low: value - 1, high: value + 2, unit: "m/s", baselines: { persistence: value + 1, climatology: 9 } },
  acc: { value: null, refused: "no climatology", unit: "" },
  rank_histogram: { value: [0.5, 0.25, 0.25] },
  zonal_spectrum: { refused: "not periodic" },
});

const spectral = (value: number): ScoreLeaf => ({
  ...leaf(value, 12),
  zonal_spectrum: { model: [4, 2, 1], target: [4, 3, 2] },
});

/** Leads out of order in `velocity_u`; the whole globe in `temperature`. */
const report: ScoreReport = {
  velocity_u: {
    all: { all: { global: leaf(4, 2) }, "2": { global: leaf(5, 2) }, "1": { global: leaf(3, 2) } },
    "500": { all: { global: leaf(4, 2) }, "2": { global: leaf(5, 2) }, "1": { global: leaf(3, 2) } },
  },
  temperature: {
    all: { all: { global: spectral(2) } },
    "114": { all: { global: spectral(2) }, "3": { global: spectral(2) } },
  },
};
const evaluation = { scores: report, about: { hours_per_lead_step: 6, verdict: "The model loses.", run: "ab12cd34" } };

/** Labels, titles and ranges of a figure stand in both forms. */
async function both(figure: Figure): Promise<string> {
  const svg = await svgFigure(figure);
  const plotly = plotlyFigure(figure);
  const texts = svgTexts(svg).join(" ");
  for (const [p, { x, y }] of figure.panels.entries()) {
    for (const [side, axis] of [
      ["x", x],
      ["y", y],
    ] as const) {
      const own = plotlyAxis(plotly, side, p) as unknown as { range: number[]; title?: { text: string } };
      const range = axis.type === "log" ? own.range.map((value) => 10 ** value) : own.range;
      expect(range[0]).toBeCloseTo(axis.range[0], 8);
      expect(range[1]).toBeCloseTo(axis.range[1], 8);
      if (axis.hidden || !axis.label) continue;
      expect(own.title?.text).toContain(axis.label);
      expect(texts).toContain(axis.label);
    }
  }
  expect(svg).not.toContain("NaN");
  return svg;
}

describe("a score over lead time", () => {
  it("is in order, in hours, with its interval and the baselines, and says how few blocks there are", async () => {
    const figure = nb.leads(evaluation);
    const [band, persistence, climatology, model] = figure.panels[0].marks as [Band, Line, Line, Line];
    expect(model.x).toEqual([6, 12]);
    expect(model.y).toEqual([3, 5]);
    expect([band.lower, band.upper]).toEqual([
      [2, 4],
      [5, 7],
    ]);
    expect([persistence.y, climatology.y]).toEqual([
      [4, 6],
      [9, 9],
    ]);
    expect(figure.panels[0].x).toMatchObject({ unit: "h" });
    expect(figure.panels[0].y).toMatchObject({ label: "RMSE", unit: "m/s" });
    expect(figure.caption).toContain("2 independent blocks: too few to tell");
    const svg = await both(figure);
    const points = svgPoints(svg, figure, 0, model.color);
    expect(points[0][1]).toBeCloseTo(3, 1);
    expect(points[1][1]).toBeCloseTo(5, 1);
  });

  it("shows each level, lead time and region with its interval and the best simple baseline", async () => {
    const figure = nb.intervals(evaluation);
    // one region, one level: only the lead times are several
    expect(figure.panels.map(({ title }) => title)).toEqual(["by lead time, all levels"]);
    const [interval, model, best] = figure.panels[0].marks as [Line, Points, Points];
    expect(figure.panels[0].y.ticks).toEqual([
      { value: 1, label: "6 h" },
      { value: 0, label: "12 h" },
    ]);
    expect([model.x, model.y]).toEqual([
      [3, 5],
      [1, 0],
    ]);
    expect(interval.x).toEqual([2, 5, null, 4, 7, null]);
    expect(best.x).toEqual([4, 6]);
    expect(figure.caption).toContain("2 independent blocks of initial times: such intervals prove nothing");
    await both(figure);
    const withRidge: ScoreReport = structuredClone(report);
    for (const regions of Object.values(withRidge.velocity_u.all))
      (regions.global.rmse as { baselines: Record<string, number> }).baselines.ridge = 0.5;
    const beside = nb.intervals({ scores: withRidge });
    expect((beside.panels[0].marks[2] as Points).x).toEqual([4, 6]);
    expect(() => nb.intervals(evaluation, { field: "humidity" })).toThrow(/velocity_u, temperature/);
  });

  it("refuses what is not there in words", () => {
    expect(() => nb.leads(evaluation, { field: "humidity" })).toThrow(/velocity_u, temperature/);
    expect(() => nb.leads(evaluation, { level: 600 })).toThrow(/all, 500|500, all/);
    expect(() => nb.leads(evaluation, { region: "tropics" })).toThrow(/global/);
    expect(() => nb.leads(evaluation, { score: "acc" })).toThrow(/rmse/);
  });
});

describe("an evaluation", () => {
  it("shows its ranks", async () => {
    const figure = await nb.ranks(evaluation);
    expect((figure.panels[0].marks[0] as Bars).y).toEqual([0.5, 0.25, 0.25]);
    await both(figure);
  });

  it("shows its spectra, without the mean, or says why there are none", async () => {
    const figure = await nb.spectra(evaluation, { field: "temperature" });
    const [target, forecast] = figure.panels[0].marks as [Line, Line];
    expect([target.x, target.y, forecast.y]).toEqual([
      [1, 2],
      [3, 2],
      [2, 1],
    ]);
    expect(figure.title).toContain("lead 3");
    await both(figure);
    await expect(nb.spectra(evaluation, { field: "velocity_u" })).rejects.toThrow(/not periodic/);
  });

  it("is a table with its verdict", () => {
    const table = nb.scores(evaluation);
    expect(table.title).toContain("ab12cd34");
    expect(table.caption).toContain("The model loses.");
    expect(table.rows.length).toBeGreaterThan(2);
    for (const row of table.rows) expect(row).toHaveLength(table.columns.length);
  });
});

describe("attention on the map", () => {
  let prepared: Prepared;
  beforeAll(async () => {
    prepared = await prepare(tinyConfig(), { split: "validate" });
  });
  afterAll(() => prepared.store.close());

  const map = (weight: (query: number, key: number) => number, more: Partial<AttentionMap> = {}): AttentionMap => ({
    title: "head 0",
    block: "encoders.0.heads.0",
    part: "encoder",
    field: "mean_sea_level_pressure",
    keyField: "mean_sea_level_pressure",
    cross: false,
    axis: "all",
    head: 0,
    queries: 36,
    keys: 36,
    values: Float32Array.from({ length: 36 * 36 }, (_, i) => weight(Math.floor(i / 36), i % 36)),
    ...more,
  });

  it("draws the query's row, token by token, and outlines the query", async () => {
    // token 13: time 1, row 1, column 1; it looks at token 2 (time 0, row 0, column 2)
    const figure = await nb.attentionPlaces(prepared, [map((q, k) => (q === 13 && k === 2 ? 1 : 0))], { query: 13 });
    expect(figure.panels).toHaveLength(4);
    const first = figure.panels[0].marks[0] as Heatmap;
    expect([first.rows, first.columns]).toEqual([3, 3]);
    expect(Array.from(first.values)).toEqual([0, 0, 1, 0, 0, 0, 0, 0, 0]);
    const outlines = figure.panels.map(({ marks }) => marks.filter((mark): mark is Rects => mark.kind === "rects"));
    expect(outlines.map((own) => own.length)).toEqual([0, 1, 0, 0]);
    const [[x0, x1, y0, y1]] = outlines[1][0].boxes;
    const { x, y } = figure.panels[1];
    const thirds = ([low, high]: readonly [number, number]) => [low + (high - low) / 3, low + (2 * (high - low)) / 3];
    expect([x0, x1].map((v) => v.toFixed(6))).toEqual(thirds(x.range).map((v) => v.toFixed(6)));
    expect([y0, y1].map((v) => v.toFixed(6))).toEqual(thirds(y.range).map((v) => v.toFixed(6)));
    await both(figure);
  });

  it("means the heads, and takes the first hidden token by itself", async () => {
    const figure = await nb.attentionPlaces(prepared, [map(() => 0.2), map(() => 0.4)]);
    expect((figure.panels[3].marks[0] as Heatmap).values[4]).toBeCloseTo(0.3, 6);
    const { idx, N } = prepared.masked.fields[0];
    expect(figure.caption).toContain(`token ${idx[0].find((i) => i < N)} `);
  });

  it("refuses heads that do not belong together", async () => {
    const heads = [map(() => 0), map(() => 0, { axis: "time" })];
    await expect(nb.attentionPlaces(prepared, heads)).rejects.toThrow(/one map/);
    await expect(nb.attentionPlaces(prepared, [])).rejects.toThrow(/no head/);
    await expect(nb.attentionPlaces(prepared, [heads[0]], { query: 36 })).rejects.toThrow(/0 to 35/);
  });
});
