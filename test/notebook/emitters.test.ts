/** Every view, drawn by both emitters: the same values, points, ranges and labels. */
import { beforeAll, describe, expect, it } from "vitest";
import { type Prepared, prepare } from "../../src/batches/prepare.js";
import { resolveConfig } from "../../src/config/resolve.js";
import { maskingSummary } from "../../src/masking/index.js";
import { layoutFigure } from "../../src/notebook/figure/layout.js";
import { plotlyFigure } from "../../src/notebook/figure/plotly.js";
import { svgFigure } from "../../src/notebook/figure/svg.js";
import type { Figure, Heatmap, Line } from "../../src/notebook/figure/types.js";
import { axisTitle, isContinuous } from "../../src/notebook/figure/types.js";
import * as nb from "../../src/notebook/index.js";
import type { CalibrationLeaf, CalibrationReport, ScoreCard, ScoreLeaf } from "../../src/scores/index.js";
import { plotlyAxis, plotlyColor, svgPixels, svgPoints, svgTexts } from "./support.js";

const { views } = nb;

function globe(shift: number): nb.Grid {
  const lons = Float64Array.from({ length: 24 }, (_, i) => 15 * i);
  return {
    field: "velocity_u",
    level: 105,
    unit: "m/s",
    time: "1996-01-08T00:00",
    lats: Float64Array.of(45, 30),
    lons,
    values: Float64Array.from({ length: 48 }, (_, i) => Math.cos(i * 0.7 + shift) * (1 + (i % 5))),
  };
}

const rows = [1, 2, 3, 4].map((step) => ({
  epoch: 0,
  step,
  samples: step,
  time: "",
  "training loss": 1 / step,
  "mse, velocity_u": 2 / step,
  ...(step % 2 === 0 ? { "val., BERT, velocity_u": 1.5 / step } : {}),
}));

/** Scores of one lead, as far as the views read them. */
function leaf(value: number): Record<string, ScoreLeaf> {
  const rmse = { value, low: value - 0.2, high: value + 0.2, unit: "m/s", baselines: { persistence: value + 1 } };
  const rank_histogram = { value: [0.2, 0.5, 0.3], unit: "" };
  return { global: { points: 100, times: 8, blocks: 4, rmse, rank_histogram } as unknown as ScoreLeaf };
}

/** What an evaluation tells of its calibration, as far as the views read it. */
function calibration(): CalibrationReport {
  const bar = (observed: number, expected: number) => ({
    observed,
    expected,
    low: expected - 0.05,
    high: expected + 0.05,
  });
  const bins = [0, 0.25, 0.5, 0.75, 1].map((p) => ({ ...bar(0.1 + 0.8 * p, p), probability: p, share: 0.2 }));
  const spread = [0.5, 1, 2].map((x) => ({ spread: x, error: x + 0.3, low: x + 0.1, high: x + 0.5, share: 1 / 3 }));
  const leaf = {
    members: 4,
    region: "global",
    times: 40,
    ranks: [0.3, 0.15, 0.1, 0.15, 0.3].map((share) => bar(share, 0.2)),
    reliability: { minus_1sd: bins, mean: bins, plus_1sd: bins },
    spread_error: spread,
    calibrated: {
      reliability: { minus_1sd: bins, mean: bins, plus_1sd: bins },
      pit: Array.from({ length: 10 }, () => bar(0.1, 0.1)),
      spread_error: spread,
    },
  } as unknown as CalibrationLeaf;
  const fields = { velocity_u: { levels: { all: leaf }, parameters: [] } };
  return { fitted: "cross-fitted in 5 spans of times", seen: 100, kept: 100, fields };
}

/** Two evaluations, a field on two levels and three leads. */
function card(): ScoreCard {
  const cells = [500, 850].flatMap((level, l) =>
    [1, 2, 3].map((lead) => ({
      ...{
        field: "velocity_u",
        level,
        lead,
        first: 1,
        second: 1 + lead / 10,
        difference: -lead / 10,
        low: -0.5,
        high: 0.1,
      },
      ...{ percent: -10 * lead, pValue: 0.01, adjusted: 0.02, times: 100, blockLength: 2, blocks: 50 },
      outcome: (["better", "not apart", "worse"] as const)[(lead + l) % 3],
    })),
  );
  const counts = { tests: 6, alone: 6, expectedByChance: 0.3, better: 2, worse: 2, tooFew: 0 };
  return {
    ...{ score: "rmse", region: "global", falseDiscovery: 0.05, times: 100, from: "2020-01-01", to: "2020-02-01" },
    evaluations: ["a", "b"].map((id) => ({ id, label: id })),
    comparisons: [{ kind: "run", first: "b", second: "a", cells, ...counts }],
    leftOut: [],
  };
}

const figures: Record<string, () => Figure | Promise<Figure>> = {
  mapFigure: () => views.mapFigure(globe(0)),
  multiplesFigure: () => views.multiplesFigure("several", [globe(0), globe(1), globe(2)]),
  sliderFigure: () => views.sliderFigure("over time", [globe(0), globe(1)]),
  predictionFigure: () =>
    views.predictionFigure({
      target: globe(0),
      prediction: globe(1),
      spread: { ...globe(2), values: globe(2).values.map(Math.abs) },
    }),
  membersFigure: () => views.membersFigure([globe(0), globe(1), globe(2)]),
  spreadSkillFigure: () => views.spreadSkillFigure([globe(0), globe(1), globe(2)], globe(3)),
  rankFigure: () => views.rankFigure([globe(0), globe(1), globe(2)], globe(3)),
  spectraFigure: () =>
    views.spectraFigure([
      { name: "a", grid: globe(0) },
      { name: "b", grid: globe(1) },
    ]),
  attentionFigure: () =>
    views.attentionFigure("weights", [{ title: "head 0", values: [0.5, 0.5, 1, 0], queries: 2, keys: 2 }]),
  histogramFigure: () =>
    views.histogramFigure(
      "weights",
      [
        ["a", [1, 2, 2, 3]],
        ["b", [-1, 0, 4]],
      ],
      "weight",
    ),
  attentionPlacesFigure: async () => {
    const [field] = prepared.fields;
    const keys = field.L * field.N;
    const values = Float32Array.from({ length: keys * keys }, (_, i) => (i % 7) / keys);
    const grids = await nb.batchGrids(prepared);
    const maps = [{ title: "head 0", values, keys }];
    return views.attentionPlacesFigure({ title: "places", keyField: field, queryField: field, query: 3, maps, grids });
  },
  intervalsFigure: () =>
    views.intervalsFigure({ velocity_u: { all: { "1": leaf(1), "2": leaf(2), all: leaf(3) } } }, {}, 6),
  leadFigure: () => views.leadFigure({ velocity_u: { all: { "1": leaf(1), "2": leaf(2), all: leaf(3) } } }, {}, 6),
  linesFigure: () =>
    views.linesFigure("lines", [{ x: ["error", "m/s"], y: ["loss", ""], at: [-1, 0, 1], lines: { mse: [1, 0, 1] } }]),
  powerFigure: () => views.powerFigure("power", [{ name: "target", power: [1, 8, 4, 2, 1] }], "m/s"),
  rankSharesFigure: () => views.rankSharesFigure(leaf(1).global, "ranks"),
  sharesFigure: () => views.sharesFigure([0.2, 0.5, 0.3], "shares", "a caption"),
  timelineFigure: () => views.timelineFigure(views.timelineRows(prepared.store, prepared.config), 6),
  masksFigure: () => nb.masks(prepared, { strategies: ["BERT", "forecast"] }),
  maskSummaryFigure: () => views.maskSummaryFigure(maskingSummary(prepared.config, 2)),
  tokenGridFigure: () => nb.tokens(prepared),
  trainingFigure: () => views.trainingFigure({ runId: "abcd0123", rows }),
  learningRateFigure: () => views.learningRateFigure(prepared.config),
  learningRateRunFigure: () => views.learningRateRunFigure([{ config: prepared.config, rows }]),
  reliabilityFigure: () => views.reliabilityFigure(calibration()),
  calibrationRanksFigure: () => views.calibrationRanksFigure(calibration()),
  spreadErrorFigure: () => views.spreadErrorFigure(calibration(), {}, "m/s"),
  scoreCardFigure: () => views.scoreCardFigure(card(), 6),
  windowSpectrumFigure: () => {
    const spectrum = { model: [4, 2, 1, 0.5], target: [5, 3, 1, 0.7], wavelength: [12, 6, 4, 3], planes: 8 };
    const all = { global: { ...leaf(1).global, window_spectrum: spectrum } } as unknown as Record<string, ScoreLeaf>;
    return views.windowSpectrumFigure({ velocity_u: { 105: { all } } }, {}, "m/s");
  },
  comparisonFigure: () =>
    views.comparisonFigure(
      ["abcd0123", "abcd0124"],
      [0, 1].map((r) => [1, 2, 3].map((step) => ({ epoch: 0, step, loss: (r + 1) / step }))),
    ),
};

let prepared: Prepared;
beforeAll(async () => {
  const set = { BERT_strategy: "BERT", batch_size: 2, batch_size_validation: 2 };
  prepared = await prepare(resolveConfig({ preset: "storm", set }).config);
  return () => prepared.store.close();
});

describe("both emitters", () => {
  it("are compared for every view", () => {
    const all = Object.keys(views).filter((name) => name.endsWith("Figure"));
    expect(Object.keys(figures).sort()).toEqual(all.sort());
  });

  it.each(Object.keys(figures))("%s", async (name) => {
    const figure = await figures[name]();
    const plotly = plotlyFigure(figure);
    const svg = await svgFigure(figure);
    const texts = svgTexts(svg);
    const { width, height } = layoutFigure(figure);
    expect(svg).toContain(`viewBox="0 0 ${width} ${height}"`);
    expect(plotly.layout.width).toBe(width);
    let trace = 0;
    let image = 0;
    for (const [p, panel] of figure.panels.entries()) {
      for (const side of ["x", "y"] as const) {
        const axis = panel[side];
        const ends = plotlyAxis(plotly, side, p).range as (number | string)[];
        const decoded = ends.map((end) =>
          axis.type === "time" ? Date.parse(`${end}Z`) : axis.type === "log" ? 10 ** Number(end) : Number(end),
        );
        for (const [i, end] of axis.range.entries()) {
          expect(Math.abs(decoded[i] - end)).toBeLessThanOrEqual(1e-9 * Math.max(1, Math.abs(end)));
        }
        if (axis.hidden || axisTitle(axis) === "") continue;
        expect((plotlyAxis(plotly, side, p).title as { text: string }).text).toBe(axisTitle(axis));
        expect(texts).toContain(axisTitle(axis));
      }
      for (const mark of panel.marks) {
        const drawn = plotly.data[trace++];
        if (mark.kind === "heatmap") expectSamePixels(mark, drawn, svgPixels(svg, image++), panel.y.range);
        if (mark.kind === "line") expectSameLine(mark, figure, p, svg);
      }
    }
    expect(trace).toBe(plotly.data.length);
  });
});

/** Each cell has the colour that plotly.js gives its value; an image's first row is at the top. */
function expectSamePixels(
  mark: Heatmap,
  drawn: Record<string, unknown>,
  pixels: string[][],
  [bottom, top]: [number, number],
): void {
  const z = drawn.z as (number | null)[][];
  const upsideDown = mark.y[1] > 0 === top > bottom;
  for (const [r, row] of z.entries()) {
    for (const [c, value] of row.entries()) {
      const [red, green, blue, alpha] = pixels[upsideDown ? z.length - 1 - r : r][c].split(",").map(Number);
      expect(alpha).toBe(value === null ? 0 : 255);
      if (value === null) continue;
      const kinds = isContinuous(mark.colors) ? null : mark.colors.categories[value].color;
      const wanted = kinds
        ? [1, 3, 5].map((i) => Number.parseInt(kinds.slice(i, i + 2), 16))
        : plotlyColor(drawn, value);
      for (const [i, channel] of [red, green, blue].entries()) {
        expect(Math.abs(channel - wanted[i])).toBeLessThanOrEqual(1);
      }
    }
  }
}

/** The line's points are among those of its colour in the drawing. */
function expectSameLine(mark: Line, figure: Figure, p: number, svg: string): void {
  const same = figure.panels.flatMap(({ marks }) => marks).filter(({ kind }) => kind === "line") as Line[];
  if (same.filter(({ color }) => color === mark.color).length > 1) return;
  const { x, y } = figure.panels[p];
  const points = mark.x.flatMap((at, i) => {
    const value = mark.y[i];
    return at === null || value === null ? [] : [[at, value]];
  });
  const drawn = svgPoints(svg, figure, p, mark.color);
  expect(drawn.length).toBe(points.length);
  const spans = [x, y].map(({ range }) => Math.abs(range[1] - range[0]));
  for (const [i, point] of points.entries()) {
    for (const k of [0, 1]) expect(Math.abs(drawn[i][k] - point[k]) / spans[k]).toBeLessThan(2e-3);
  }
}
