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
    const ask = async (code: string) => {
      await prompt.click();
      await page.keyboard.insertText(code);
      await page.keyboard.press("Shift+Enter");
    };
    await ask("while (seen.steps < 1) await new Promise((done) => setTimeout(done, 50)); `step ${seen.steps} of a run`");
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
    await page.locator('[data-jp-item-name="debugger-icon"] button, .jp-DebuggerBugButton').first().click();
    const panel = page.locator("#jp-debugger-sidebar, .jp-DebuggerSidebar");
    const variables = page.locator(".jp-DebuggerVariables");
    await variables.getByText("early").first().waitFor({ timeout: 60_000 });
    expect(await panel.count()).toBeGreaterThan(0);
    await notebook.cell(1).locator(".cm-gutterElement", { hasText: /^4$/ }).click();
    await notebook.cell(1).locator(".cm-breakpoint-gutter .cm-breakpoint-icon, .cm-breakpoint-marker").first().waitFor();
    await notebook.run(1);
    const line = notebook.cell(1).locator(".jp-DebuggerEditor-highlight");
    await line.waitFor({ timeout: 60_000 });
    expect((await line.textContent())?.trim()).toBe("sum += word;");
    expect(await notebook.prompt(1)).toBe("[*]:");
    const value = (name: string) => variables.locator("li", { hasText: new RegExp(`^${name}`) }).first();
    await value("word").waitFor({ timeout: 30_000 });
    expect(await value("word").textContent()).toMatch(/word.*1/);
    const frames = page.locator(".jp-DebuggerCallstack");
    expect(await frames.textContent()).toContain("4");
    for (let i = 0; i < 3; i++) {
      await page.locator('[data-command="debugger:continue"], [title^="Continue"]').first().click();
      if (i < 2) await line.waitFor();
      await page.waitForTimeout(500);
    }
    await notebook.done(1, 30_000);
    expect(await notebook.text(1)).toContain("42");
    await notebook.close();
  });
});
