import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { launch, Notebook, writeNotebook } from "./page.js";
import { type LabServer, startLab } from "./server.js";

let folder: string;
let server: LabServer;
let browser: Browser;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "looking-"));
  server = await startLab(folder);
  browser = await launch();
});
afterAll(async () => {
  await browser?.close();
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

describe("while a cell runs, JupyterLab", () => {
  it("stops in a line of a cell, shows its variables in the panel, and goes on to the end", async () => {
    const code = "const words = [1, 2, 3];\nlet sum = 0;\nfor (const word of words) {\n  sum += word;\n}\nsum * 7";
    writeNotebook(join(folder, "debug.ipynb"), ['const early = "from before";', code]);
    const notebook = await Notebook.open(browser, server, "debug.ipynb", 900);
    const { page } = notebook;
    await notebook.run(0);
    await notebook.done(0);
    await page.locator('[data-jp-item-name="debugger-icon"]').first().click();
    const variables = page.locator(".jp-DebuggerVariables");
    const value = async (name: string) => {
      const item = variables.locator(".jp-TreeItem", { hasText: new RegExp(`^${name}`) }).first();
      await item.waitFor({ timeout: 60_000 });
      return await item.locator(".jp-DebuggerVariables-detail").first().textContent();
    };
    expect(await value("early")).toBe('"from before"');
    // the first is no line's
    await notebook.cell(1).locator(".cm-gutter.cm-breakpoint-gutter > .cm-gutterElement").nth(4).click();
    await page.locator(".jp-DebuggerBreakpoint").first().waitFor({ timeout: 30_000 });
    await notebook.run(1);
    const line = notebook.cell(1).locator(".jp-DebuggerEditor-highlight");
    await line.waitFor({ timeout: 60_000 });
    expect((await line.textContent())?.trim()).toBe("sum += word;");
    expect(await notebook.prompt(1)).toBe("[*]:");
    expect(await value("word(?!s)")).toBe("1");
    expect(await value("words")).toBe("Array(3) [1, 2, 3]");
    expect(await page.locator(".jp-DebuggerCallstackFrame-location").allTextContents()).toEqual([
      expect.stringMatching(/\.ts:4$/),
    ]);
    const goOn = page.locator('jp-button[data-command="debugger:continue"]');
    for (const word of ["1", "2", "3"]) {
      await expect.poll(() => value("word(?!s)"), { timeout: 30_000 }).toBe(word);
      await goOn.click();
    }
    await notebook.done(1, 30_000);
    expect(await notebook.text(1)).toContain("42");
    await notebook.close();
  });
});
