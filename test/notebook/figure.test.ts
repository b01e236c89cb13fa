/** The two emitters of one figure description show the same data, ranges and labels. */
import { describe, expect, it } from "vitest";
import { DISPLAY, figureBundle, show } from "../../src/notebook/figure/display.js";
import { labFigure } from "../../src/notebook/figure/lab.js";
import { layoutFigure } from "../../src/notebook/figure/layout.js";
import { figurePage } from "../../src/notebook/figure/page.js";
import { plotlyFigure } from "../../src/notebook/figure/plotly.js";
import { canBeQuick, quickSvg } from "../../src/notebook/figure/quick.js";
import { svgFigure } from "../../src/notebook/figure/svg.js";
import { tableHtml } from "../../src/notebook/figure/table.js";
import { escapePlotly, formatNumber } from "../../src/notebook/figure/text.js";
import type { Figure } from "../../src/notebook/figure/types.js";
import { inside, plotlyAxis, plotlyColor, svgPixels, svgPoints, svgTexts } from "./support.js";

const values = Float64Array.from({ length: 12 }, (_, i) => (i === 5 ? Number.NaN : 10 * i));

/** Every kind of mark, a logarithmic and a time axis, a descending one, and text that wants to be code. */
const FIGURE: Figure = {
  title: '<script>alert("1")</script> & more',
  caption: "a caption <b>",
  columns: 2,
  panels: [
    {
      title: "map",
      x: { label: "longitude", unit: "°E", range: [240, 244] },
      y: { label: "latitude", unit: "°N", range: [30, 33] },
      marks: [
        {
          kind: "heatmap",
          values,
          rows: 3,
          columns: 4,
          x: [240.5, 1],
          y: [32.5, -1],
          colors: { palette: "viridis", range: [0, 110], label: "pressure", unit: "hPa" },
          colorbar: true,
        },
        { kind: "line", color: "#123456", x: [240, 242, null, 243, 244], y: [30, 33, null, 31, 32] },
      ],
    },
    {
      title: "curve",
      x: { label: "step", unit: "", range: [0, 10] },
      y: { label: "loss", unit: "normalised", range: [0.01, 10], type: "log" },
      marks: [
        { kind: "line", name: "model <i>", color: "#654321", x: [0, 5, 10], y: [1, 0.1, 5] },
        { kind: "rule", name: "baseline", axis: "y", value: 2, color: "#ff0000", dash: true },
        { kind: "points", color: "#00ff00", x: [5], y: [0.1] },
        { kind: "band", color: "#eeeeee", x: [0, 10], lower: [0.02, 0.03], upper: [0.2, 0.3] },
      ],
    },
    {
      title: "times",
      x: { label: "time", unit: "UTC", type: "time", range: [Date.UTC(1996, 0, 5), Date.UTC(1996, 0, 21)] },
      y: {
        label: "row",
        unit: "",
        range: [2.5, -0.5],
        ticks: [
          { value: 0, label: "store <u>" },
          { value: 1, label: "b" },
        ],
      },
      marks: [
        {
          kind: "rects",
          name: "boxes",
          color: "#0000ff",
          boxes: [[Date.UTC(1996, 0, 6), Date.UTC(1996, 0, 9), -0.3, 0.3]],
        },
        { kind: "labels", color: "#000000", x: [Date.UTC(1996, 0, 12)], y: [1], text: ["a & b"] },
      ],
    },
    {
      title: "kinds",
      x: { label: "column", unit: "", range: [-0.5, 1.5] },
      y: { label: "share", unit: "", range: [0, 2] },
      marks: [
        {
          kind: "heatmap",
          values: [0, 1],
          rows: 1,
          columns: 2,
          x: [0, 1],
          y: [0.5, 1],
          colors: {
            categories: [
              { label: "untouched", color: "#e6e6e6" },
              { label: "masked", color: "#0072b2" },
            ],
          },
        },
        { kind: "bars", name: "bars", color: "#cc79a7", x: [0, 1], y: [1.5, 1.8], width: 0.4 },
      ],
    },
  ],
};

describe("the two emitters", () => {
  const plotly = plotlyFigure(FIGURE);

  it("draw lines through the same points", async () => {
    const svg = await svgFigure(FIGURE);
    for (const [p, color] of [
      [0, "#123456"],
      [1, "#654321"],
    ] as const) {
      const trace = plotly.data.find((t) => (t.line as { color?: string })?.color === color)!;
      const points = (trace.x as (number | null)[]).flatMap((x, i) => {
        const y = (trace.y as (number | null)[])[i];
        return x === null || y === null ? [] : [[x, y]];
      });
      const drawn = svgPoints(svg, FIGURE, p, color);
      expect(drawn.length).toBe(points.length);
      for (const [i, [x, y]] of points.entries()) {
        expect(drawn[i][0]).toBeCloseTo(x, 2);
        expect(Math.abs(drawn[i][1] / y - 1)).toBeLessThan(1e-3);
      }
    }
  });

  it("colour cells alike, the right way up, and leave missing ones blank", async () => {
    const svg = await svgFigure(FIGURE);
    const pixels = svgPixels(svg, 0);
    const trace = plotly.data[0] as { z: (number | null)[][]; y: number[] };
    expect(trace.y).toEqual([32.5, 31.5, 30.5]);
    for (const [r, row] of trace.z.entries()) {
      for (const [c, value] of row.entries()) {
        const drawn = pixels[r][c].split(",").map(Number);
        if (value === null) {
          expect(drawn[3]).toBe(0);
          continue;
        }
        expect(drawn[3]).toBe(255);
        for (const [i, channel] of plotlyColor(plotly.data[0], value).entries()) {
          expect(Math.abs(drawn[i] - channel)).toBeLessThanOrEqual(1);
        }
      }
    }
    expect(trace.z.flat()).toEqual([...values].map((v) => (Number.isNaN(v) ? null : v)));
  });

  it("have the same ranges", () => {
    for (const [p, panel] of FIGURE.panels.entries()) {
      for (const side of ["x", "y"] as const) {
        const { range, type } = panel[side];
        const ends = plotlyAxis(plotly, side, p).range as (number | string)[];
        const decoded = ends.map((end) =>
          type === "time" ? Date.parse(`${end}Z`) : type === "log" ? 10 ** Number(end) : Number(end),
        );
        for (const [i, end] of range.entries()) expect(decoded[i]).toBeCloseTo(end, 6);
      }
    }
  });

  it("have the same labels, legend and titles", async () => {
    const texts = svgTexts(await svgFigure(FIGURE));
    const annotations = (plotly.layout.annotations as { text: string }[]).map(({ text }) =>
      text.replace(/<\/?b>/g, ""),
    );
    for (const text of [FIGURE.title, "a caption <b>", "map", "curve", "model <i>", "baseline", "boxes", "masked"]) {
      expect(texts).toContain(text);
      expect(annotations).toContain(escapePlotly(text));
    }
    for (const [p, panel] of FIGURE.panels.entries()) {
      for (const side of ["x", "y"] as const) {
        const title = (plotlyAxis(plotly, side, p).title as { text: string }).text;
        const { label, unit } = panel[side];
        expect(title).toBe(unit ? `${label} (${unit})` : label);
        expect(texts).toContain(title);
      }
    }
    expect(plotlyAxis(plotly, "y", 2).ticktext).toEqual(["store &lt;u&gt;", "b"]);
    expect(texts).toContain("store <u>");
    expect(plotlyAxis(plotly, "y", 1).ticktext).toEqual([
      "0.01",
      "0.02",
      "0.05",
      "0.1",
      "0.2",
      "0.5",
      "1",
      "2",
      "5",
      "10",
    ]);
    expect(texts).toContain("0.02");
    expect(texts).toContain("a & b");
  });

  it("are of one size with every panel inside", async () => {
    const { width, height, panels, captionY } = layoutFigure(FIGURE);
    expect(plotly.layout).toMatchObject({ width, height });
    expect(await svgFigure(FIGURE)).toContain(`viewBox="0 0 ${width} ${height}"`);
    for (const box of panels) expect(inside(box, width, captionY)).toBe(true);
  });
});

describe("panels that are drawn quickly", () => {
  const panel = { ...FIGURE.panels[1], marks: FIGURE.panels[1].marks.filter(({ kind }) => kind !== "band") };

  it("are those of lines, points and rules", () => {
    expect(FIGURE.panels.map(canBeQuick)).toEqual([false, false, false, false]);
    expect(canBeQuick(panel)).toBe(true);
  });

  it("have their points in their places, and the ticks and words of the other emitters", () => {
    const svg = quickSvg(panel, 430, undefined, "<label>");
    const { panels } = layoutFigure({
      title: "",
      columns: 1,
      width: 430,
      panels: [{ ...panel, title: "" }],
      legend: false,
    });
    const [box] = panels;
    const [path] = svg.match(/<path d="M[^"]*" fill="none" stroke="#654321"[^>]*>/) ?? [];
    const points = [...(path ?? "").matchAll(/[ML](-?[\d.]+) (-?[\d.]+)/g)].map(([, x, y]) => [Number(x), Number(y)]);
    for (const [i, [x, y]] of [
      [0, 1],
      [5, 0.1],
      [10, 5],
    ].entries()) {
      expect(points[i][0]).toBeCloseTo(box.x + (x / 10) * box.width, 0);
      const share = Math.log(y / 0.01) / Math.log(10 / 0.01);
      expect(points[i][1]).toBeCloseTo(box.y + (1 - share) * box.height, 0);
    }
    for (const text of ["loss (normalised)", "step", "0.01", "10"]) expect(svg).toContain(`>${text}</text>`);
    expect(svg).toContain('aria-label="&lt;label&gt;"');
    expect(svg).not.toContain("NaN");
  });
});

describe("in a notebook", () => {
  it("text has the colour of its theme, and a button changes the scale of axes", () => {
    const curve = FIGURE.panels[1];
    const y = { ...curve.y, also: { type: "linear" as const, range: [0, 10] as [number, number] } };
    const figure: Figure = { ...FIGURE, columns: 1, stretch: true, panels: [{ ...curve, y }] };
    const { layout } = labFigure(figure);
    expect(layout).toMatchObject({ autosize: true, paper_bgcolor: "rgba(0,0,0,0)", margin: { t: 36 } });
    expect(layout).not.toHaveProperty("width");
    for (const { text } of layout.annotations as { text: string }[]) {
      expect(text).toMatch(/^<span style="color:var\(--jp-content-font-color1/);
    }
    const [{ buttons, active }] = layout.updatemenus as {
      buttons: { label: string; args: object[] }[];
      active: number;
    }[];
    expect(buttons.map(({ label }) => label)).toEqual(["y linear", "y log"]);
    expect(active).toBe(1);
    expect(buttons[0].args[0]).toMatchObject({
      "yaxis.type": "linear",
      "yaxis.range": [0, 10],
      "yaxis.tickmode": "auto",
    });
    expect(buttons[1].args[0]).toMatchObject({
      "yaxis.type": "log",
      "yaxis.range": [expect.closeTo(-2, 9), expect.closeTo(1, 9)],
      "yaxis.tickmode": "array",
    });
    // words keep apart when it is shrunk to three quarters
    const { width, legend } = layoutFigure(figure);
    for (const [i, { x, y }] of legend.entries()) {
      const before = legend[i - 1];
      if (before?.y === y) expect(((x - before.x) * 0.75) / (before.name.length * 6)).toBeGreaterThan(1);
    }
    expect(width).toBe(860);
    expect(labFigure(FIGURE).layout.width).toBe(layoutFigure(FIGURE).width);
  });
});

describe("safety and display", () => {
  it("escapes whatever is shown", async () => {
    const { "image/svg+xml": svg, "application/vnd.plotly.v1+json": json } = await figureBundle(FIGURE);
    expect(svg).not.toContain("<script>");
    expect(JSON.stringify(json)).not.toMatch(/<script>|<i>|<u>/);
    const html = tableHtml({ title: "<img>", columns: ["<a>"], rows: [["<script>"]], caption: "<p onclick>" });
    expect(html).not.toMatch(/<img>|<a>|<script>|<p onclick>/);
  });

  it("says what is seen to those who do not see it", async () => {
    const [root] = (await svgFigure(FIGURE)).match(/<svg [^>]*>/) ?? [];
    expect(root).toContain('role="img" aria-label="&lt;script&gt;');
    expect(root).toContain("curve: loss (normalised) over step");
  });

  it("is plain data that knows how to show itself", async () => {
    const shown = show(structuredClone(FIGURE));
    expect(JSON.parse(JSON.stringify(shown)).title).toBe(FIGURE.title);
    expect(Object.keys(await shown[DISPLAY]())).toEqual([
      "application/vnd.plotly.v1+json",
      "image/svg+xml",
      "text/plain",
    ]);
  });

  it("makes a page that holds plotly.js and no way out of its script", async () => {
    const page = await figurePage(FIGURE);
    expect(page.length).toBeGreaterThan(1e6);
    expect(page.match(/<\/script>/g)?.length).toBe(2);
    expect(page).not.toContain("<script>alert");
  });

  it("puts a slider's frames into the same traces", () => {
    const panels = (add: number) => [
      {
        ...FIGURE.panels[0],
        marks: FIGURE.panels[0].marks.map((mark) =>
          mark.kind === "heatmap" ? { ...mark, values: values.map((v) => v + add) } : mark,
        ),
      },
    ];
    const figure: Figure = {
      ...FIGURE,
      columns: 1,
      panels: panels(0),
      frames: [0, 1, 2].map((k) => ({ label: `t${k}`, panels: panels(k) })),
    };
    const { frames = [], data, layout } = plotlyFigure(figure);
    expect(frames.map(({ traces }) => traces)).toEqual([[0], [0], [0]]);
    expect(data[0].type).toBe("heatmap");
    expect((frames[2].data[0].z as number[][])[0][1]).toBe(12);
    expect((layout.sliders as { steps: unknown[] }[])[0].steps).toHaveLength(3);
  });

  it.each([
    [0, "0"],
    [1013.2499, "1013"],
    [1e-5, "1e-5"],
    [-0.012345, "-0.01235"],
    [2.5e7, "2.5e+7"],
    [Number.NaN, "NaN"],
  ])("writes %d as %s", (value, text) => {
    expect(formatNumber(value)).toBe(text);
  });
});
