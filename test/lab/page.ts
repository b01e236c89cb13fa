/** A notebook in a tab of headless Chromium, worked by its buttons and menus. */
import { writeFileSync } from "node:fs";
import { type Browser, chromium, type Locator, type Page } from "playwright-core";
import type { LabServer } from "./server.js";

export const launch = (): Promise<Browser> =>
  chromium.launch({
    executablePath: process.env.ATMOREP_TEST_CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu"],
  });

/** Writes a notebook of code cells. */
export function writeNotebook(file: string, cells: readonly string[]): void {
  const kernelspec = { display_name: "TypeScript (AtmoRep)", language: "typescript", name: "atmorep" };
  const code = cells.map((source, i) => ({
    cell_type: "code",
    id: `cell${i}`,
    metadata: {},
    execution_count: null,
    outputs: [],
    source,
  }));
  writeFileSync(file, JSON.stringify({ nbformat: 4, nbformat_minor: 5, metadata: { kernelspec }, cells: code }));
}

/** A notebook that is open; closing the tab leaves its kernel running. */
export class Notebook {
  private constructor(readonly page: Page) {}

  static async open(browser: Browser, server: LabServer, name: string, height = 5000): Promise<Notebook> {
    const page = await browser.newPage({ viewport: { width: 1300, height } });
    await page.goto(server.address(name));
    await page.locator(".jp-Notebook .jp-CodeCell").first().waitFor({ timeout: 60_000 });
    // Before its kernel answers, running a cell asks which kernel to take.
    await page
      .locator(".jp-StatusBar-Widget", { hasText: /TypeScript \(AtmoRep\) \| (Idle|Busy)/ })
      .waitFor({ timeout: 60_000 });
    return new Notebook(page);
  }

  cell(n: number): Locator {
    return this.page.locator(".jp-Notebook .jp-Cell").nth(n);
  }

  output(n: number): Locator {
    return this.cell(n).locator(".jp-OutputArea-output");
  }

  /** `[*]` while it waits or runs, `[3]` when done. */
  async prompt(n: number): Promise<string> {
    return (await this.cell(n).locator(".jp-InputPrompt").first().textContent())?.trim() ?? "";
  }

  async menu(menu: string, item: string): Promise<void> {
    await this.page.locator(".lm-MenuBar-item", { hasText: new RegExp(`^${menu}$`) }).click();
    await this.page.locator(".lm-Menu-item", { hasText: item }).first().click();
  }

  runAll(): Promise<void> {
    return this.menu("Run", "Run All Cells");
  }

  /** Starts one cell and does not wait for it. */
  async run(n: number): Promise<void> {
    await this.cell(n).locator(".jp-InputArea-editor").click();
    await this.page.keyboard.press("Control+Enter");
  }

  interrupt(): Promise<void> {
    return this.page.locator('[data-command="notebook:interrupt-kernel"]').first().click();
  }

  async restart(): Promise<void> {
    await this.page.locator('[data-command="notebook:restart-kernel"]').first().click();
    await this.page.locator(".jp-Dialog .jp-mod-accept").click();
  }

  async save(): Promise<void> {
    await this.page.keyboard.press("Control+S");
    await this.page.locator(".lm-TabBar-tab.jp-mod-dirty, .jp-mod-dirty").first().waitFor({ state: "detached" });
  }

  /** Waits until a cell is done. @returns the milliseconds */
  async done(n: number, timeout = 120_000): Promise<number> {
    const begin = Date.now();
    for (;;) {
      if (/^\[\d+\]:?$/.test(await this.prompt(n))) return Date.now() - begin;
      if (Date.now() - begin > timeout)
        throw new Error(`cell ${n} is not done after ${timeout} ms: ${await this.prompt(n)}`);
      await this.page.waitForTimeout(50);
    }
  }

  /** Text of a cell's output, once there is one. */
  async text(n: number): Promise<string> {
    await this.output(n).first().waitFor({ state: "attached" });
    return (await this.output(n).allTextContents()).join("\n");
  }

  /** Panels of the figure that a cell draws while it trains. */
  liveFigure(n: number): Locator {
    return this.output(n).locator(".panels");
  }

  /** The different figures that a cell shows while it runs, until it is done. */
  async frames(n: number, timeout = 60_000): Promise<string[]> {
    const seen = new Set<string>();
    for (const begin = Date.now(); Date.now() - begin < timeout; await this.page.waitForTimeout(100)) {
      if ((await this.prompt(n)) !== "[*]:") {
        if (seen.size > 0) break;
        continue;
      }
      for (const panels of await this.liveFigure(n).all()) {
        const drawn = await panels.innerHTML({ timeout: 1000 }).catch(() => null);
        if (drawn) seen.add(drawn);
      }
    }
    return [...seen];
  }

  /** The lines of the Plotly figures that a cell shows, once they are drawn. */
  async curves(n: number): Promise<{ x: number[]; y: number[] }[]> {
    const plot = this.cell(n).locator(".js-plotly-plot");
    await plot.locator(".main-svg .scatterlayer .trace").first().waitFor({ timeout: 30_000 });
    return plot
      .first()
      .evaluate((element) =>
        (element as unknown as { data: { mode?: string; x: number[]; y: number[] }[] }).data
          .filter(({ mode }) => mode === "lines")
          .map(({ x, y }) => ({ x: Array.from(x), y: Array.from(y) })),
      );
  }

  /**
   * Width in pixels of the figure that a cell shows: drawn, or the picture that JupyterLab's renderer saved of it and shows
   * when the notebook is opened again.
   */
  async figureWidth(n: number): Promise<number> {
    const figure = this.cell(n).locator(".js-plotly-plot .main-svg, .jp-RenderedPlotly img.plot-img").first();
    await figure.waitFor({ timeout: 30_000 });
    return (await figure.boundingBox())?.width ?? 0;
  }

  close(): Promise<void> {
    return this.page.close();
  }
}
