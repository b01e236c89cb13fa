/** `nb.save`, `nb.plotly`, and ranges that nobody gave. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import * as aq from "arquero";
import { describe, expect, it } from "vitest";
import { DISPLAY, show } from "../../src/notebook/figure/display.js";
import { plotly } from "../../src/notebook/figure/own.js";
import { withRanges } from "../../src/notebook/figure/ranges.js";
import { type Savable, save } from "../../src/notebook/figure/save.js";
import { showTable } from "../../src/notebook/figure/table.js";
import type { ColorScale, Mark } from "../../src/notebook/figure/types.js";
import { tempDir } from "../support/tempDir.js";

const LINE: Mark = { kind: "line", name: 'v, "north"', color: "#1f77b4", x: [0, 1, 2], y: [3, null, 5] };
const FIGURE = { title: "wind", panels: [{ title: "v", marks: [LINE] }] };

async function saved(value: Savable, name: string): Promise<Buffer> {
  const path = join(tempDir(), name);
  expect(await save(value, path)).toBe(path);
  return readFileSync(path);
}

describe("save", () => {
  it("writes a figure as a picture, a page, numbers and data", async () => {
    const figure = show(FIGURE);
    expect(String(await saved(figure, "wind.svg"))).toMatch(/^<svg .*wind.*<\/svg>$/s);
    expect(String(await saved(figure, "wind.HTML"))).toMatch(/^<!doctype html>.*<title>wind<\/title>.*newPlot/s);
    expect(String(await saved(figure, "wind.csv"))).toBe(
      'panel,series,x,y,value,lower,upper\nv,"v, ""north""",0,3\nv,"v, ""north""",1,\nv,"v, ""north""",2,5\n',
    );
    expect(JSON.parse(String(await saved(figure, "wind.json")))).toMatchObject(FIGURE);
  });

  it("writes typed arrays as lists, and no form that only every object has", async () => {
    const colors: ColorScale = { palette: "viridis", range: [0, 1], label: "", unit: "" };
    const map: Mark = {
      kind: "heatmap",
      values: Float64Array.of(0, Number.NaN),
      rows: 1,
      columns: 2,
      x: [0, 1],
      y: [0, 1],
      colors,
    };
    const band: Mark = { kind: "band", color: "#000000", x: [0], lower: [Number.NaN], upper: [2] };
    const figure = show({ title: "t", panels: [{ marks: [map, band] }] });
    const { panels } = JSON.parse(String(await saved(figure, "t.json")));
    expect(panels[0].marks[0].values).toEqual([0, null]);
    expect(String(await saved(figure, "t.csv"))).toMatch(/\npanel 1,,0,,,,2\n$/);
    await expect(save(figure, join(tempDir(), "a.constructor"))).rejects.toThrow(/not a form/);
  });

  it("draws a PNG of twice the pixels, or says what is missing", async () => {
    const { GlobalFonts } = createRequire(import.meta.url)("@napi-rs/canvas");
    if (GlobalFonts.families.length === 0) {
      await expect(save(show(FIGURE), join(tempDir(), "wind.png"))).rejects.toThrow(/no fonts.*fonts-dejavu-core/s);
      return;
    }
    const png = await saved(show({ ...FIGURE, width: 500 }), "wind.png");
    expect([...png.subarray(0, 4)]).toEqual([137, 80, 78, 71]);
    expect(png.readUInt32BE(16)).toBe(1000);
    expect(png.length).toBeGreaterThan(5000);
  });

  it("writes tables, arquero's too", async () => {
    const table = showTable({
      title: "t",
      columns: ["a", "b"],
      rows: [
        ["x, y", 1.5],
        ["z", null],
      ],
    });
    expect(String(await saved(table, "t.csv"))).toBe('a,b\n"x, y",1.5\nz,\n');
    expect(String(await saved(table, "t.html"))).toContain("<th");
    const arquero = aq.table({ step: [1, 2], loss: [0.5, 0.25] });
    expect(String(await saved(arquero as unknown as Savable, "m.csv"))).toBe("step,loss\n1,0.5\n2,0.25\n");
    expect(JSON.parse(String(await saved(arquero as unknown as Savable, "m.json")))[1]).toEqual({
      step: 2,
      loss: 0.25,
    });
  });

  it("says what a value can be saved as", async () => {
    await expect(save(show(FIGURE), "wind.pdf")).rejects.toThrow(/\.pdf.*\.svg, \.png, \.html, \.csv, \.json/s);
    await expect(save(showTable({ title: "t", columns: [], rows: [] }), "t.svg")).rejects.toThrow(
      /\.csv, \.html, \.json/,
    );
    await expect(save(3 as never, "three.svg")).rejects.toThrow(/not a figure or a table/);
  });
});

describe("plotly", () => {
  it("shows a figure of one's own, typed arrays as lists, and saves it", async () => {
    const figure = plotly({
      data: [{ type: "scatter", y: Float32Array.of(1, Number.NaN, 3) }],
      layout: { title: { text: "mine" } },
    });
    const bundle = await figure[DISPLAY]();
    expect(bundle["application/vnd.plotly.v1+json"]).toMatchObject({ data: [{ y: [1, null, 3] }] });
    expect(bundle["text/plain"]).toBe("[figure] mine: 1 traces of Plotly: scatter");
    expect(String(await saved(figure, "mine.html"))).toContain("newPlot");
    const moved = plotly({
      data: [],
      layout: { xaxis: { range: Float64Array.of(0, 1) } },
      frames: [{ data: [{ y: Int8Array.of(1, 2) }] }],
    });
    expect(JSON.parse(JSON.stringify(moved))).toMatchObject({
      layout: { xaxis: { range: [0, 1] } },
      frames: [{ data: [{ y: [1, 2] }] }],
    });
    expect(() => plotly({} as never)).toThrow(/not a figure of Plotly/);
  });
});

describe("axes without a range", () => {
  const ranges = (marks: Mark[], type?: "log") => {
    const [{ x, y }] = withRanges({ title: "", panels: [{ marks, y: { type } }] }).panels;
    return [x.range, y.range];
  };

  it("end a little beyond lines, and at the edges of maps", () => {
    expect(ranges([LINE])).toEqual([
      [-0.08, 2.08],
      [expect.closeTo(2.92, 9), expect.closeTo(5.08, 9)],
    ]);
    const colors: ColorScale = { palette: "viridis", range: [0, 1], label: "", unit: "" };
    const map: Mark = {
      kind: "heatmap",
      values: [1, 2, 3, 4, 5, 6],
      rows: 2,
      columns: 3,
      x: [10, 1],
      y: [50, -1],
      colors,
    };
    expect(ranges([map])).toEqual([
      [9.5, 12.5],
      [48.5, 50.5],
    ]);
  });

  it("leave out what a logarithm has not, and exist where there is nothing", () => {
    const [, y] = ranges([{ ...LINE, y: [0, 1, 100] } as Mark], "log");
    expect(y).toEqual([1 / 1.15, expect.closeTo(115, 9)]);
    expect(ranges([])).toEqual([
      [0, 1],
      [0, 1],
    ]);
    expect(ranges([{ ...LINE, x: [2, 2], y: [5, 5] } as Mark])).toEqual([
      [1, 3],
      [2.5, 7.5],
    ]);
  });

  it("stand bars on zero, and hold all frames", () => {
    const bars: Mark = { kind: "bars", color: "#000000", x: [1, 2], y: [3, 4], width: 1 };
    expect(ranges([bars])[1][0]).toBe(0);
    const frames = [3, 30].map((top) => ({
      label: String(top),
      panels: [{ marks: [{ ...LINE, y: [0, null, top] } as Mark] }],
    }));
    expect(withRanges({ title: "", panels: frames[0].panels, frames }).panels[0].y.range[1]).toBeGreaterThan(30);
  });
});
