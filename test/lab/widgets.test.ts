/// <reference lib="dom" />
/** Widgets in a real JupyterLab, by what a person sees and does. */
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { availableParallelism, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Locator } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { launch, Notebook, writeNotebook } from "./page.js";
import { SETUP } from "./runs.js";
import { type LabServer, startLab } from "./server.js";

let folder: string;
let server: LabServer;
let browser: Browser;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "atmorep-widgets-"));
  [server, browser] = await Promise.all([startLab(folder), launch()]);
});

afterAll(async () => {
  await browser?.close();
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const open = (name: string) => Notebook.open(browser, server, name, 2000);

describe("a widget of anywidget", () => {
  it("counts in the page and in the cells, both ways", async () => {
    writeNotebook(join(folder, "counter.ipynb"), [
      `const esm = \`export default { render({ model, el }) {
  const button = document.createElement("button");
  const draw = () => { button.textContent = "count " + model.get("count"); };
  button.addEventListener("click", () => { model.set("count", model.get("count") + 1); model.save_changes(); });
  model.on("change:count", draw);
  draw();
  el.append(button);
} }\`;
const counter = jupyter.widget({ esm, css: "button { color: rgb(1, 2, 3); }", state: { count: 1 } });
counter.on("count", (count) => console.log("the cell heard", count));
counter`,
      "counter.get('count')",
      "counter.set({ count: 40 });",
    ]);
    const notebook = await open("counter.ipynb");
    await notebook.run(0);
    const button = notebook.output(0).getByRole("button", { name: /count/ });
    await button.waitFor({ timeout: 30_000 });
    expect(await button.textContent()).toBe("count 1");
    expect(await button.evaluate((element) => getComputedStyle(element).color)).toBe("rgb(1, 2, 3)");
    await button.click();
    await notebook.output(0).getByText("the cell heard 2").waitFor();
    await notebook.run(1);
    await notebook.done(1);
    expect(await notebook.text(1)).toBe("2");
    await notebook.run(2);
    await notebook.output(0).getByRole("button", { name: "count 40" }).waitFor();
    await notebook.close();
  });
});

const PREPARED = `import * as atmorep from "atmorep";
import * as nb from "atmorep/notebook";
const { config } = atmorep.resolveConfig({ preset: "storm", seed: 1, set: { BERT_strategy: "BERT" } });
const prepared = await atmorep.prepare(config, { split: "validate" });`;

const VIEW_TYPE = "application/vnd.jupyter.widget-view+json";

/** Output `n` of a saved notebook's cell, as far as it is shown. */
function savedData(name: string, n: number): Record<string, string | string[]> {
  const { cells } = JSON.parse(readFileSync(join(folder, name), "utf8"));
  return cells[n].outputs.findLast(({ data }: { data?: object }) => data).data;
}

const joined = (text: string | string[]) => (Array.isArray(text) ? text.join("") : text);

/** Moves a slider by so many positions, one by one. @returns milliseconds from each move to its new picture, in the page */
async function move(area: Locator, name: string, moves: readonly number[]): Promise<number[]> {
  const slider = area.getByRole("slider", { name });
  await expect.poll(() => slider.isEnabled(), { timeout: 20_000 }).toBe(true);
  return slider.evaluate(async (element, positions) => {
    const input = element as HTMLInputElement;
    const image = input.closest(".nb-sliders")?.querySelector("img") as HTMLImageElement;
    const took: number[] = [];
    for (const position of positions) {
      const drawn = new Promise((done) => image.addEventListener("load", done, { once: true }));
      const begin = performance.now();
      input.value = String(position);
      input.dispatchEvent(new Event("input", { bubbles: true }));
      await drawn;
      took.push(performance.now() - begin);
    }
    input.dispatchEvent(new Event("change", { bubbles: true }));
    return took;
  }, moves);
}

const median = (values: readonly number[]) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];

describe("sliders on maps and masks", () => {
  const explorers = [
    ['await nb.exploreMap(prepared.store, "mean_sea_level_pressure")', "time", [3, 4, 5, 6, 7, 8, 9]],
    ["await nb.exploreMasks(prepared)", "total", [2, 4, 6, 8, 10, 12, 14]],
    ["await nb.exploreBatch(prepared)", "token", [3, 4, 5, 6, 7, 8, 9]],
  ] as const;

  it("redraw within 200 ms, and stay as pictures in the notebook", async () => {
    writeNotebook(join(folder, "sliders.ipynb"), [PREPARED, ...explorers.map(([code]) => code)]);
    let notebook = await open("sliders.ipynb");
    await notebook.runAll();
    await notebook.done(explorers.length);
    const sources: (string | null)[] = [];
    for (const [i, [, slider, moves]] of explorers.entries()) {
      const area = notebook.output(i + 1);
      const took = await move(area, slider, moves);
      process.stdout.write(`${slider}: ${took.map(Math.round).join(", ")} ms\n`);
      // where others compute, only that it is drawn is asked
      if (loadavg()[0] < availableParallelism() + 1) expect(median(took)).toBeLessThan(200);
      // the kernel keeps the picture, which draws the view anew
      await notebook.page.waitForTimeout(1500);
      await expect.poll(() => area.getByRole("slider", { name: slider }).isEnabled()).toBe(true);
      expect(await area.getByRole("slider", { name: slider }).inputValue()).toBe(String(moves.at(-1)));
      sources.push(await area.locator(".nb-sliders img").getAttribute("src"));
    }
    await notebook.save();
    await notebook.close();
    for (const [i, source] of sources.entries()) {
      const data = savedData("sliders.ipynb", i + 1);
      expect(data).toHaveProperty([VIEW_TYPE]);
      expect(`data:image/svg+xml,${encodeURIComponent(joined(data["image/svg+xml"]))}`).toBe(source);
    }

    copyFileSync(join(folder, "sliders.ipynb"), join(folder, "later.ipynb"));
    notebook = await open("later.ipynb");
    for (const [i, [, slider]] of explorers.entries()) {
      const area = notebook.output(i + 1);
      const picture = area.locator(".nb-sliders img");
      await picture.waitFor({ timeout: 30_000 });
      expect(await picture.getAttribute("src")).toBe(sources[i]);
      expect((await picture.boundingBox())?.width).toBeGreaterThan(300);
      expect(await area.getByRole("slider", { name: slider }).isEnabled()).toBe(false);
    }
    await notebook.close();
  });
});

describe("a run with a button", () => {
  it("stops when it is pressed, saves a checkpoint, and leaves its figure", async () => {
    writeNotebook(join(folder, "button.ipynb"), [
      SETUP,
      'const run = await nb.train(config, { out, runId: "labrun11", stopButton: true });\nrun.finished.reason',
    ]);
    const notebook = await open("button.ipynb");
    await notebook.runAll();
    const button = notebook.output(1).getByRole("button", { name: "Stop training" });
    await button.waitFor({ timeout: 60_000 });
    await notebook.page.waitForTimeout(3000);
    expect(await notebook.prompt(1)).toBe("[*]:");
    await button.click();
    expect(await notebook.done(1)).toBeLessThan(10_000);
    expect(await notebook.text(1)).toContain("'interrupted'");
    expect(await notebook.figureWidth(1)).toBeGreaterThan(300);
    expect(await button.count()).toBe(0);
    await notebook.save();
    await notebook.close();
    const { cells } = JSON.parse(readFileSync(join(folder, "button.ipynb"), "utf8"));
    const forms = cells[1].outputs.flatMap(({ data }: { data?: object }) => Object.keys(data ?? {}));
    expect(forms).toContain("image/svg+xml");
    expect(forms).not.toContain(VIEW_TYPE);
  });
});
