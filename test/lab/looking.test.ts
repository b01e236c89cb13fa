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

const TRAIN = `import * as atmorep from "atmorep";
const { config } = atmorep.resolveConfig({ preset: "storm", seed: 1 });
const seen = { steps: 0, stop: false };
for await (const event of atmorep.train(config, { out: "runs" })) {
  if (event.type === "step") seen.steps = event.step;
  if (seen.stop) break;
}
"trained"`;

describe("while a cell runs, JupyterLab", () => {
  it("runs a cell of a subshell console, which sees how far a training is and ends it", async () => {
    writeNotebook(join(folder, "train.ipynb"), [TRAIN]);
    const notebook = await Notebook.open(browser, server, "train.ipynb", 900);
    const { page } = notebook;
    await notebook.run(0);
    await page.waitForTimeout(1000);
    await notebook.cell(0).locator(".jp-InputArea-editor").click({ button: "right" });
    await page.locator(".lm-Menu-item", { hasText: "New Subshell Console for Notebook" }).click();
    const prompt = page.locator(".jp-CodeConsole-promptCell .cm-content");
    await prompt.waitFor({ timeout: 60_000 });
    // it has its shell when it knows the kernel; what is typed earlier goes to the notebook's
    await page.locator(".jp-CodeConsole-banner", { hasText: "TypeScript" }).waitFor({ timeout: 60_000 });
    const ask = async (code: string) => {
      await prompt.click();
      await page.keyboard.insertText(code);
      await page.keyboard.press("Shift+Enter");
    };
    await ask(
      'while (seen.steps < 1) await new Promise((done) => setTimeout(done, 50)); "step " + seen.steps + " of a run"',
    );
    const answer = page.locator(".jp-CodeConsole-content .jp-OutputArea-output", { hasText: /step \d+ of a run/ });
    await answer.waitFor({ timeout: 60_000 });
    expect(await notebook.prompt(0)).toBe("[*]:");
    await ask("seen.stop = true");
    await notebook.done(0, 60_000);
    expect(await notebook.text(0)).toContain("trained");
    await notebook.close();
  });

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
