/// <reference lib="dom" />
/** Widgets in a real JupyterLab, by what a person sees and does. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
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
