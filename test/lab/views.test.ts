/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
/**
 * Every view on the storm, drawn by JupyterLab and as SVG: nothing is cut off, and text does not lie on text.
 * ATMOREP_LAB_PICTURES names a folder for pictures of all of them, to be looked at.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { launch, Notebook, writeNotebook } from "./page.js";
import { type LabServer, startLab } from "./server.js";
import { SETUP, TABLES, VIEWS } from "./viewCells.js";

const pictures = process.env.ATMOREP_LAB_PICTURES;
const names = Object.keys(VIEWS);
const tables = Object.keys(TABLES);
let folder: string;
let server: LabServer;
let browser: Browser;
let notebook: Notebook;
let svgs: (string | undefined)[];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "atmorep-views-"));
  if (pictures) mkdirSync(pictures, { recursive: true });
  writeNotebook(join(folder, "views.ipynb"), [...SETUP, ...Object.values(VIEWS), ...Object.values(TABLES)]);
  [server, browser] = await Promise.all([startLab(folder), launch()]);
  notebook = await Notebook.open(browser, server, "views.ipynb", 22_000);
  await notebook.runAll();
  await notebook.done(SETUP.length + names.length + tables.length - 1, 200_000);
  await notebook.page.waitForTimeout(2000);
  await notebook.save();
  const { cells } = JSON.parse(readFileSync(join(folder, "views.ipynb"), "utf8"));
  svgs = names.map((_, i) => {
    const outputs: { data?: Record<string, string | string[]> }[] = cells[SETUP.length + i].outputs;
    const svg = outputs.findLast(({ data }) => data?.["image/svg+xml"])?.data?.["image/svg+xml"];
    return Array.isArray(svg) ? svg.join("") : svg;
  });
});

afterAll(async () => {
  await browser?.close();
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/**
 * Texts of the last figure in a root that stand partly outside it, and pairs of them that lie on each other.
 * Tokens' numbers stand on the map by intent and do not overlap each other either.
 */
function textFaults(page: Page, selector: string): Promise<{ outside: string[]; overlaps: string[]; texts: number }> {
  return page.evaluate((wanted) => {
    const roots = document.querySelectorAll(wanted);
    const root = roots[roots.length - 1];
    const frame = root.getBoundingClientRect();
    const boxes = [...root.querySelectorAll("text")]
      .filter((text) => text.textContent?.trim())
      .map((text) => ({ text: text.textContent ?? "", box: text.getBoundingClientRect() }))
      .filter(({ box }) => box.width > 0);
    const outside = boxes.filter(
      ({ box }) =>
        box.left < frame.left - 1 ||
        box.right > frame.right + 1 ||
        box.top < frame.top - 1 ||
        box.bottom > frame.bottom + 1,
    );
    const overlaps = boxes.flatMap((a, i) =>
      boxes.slice(i + 1).flatMap((b) => {
        const x = Math.min(a.box.right, b.box.right) - Math.max(a.box.left, b.box.left);
        const y = Math.min(a.box.bottom, b.box.bottom) - Math.max(a.box.top, b.box.top);
        return x > 2 && y > 4 ? [`${a.text} | ${b.text}`] : [];
      }),
    );
    return { outside: outside.map(({ text }) => text), overlaps, texts: boxes.length };
  }, selector);
}

describe("views", () => {
  it.each(names)("%s is drawn by JupyterLab", async (name) => {
    const n = SETUP.length + names.indexOf(name);
    const plot = notebook.cell(n).locator(".js-plotly-plot").first();
    await plot.locator(".main-svg").first().waitFor({ timeout: 20_000 });
    if (pictures) await plot.screenshot({ path: join(pictures, `${name}-lab.png`) });
    await plot.evaluate((element) => element.setAttribute("data-view", "this"));
    const faults = await textFaults(notebook.page, '[data-view="this"]');
    await plot.evaluate((element) => element.removeAttribute("data-view"));
    expect(faults).toMatchObject({ outside: [], overlaps: [] });
    expect(faults.texts).toBeGreaterThan(3);
  });

  it.each(names)("%s is drawn as SVG", async (name) => {
    const svg = svgs[names.indexOf(name)];
    expect(svg).toBeDefined();
    const page = await browser.newPage({ viewport: { width: 900, height: 1200 } });
    await page.setContent(`<body style="margin:0">${svg}</body>`);
    if (pictures)
      await page
        .locator("svg")
        .first()
        .screenshot({ path: join(pictures, `${name}-svg.png`) });
    const faults = await textFaults(page, "svg");
    await page.close();
    expect(faults).toMatchObject({ outside: [], overlaps: [] });
    expect(faults.texts).toBeGreaterThan(3);
  });

  it.each(tables)("the table %s is drawn", async (name) => {
    const table = notebook
      .cell(SETUP.length + names.length + tables.indexOf(name))
      .locator(".jp-RenderedHTML")
      .first();
    expect(await table.locator("tr").count()).toBeGreaterThan(1);
    if (pictures) await table.screenshot({ path: join(pictures, `${name}.png`) });
  });
});
