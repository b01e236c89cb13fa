/** Every view on the storm sample: units, ranges, places, and what it costs. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Prepared, prepare } from "../../src/batches/prepare.js";
import { resolveConfig } from "../../src/config/resolve.js";
import { coastlines } from "../../src/notebook/coastlines.js";
import { DISPLAY, type Shown } from "../../src/notebook/figure/display.js";
import type { Figure, Heatmap, Labels, Line, Rects } from "../../src/notebook/figure/types.js";
import { batchGrids, storeGrid } from "../../src/notebook/grids.js";
import * as nb from "../../src/notebook/index.js";
import { TRAINING_LOSS } from "../../src/runs/series.js";
import { rankHistogram } from "../../src/scores/index.js";

const { views } = nb;
let prepared: Prepared;

beforeAll(async () => {
  const { config } = resolveConfig({
    preset: "storm",
    set: {
      n_size: [12, 22.5, 45],
      idx_time_mask: null,
      fields: [["mean_sea_level_pressure", [1, 24, [], 0], [0], [4, 3, 3], [3, 6, 6], [0.5, 0.9, 0.4, 0.3]]],
      fields_prediction: [["mean_sea_level_pressure", 1]],
      BERT_strategy: "BERT",
      batch_size: 2,
    },
  });
  prepared = await prepare(config);
});

afterAll(() => prepared.store.close());

/** Both forms can be made, every axis has a label and a finite range, and the output is small. */
async function check(shown: Shown<Figure>): Promise<Figure> {
  for (const { x, y, marks } of shown.panels) {
    for (const axis of [x, y]) {
      expect(axis.range.every(Number.isFinite)).toBe(true);
      expect(axis.range[0]).not.toBe(axis.range[1]);
      expect(axis.label !== "" || axis.ticks !== undefined).toBe(true);
    }
    expect(marks.length).toBeGreaterThan(0);
  }
  const bundle = await shown[DISPLAY]();
  expect(JSON.stringify(bundle).length).toBeLessThan(300_000);
  expect(bundle["image/svg+xml"]).not.toContain("NaN");
  return shown;
}

const heatmap = (figure: Figure, p = 0) => figure.panels[p].marks[0] as Heatmap;

describe("maps", () => {
  it("show the store's values in the unit people read, North up", async () => {
    const figure = await check(await nb.map(prepared.store, "mean_sea_level_pressure", 0, "1996-01-08"));
    const { values, rows, columns, y } = heatmap(figure);
    const raw = await storeGrid(prepared.store, "mean_sea_level_pressure", 0, "1996-01-08");
    expect(figure.title).toContain("1996-01-08T00:00");
    expect(rows * columns).toBe(values.length);
    expect(Math.min(...Array.from(values))).toBeGreaterThan(900);
    expect(Math.max(...Array.from(values))).toBeLessThan(1100);
    expect(y[1]).toBeLessThan(0);
    expect(raw.lats[0]).toBeGreaterThan(raw.lats[1]);
  });

  it("refuse unknown times and fields in words", async () => {
    await expect(nb.map(prepared.store, "mean_sea_level_pressure", 0, "2020-01-01")).rejects.toThrow(/1996-01/);
    await expect(nb.map(prepared.store, "humidity", 0, 0)).rejects.toThrow(/one of/);
    await expect(nb.batch(prepared, { sample: 7 })).rejects.toThrow(/0 to 1/);
    await expect(nb.batch(prepared, { level: 500 })).rejects.toThrow(/level/);
  });

  it("turn a batch back into what the store holds", async () => {
    const grids = await batchGrids(prepared);
    const whole = await storeGrid(prepared.store, "mean_sea_level_pressure", 0, grids[0].time);
    const at = (lat: number, lon: number) => {
      const row = whole.lats.findIndex((value) => Math.abs(value - lat) < 1e-6);
      const column = whole.lons.findIndex((value) => Math.abs(value - lon) < 1e-6);
      return whole.values[row * whole.lons.length + column];
    };
    const [{ lats, lons, values }] = grids;
    for (const [r, c] of [
      [0, 0],
      [3, 7],
      [lats.length - 1, lons.length - 1],
    ]) {
      expect(values[r * lons.length + c]).toBeCloseTo(at(lats[r], lons[c]), 2);
    }
  });

  it("have small multiples and a slider over time", async () => {
    const figure = await check(await nb.batch(prepared, { panels: 6, values: "seen" }));
    expect(figure.panels).toHaveLength(6);
    const slider = await check(await nb.batch(prepared, { slider: true }));
    expect(slider.frames).toHaveLength(12);
    const tokens = await check(await nb.tokens(prepared));
    expect(tokens.panels).toHaveLength(4);
    expect((tokens.panels[3].marks[3] as Labels).text.at(-1)).toBe("35");
  });

  it("show values on both sides of 0 in red and blue, and others not", () => {
    const grid = (values: number[]): nb.Grid => ({
      field: "velocity_u",
      level: 850,
      unit: "m/s",
      time: "1996-01-08T00:00",
      values: Float64Array.from(values),
      lats: Float64Array.of(45, 35),
      lons: Float64Array.of(0, 60),
    });
    expect(heatmap(views.mapFigure(grid([-3, 1, 2, 5]))).colors).toMatchObject({ palette: "RdBu", range: [-5, 5] });
    // rain, with what rounding leaves of 0
    expect(heatmap(views.mapFigure(grid([-1e-9, 1, 2, 5]))).colors).toMatchObject({ palette: "viridis" });
    expect(views.mapFigure(grid([1, 2, 3, 4])).title).toBe("velocity u, 850 hPa, 1996-01-08T00:00 UTC");
    const lines = (figure: Figure) => figure.panels[0].marks.filter(({ kind }) => kind === "line").length;
    expect(lines(views.mapFigure(grid([1, 2, 3, 4]), { borders: true }))).toBe(2);
    expect(lines(views.mapFigure(grid([1, 2, 3, 4])))).toBe(1);
  });

  it("hatch masked tokens, which the network does not see, and leave them blank", async () => {
    const [grid] = await batchGrids(prepared, {}, "seen");
    const hidden = Array.from(grid.hidden ?? []);
    expect(new Set(hidden)).toEqual(new Set([0, 1]));
    const figure = views.mapFigure(grid);
    const [map, hatch] = figure.panels[0].marks as [Heatmap, Line];
    expect(Array.from(map.values, Number.isNaN)).toEqual(hidden.map((one) => one === 1));
    expect(hatch.name).toBe("masked: the network sees nothing");
    // every diagonal lies in hidden cells alone
    const [dx, dy] = [grid.lons[1] - grid.lons[0], grid.lats[1] - grid.lats[0]];
    for (let i = 0; i < hatch.x.length; i += 3) {
      const [from, to] = [Number(hatch.x[i]) + dx / 2, Number(hatch.x[i + 1]) - dx / 2];
      for (let x = from; x <= to + 1e-6; x += dx) {
        const y = Number(hatch.y[i]) - dy / 2 - ((x - from) / dx) * dy;
        const [r, c] = [Math.round((y - grid.lats[0]) / dy), Math.round((x - grid.lons[0]) / dx)];
        expect(hidden[r * grid.lons.length + c]).toBe(1);
      }
    }
  });

  it("have coastlines inside their window, also past Greenwich", () => {
    for (const [west, east] of [
      [234, 294],
      [350, 370],
      [-10, 10],
    ] as const) {
      const { x, y } = coastlines([west, east], [30, 60]);
      const known = x.filter((value) => value !== null);
      expect(known.length).toBeGreaterThan(20);
      expect(Math.min(...known)).toBeGreaterThanOrEqual(west);
      expect(Math.max(...known)).toBeLessThanOrEqual(east);
      expect(y.filter((value) => value !== null && (value < 30 || value > 60))).toEqual([]);
    }
    expect(coastlines([350, 370], [30, 60]).x.length).toBe(coastlines([-10, 10], [30, 60]).x.length);
  });
});

describe("masks and times", () => {
  it("count what masking did", async () => {
    const figure = await check(nb.masks(prepared));
    const drawn = figure.panels.flatMap((panel) => Array.from((panel.marks[0] as Heatmap).values));
    const { idx, N } = prepared.masked.fields[0];
    expect(drawn.filter((kind) => kind > 0)).toHaveLength(idx[0].filter((i) => Math.floor(i / N) === 0).length);
  });

  it("stand side by side by strategy", async () => {
    const figure = await check(nb.masks(prepared, { strategies: ["BERT", "forecast", "temporal_interpolation"] }));
    expect(figure.panels).toHaveLength(12);
    const kinds = (p: number) => new Set(Array.from(heatmap(figure, p).values));
    expect(kinds(4)).toEqual(new Set([0]));
    expect(kinds(7)).toEqual(new Set([1]));
  });

  it("tell the gap between training and validation", async () => {
    const figure = await check(nb.timeline(prepared.store, prepared.config));
    const spans = figure.panels[0].marks.map((mark) => (mark as Rects).boxes);
    expect(spans.map((boxes) => boxes.length)).toEqual([1, 1, 1]);
    expect(spans[1][0][1]).toBeLessThan(spans[2][0][0]);
    expect(figure.caption).toContain("1.25 days");
  });

  it("summarise shares and leaks", async () => {
    await check(nb.maskSummary(prepared.config, 3));
    await check(nb.learningRate(prepared.config));
  });
});

describe("tables", () => {
  it("name units and shapes of a batch", () => {
    const { rows } = nb.describe(prepared);
    expect(rows[0].slice(0, 4)).toEqual(["mean_sea_level_pressure", "hPa", "surface", "[1, 2, 4, 3, 3, 3, 6, 6]"]);
  });

  it("list what differs from the preset, with its meaning", () => {
    const { rows, title } = nb.config(resolveConfig({ preset: "storm", set: { dropout_rate: 0.25 } }));
    expect(title).toContain("1 keys differ from the preset storm");
    expect(rows).toHaveLength(1);
    expect(rows[0][0]).toBe("dropout_rate");
    expect(rows[0][1]).toBe("0.25");
    expect(nb.config(prepared.config, { preset: "storm", all: true }).rows.length).toBeGreaterThan(50);
  });
});

describe("ensembles, spectra, attention, histograms", () => {
  const grid = (values: number[], time = "1996-01-08T00:00"): nb.Grid => ({
    field: "velocity_u",
    level: 105,
    unit: "m/s",
    time,
    values: Float64Array.from(values),
    lats: Float64Array.of(45, 35),
    lons: Float64Array.of(0, 60, 120, 180, 240, 300),
  });
  const target = grid([1, 2, 3, 4, 5, 6, 6, 5, 4, 3, 2, Number.NaN]);
  const members = [0.5, -0.5, 1.5].map((off) => grid(Array.from(target.values, (v, i) => v + off * (1 + (i % 3)))));

  it("rank the target among the members", async () => {
    const figure = await check(nb.show(views.rankFigure(members, target)));
    const bars = figure.panels[0].marks[0];
    const valid = Array.from(target.values.keys()).slice(0, 11);
    const values = valid.flatMap((i) => members.map((m) => m.values[i]));
    const counts = rankHistogram(
      { values, E: 3 },
      valid.map((i) => target.values[i]),
    );
    expect((bars as { y: number[] }).y).toEqual(Array.from(counts, (n) => n / 11));
  });

  it("compare spread and error, members and their mean", async () => {
    const [bin] = views.spreadSkillBins(members, target, 1);
    // error 0.5 (1 + i mod 3); spread sqrt(4/3) times 1 (1 + i mod 3)
    expect(bin.spread / bin.error).toBeCloseTo(2 * Math.sqrt(4 / 3), 10);
    await check(nb.show(views.spreadSkillFigure(members, target)));
    await check(nb.show(views.membersFigure(members)));
    const figure = await check(nb.show(views.predictionFigure({ target, prediction: members[0], spread: members[1] })));
    const error = heatmap(figure, 2);
    expect(error.values[1]).toBeCloseTo(1, 12);
    expect(error.colors).toMatchObject({ palette: "RdBu", range: [-1.5, 1.5] });
  });

  it("show power of a wave at its wavenumber, and refuse regional windows", async () => {
    const lons = Float64Array.from({ length: 24 }, (_, i) => 15 * i);
    const wave: nb.Grid = {
      ...target,
      lats: Float64Array.of(40),
      lons,
      values: lons.map((l) => 2 * Math.cos((3 * l * Math.PI) / 180)),
    };
    const figure = views.spectraFigure([{ name: "wave", grid: wave }]);
    const { x, y } = figure.panels[0].marks[0] as { x: number[]; y: (number | null)[] };
    expect(x[y.indexOf(Math.max(...y.map((v) => v ?? 0)))]).toBe(3);
    expect(y[2]).toBeCloseTo(2, 10);
    expect(() => views.spectraFigure([{ name: "region", grid: { ...wave, lons: lons.map((l) => l / 4) } }])).toThrow(
      /periodic/,
    );
  });

  it("draw attention and distributions", async () => {
    const matrix = (h: number) => ({
      title: `head ${h}`,
      queries: 3,
      keys: 4,
      values: new Float32Array(12).fill(0.25),
    });
    await check(nb.attention([0, 1, 2, 3, 4].map(matrix)));
    const figure = await check(
      nb.gradients([
        ["encoders.0.a.weight", [1, 2, 3]],
        ["encoders.0.b", [4]],
        ["tails.0.x", [0, 0]],
      ]),
    );
    expect(figure.panels.map(({ title }) => title.split(":")[0])).toEqual(["encoders.0", "tails.0"]);
    expect(figure.panels[0].title).toContain("4, std 1.118");
  });
});

describe("lines", () => {
  it("one panel a description, a name in the same colour everywhere, values outside the range left out", async () => {
    const axes = { x: ["x", ""], y: ["value", "m/s"], at: [1, 2, 4] } as const;
    const figure = await check(
      nb.lines("Two", [
        { ...axes, lines: { a: [1, 2, 3], b: [2, Number.NaN, 1] } },
        { ...axes, lines: { b: [1, 10, 100] }, yRange: [0, 50], log: { x: true } },
      ]),
    );
    const [[a, b], [again]] = figure.panels.map(({ marks }) => marks as Line[]);
    expect(a.color).not.toBe(b.color);
    expect(again.color).toBe(b.color);
    expect(b.y).toEqual([2, null, 1]);
    expect(again.y).toEqual([1, 10, null]);
    expect(figure.panels[1].x).toMatchObject({ range: [1, 4], type: "log" });
  });
});

it("the learning rates of a run whose configuration or rows hold any number are those that can be known", () => {
  const { config } = resolveConfig({ preset: "storm" });
  const row = (step: number, epoch: number) => ({ type: "step", step, epoch, time: "", [TRAINING_LOSS]: 1 }) as never;
  const shown = (num_epochs: number, rows: never[]) =>
    nb.views.learningRateRunFigure([{ config: { ...config, num_epochs }, rows }]).panels[0].marks[0] as Line;
  for (const epochs of [9e15, -9e15, Number.NaN, 3]) expect(shown(epochs, [row(1, 1e15)]).y).toEqual([]);
  expect(shown(3, [row(1, 0), row(2, 1e15)]).y).toHaveLength(1);
  expect(nb.views.learningRateRunFigure([]).title).toBe("Learning rate");
});
