/** Tab and Shift-Tab as somebody presses them. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { launch, Notebook, writeNotebook } from "./page.js";
import { type LabServer, startLab } from "./server.js";

let folder: string;
let server: LabServer;
let browser: Browser;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "atmorep-lab-"));
  [server, browser] = await Promise.all([startLab(folder), launch()]);
});

afterAll(async () => {
  await browser?.close();
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

it("Tab lists a configuration's keys with what they are, Shift-Tab explains the one that was taken", async () => {
  const line = "atmorep.resolveConfig({ set: { lr_s";
  writeNotebook(join(folder, "complete.ipynb"), [`import * as atmorep from "atmorep";\n${line}`]);
  const notebook = await Notebook.open(browser, server, "complete.ipynb", 900);
  const { page } = notebook;
  await notebook.cell(0).locator(".jp-InputArea-editor").click();
  await page.keyboard.press("Control+End");
  const items = page.locator(".jp-Completer .jp-Completer-item");
  // JupyterLab waits for an answer for a second, and a machine that tests may be slower.
  for (let tries = 0; tries < 20 && (await items.count()) === 0; tries++) {
    await page.keyboard.press("Tab");
    await page.waitForTimeout(1500);
  }
  expect(await items.locator(".jp-Completer-match").allTextContents()).toEqual(["lr_start", "lr_start_epochs"]);
  expect(await items.first().locator(".jp-Completer-typeExtended").textContent()).toBe("property");
  await page.keyboard.press("Enter");
  await items.first().waitFor({ state: "hidden" });
  expect(await notebook.cell(0).locator(".cm-content").textContent()).toContain("{ lr_start");
  await page.keyboard.press("Shift+Tab");
  const tooltip = page.locator(".jp-Tooltip .jp-RenderedMarkdown");
  await tooltip.waitFor();
  expect(await tooltip.textContent()).toContain("Learning rate of the first epoch. Value: a number above 0");
  await notebook.close();
});
