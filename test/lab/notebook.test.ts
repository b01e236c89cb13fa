/** The notebook as somebody works with it: run, watch it move, interrupt, save, come back. */
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { launch, Notebook, writeNotebook } from "./page.js";
import { SETUP, trainingRows } from "./runs.js";
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

const open = (name: string) => Notebook.open(browser, server, name);

/** A process that nobody has asked for its end, as that of a kernel which is gone, is a zombie. */
function isAlive(pid: number): boolean {
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}

/** The first loss curve that a cell shows has the steps of the run's file, and its values. */
async function expectWholeRun(notebook: Notebook, cell: number, id: string): Promise<void> {
  const [curve] = await notebook.curves(cell);
  expectWholeCurve(curve, id);
}

function expectWholeCurve(curve: { x: number[]; y: number[] }, id: string): void {
  const rows = trainingRows(folder, id);
  // Long curves are drawn as means over so many steps, by the number of curves in the figure.
  const [group] = curve.x;
  expect(group).toBeLessThanOrEqual(Math.max(1, Math.ceil(rows.length / 200)));
  const groups = Array.from({ length: Math.ceil(rows.length / group) }, (_, i) =>
    rows.slice(i * group, (i + 1) * group),
  );
  expect(curve.x).toEqual(groups.map((members) => members[members.length - 1].step));
  for (const [i, members] of groups.entries()) {
    const mean = members.reduce((sum, { loss }) => sum + loss, 0) / members.length;
    expect(curve.y[i] / mean).toBeCloseTo(1, 3);
  }
}

describe("a notebook in JupyterLab", () => {
  it("shows training as it goes, stops at an interrupt, and keeps its figures", async () => {
    writeNotebook(join(folder, "train.ipynb"), [
      SETUP,
      'const run = await nb.train(config, { out, runId: "labrun01", maxTime: 8000 });\nrun',
      "nb.learningRate(config)",
      'const cut = await nb.train(config, { out, runId: "labrun02" });\ncut',
      'const more = await nb.train(config, { out, continue: "labrun02", runId: "labrun07", maxTime: 8000, send: null });\nmore.finished.step',
      "while (true) {}",
      "20 + 22",
    ]);
    let notebook = await open("train.ipynb");
    await notebook.runAll();

    const frames = await notebook.frames(1);
    expect(frames.length).toBeGreaterThanOrEqual(4);
    await notebook.done(1);
    await expectWholeRun(notebook, 1, "labrun01");

    await notebook.liveFigure(3).locator("svg").first().waitFor({ timeout: 60_000 });
    // the choice of axes outlives the next frames
    const wrapper = notebook.output(3).locator("[data-scale]").first();
    await wrapper.getByLabel("logarithmic").check();
    await notebook.page.waitForTimeout(2500);
    expect(await wrapper.getAttribute("data-scale")).toBe("log");
    expect(await wrapper.locator(".linear").first().isVisible()).toBe(false);
    expect(await wrapper.locator(".log").first().isVisible()).toBe(true);
    await notebook.interrupt();
    expect(await notebook.done(3)).toBeLessThan(2000);
    await expectWholeRun(notebook, 3, "labrun02");
    await notebook.run(4);
    await notebook.done(4);
    const before = trainingRows(folder, "labrun02");
    const after = trainingRows(folder, "labrun07");
    expect(after.slice(0, before.length)).toEqual(before);
    expect(after[before.length].step).toBe(before.length + 1);

    await notebook.run(5);
    await notebook.page.waitForTimeout(1500);
    await notebook.interrupt();
    expect(await notebook.done(5)).toBeLessThan(2000);
    expect(await notebook.text(5)).toContain("Interrupted");
    await notebook.run(6);
    await notebook.done(6);
    expect(await notebook.text(6)).toContain("42");

    await notebook.save();
    await notebook.close();
    const file = join(folder, "train.ipynb");
    const saved = JSON.parse(readFileSync(file, "utf8"));
    // but for the picture that JupyterLab's Plotly renderer adds, as large as it is on the screen
    const own = JSON.stringify(saved, (key, value) => (key === "image/png" ? undefined : value));
    expect(own.length).toBeLessThan(6e5);
    expect(statSync(file).size).toBeLessThan(2e6);
    const last = saved.cells[1].outputs.find((output: { data?: object }) => output.data);
    // JupyterLab's Plotly renderer may add a picture of its own
    const forms = Object.keys(last.data).filter((type) => type !== "image/png");
    expect(forms.sort()).toEqual(["application/vnd.plotly.v1+json", "image/svg+xml", "text/plain"]);
    const lines = last.data["application/vnd.plotly.v1+json"].data.filter(
      ({ mode }: { mode?: string }) => mode === "lines",
    );
    expectWholeCurve(lines[0], "labrun01");

    notebook = await open("train.ipynb");
    for (const cell of [1, 2, 3]) expect(await notebook.figureWidth(cell)).toBeGreaterThan(300);
    await notebook.close();
  });

  it("misses nothing when its tab was closed in the middle of training", async () => {
    writeNotebook(join(folder, "closed.ipynb"), [
      SETUP,
      'const run = await nb.train(config, { out, runId: "labrun03", maxTime: 12_000 });\nrun',
      'await nb.watch("labrun03", { out })',
    ]);
    let notebook = await open("closed.ipynb");
    await notebook.run(0);
    await notebook.run(1);
    await notebook.liveFigure(1).locator("svg").first().waitFor({ timeout: 60_000 });
    await notebook.close();
    const before = trainingRows(folder, "labrun03").length;

    notebook = await open("closed.ipynb");
    await notebook.run(2);
    await notebook.done(2);
    expect(trainingRows(folder, "labrun03").length).toBeGreaterThan(before);
    await expectWholeRun(notebook, 2, "labrun03");
    await notebook.close();
  });

  it("starts a run that survives a restart of the kernel", async () => {
    writeNotebook(join(folder, "start.ipynb"), [
      SETUP,
      'const run = await nb.start(config, { out, runId: "labrun04", maxTime: 25_000 });\nrun.pid',
      'const seen = await nb.watch("labrun04", { out });\nseen.caption',
      [
        'const short = await nb.start(config, { out, runId: "labrun05", maxSteps: 3 });',
        "const done = await short.done;",
        'const long = await nb.start(config, { out, runId: "labrun06" });',
        "await long.stop();",
        "[done.code, (await long.done).code]",
      ].join("\n"),
    ]);
    const notebook = await open("start.ipynb");
    await notebook.run(0);
    await notebook.run(1);
    await notebook.done(1);
    const pid = Number(await notebook.text(1));
    expect(isAlive(pid)).toBe(true);
    await notebook.restart();
    await notebook.run(0);
    await notebook.done(0);
    expect(isAlive(pid)).toBe(true);
    await notebook.run(2);
    await notebook.done(2);
    // its last words are in its files before it is gone
    await expect.poll(() => isAlive(pid), { timeout: 10_000 }).toBe(false);
    expect(await notebook.text(2)).toContain("stopped");
    await expectWholeRun(notebook, 2, "labrun04");
    await notebook.run(3);
    await notebook.done(3);
    expect((await notebook.text(3)).replace(/\s/g, "")).toContain("[0,143]");
    await notebook.close();
  });
});
