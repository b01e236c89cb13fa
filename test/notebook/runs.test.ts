/** Training, watching and comparing from a notebook, on a real tiny run. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { metrics } from "../../src/api/runs.js";
import { DISPLAY } from "../../src/notebook/figure/display.js";
import { inlineFigure } from "../../src/notebook/figure/inline.js";
import { LiveFigure, type SendDisplay } from "../../src/notebook/figure/live.js";
import type { Line, Rule } from "../../src/notebook/figure/types.js";
import * as nb from "../../src/notebook/index.js";
import { trainingFigure } from "../../src/notebook/views/training.js";
import { runFolder } from "../../src/runs/folder.js";
import { learningRates } from "../../src/step/schedule.js";
import { temporaryFolder, tinyConfig } from "../support/tinyRun.js";

interface Frame {
  data: Record<string, unknown>;
  update: boolean;
  id: string;
}

function recorder(): { frames: Frame[]; send: SendDisplay } {
  const frames: Frame[] = [];
  return {
    frames,
    send: ({ data, transient }, update) => {
      frames.push({ data, update, id: transient.display_id });
    },
  };
}

/** A clock that a second passes on at every look. */
function clock() {
  let seconds = 0;
  return () => 1000 * seconds++;
}

const out = temporaryFolder();
const recorded = recorder();
let run: Awaited<ReturnType<typeof nb.train>>;

beforeAll(async () => {
  run = await nb.train(tinyConfig(), { out, runId: "note0001", send: recorded.send, now: clock() });
});

describe("train", () => {
  it("draws frames in one place: HTML while it runs, both forms at the end", () => {
    const { frames } = recorded;
    expect(frames.length).toBeGreaterThan(5);
    expect(frames[0].update).toBe(false);
    expect(frames.slice(1).every(({ update }) => update)).toBe(true);
    expect(new Set(frames.map(({ id }) => id)).size).toBe(1);
    for (const { data } of frames.slice(0, -1)) {
      expect(data["text/html"]).toMatch(/<svg role="img" aria-label="Run note0001, /);
      expect(String(data["text/html"]).length).toBeLessThan(100_000);
    }
    expect(String(frames.at(-1)?.data["image/svg+xml"]).length).toBeLessThan(100_000);
    expect(frames[0].data).not.toHaveProperty("application/vnd.plotly.v1+json");
    expect(frames.at(-1)?.data).toHaveProperty("application/vnd.plotly.v1+json");
  });

  it("leaves a finished run with the four best baselines as horizontal lines, on one axis in the field's unit", () => {
    expect(run.finished).toMatchObject({ type: "finished", reason: "completed", step: 12 });
    const validation = run.figure.panels.filter(({ title }) => title.startsWith("validation"));
    expect(validation.map(({ y }) => y.unit)).toEqual(["hPa"]);
    const rules = validation[0].marks.filter((mark): mark is Rule => mark.kind === "rule");
    const skill = run.baselines.find(({ kind }) => kind === "all")!;
    expect(Object.fromEntries(rules.map(({ name, value }) => [name, value]))).toEqual(
      Object.fromEntries(
        Object.entries(skill.rmse)
          .toSorted(([, a], [, b]) => a - b)
          .slice(0, 4)
          .map(([name, value]) => [name.replaceAll("_", " "), value]),
      ),
    );
    const model = validation[0].marks.find((mark): mark is Line => mark.kind === "line")!;
    expect(model.y.at(-1)).toBe(run.finished.skill.find(({ kind }) => kind === "all")!.rmse.model);
  });

  it("draws what was logged under its running mean, the rate as it ran, the speed and the gradient norm, a row a field", () => {
    expect(run.figure.panels.map(({ title }) => title)).toEqual([
      "training, all fields",
      "learning rate as it ran",
      "samples a second",
      "gradient norm",
      "training, mean sea level pressure",
      "validation, mean sea level pressure",
    ]);
    const [loss, rate, speed, norm, field] = run.figure.panels.map(({ marks }) => marks as Line[]);
    const steps = Array.from({ length: 12 }, (_, i) => i + 1);
    const [raw, smooth] = loss.filter(({ color }) => color === loss[0].color);
    expect(raw).toMatchObject({ x: steps, opacity: 0.35 });
    expect(smooth).toMatchObject({ x: steps, name: "mean squared error", width: 2 });
    expect(smooth.y[1]).toBeCloseTo(((raw.y[0] ?? 0) + (raw.y[1] ?? 0) + (raw.y[2] ?? 0)) / 3, 4);
    // the same name has the same colour wherever it stands
    const named = run.figure.panels.flatMap(({ marks }) => marks as Line[]).filter(({ name }) => name !== undefined);
    const colors = new Set(named.map(({ name, color }) => `${name} ${color}`));
    expect(colors.size).toBe(new Set(named.map(({ name }) => name)).size);
    expect(field.map(({ name }) => name)).toContain("spread of the members");
    expect(rate[0].y[0]).toBe(learningRates(tinyConfig())[0]);
    for (const line of [speed[0], norm[0]]) expect(line.y.every((value) => (value ?? 0) > 0)).toBe(true);
    expect(run.figure.panels[0].y.also).toBeDefined();
  });

  it("tells the step of all steps and the time that is left", () => {
    const words = recorded.frames.map(({ data }) => String(data["text/plain"])).join("\n");
    expect(words).toMatch(/step 6 of 12 \(50 %\), epoch 0, [\d.]+ ms a step, \d+ s so far, about \d+ s left/);
  });

  it("stops at an interrupt with a checkpoint that goes on", async () => {
    const stop = new AbortController();
    const stopped = await nb.train(tinyConfig(), {
      out,
      runId: "note0002",
      send: null,
      signal: stop.signal,
      onEvent: (event) => {
        if (event.type === "step" && event.step === 2) stop.abort();
      },
    });
    expect(stopped.finished).toMatchObject({ reason: "interrupted", step: 2 });
    expect(existsSync(runFolder(out, "note0002").checkpointDir)).toBe(true);
    const more = await nb.train(tinyConfig(), {
      out,
      runId: "note0003",
      continue: "note0002",
      send: null,
      maxSteps: 4,
    });
    expect(more.finished.step).toBe(4);
    // the whole history, with the rates of both
    const [loss, rate] = more.figure.panels.map(({ marks }) => marks as Line[]);
    expect(loss[0].x).toEqual([1, 2, 3, 4]);
    expect([rate[0].x[0], rate[0].x.at(-1)]).toEqual([1, 4]);
  });
});

describe("watch, metrics, compare", () => {
  it("watch shows every row that the file has", async () => {
    const { frames, send } = recorder();
    const figure = await nb.watch("note0001", { out, send });
    expect(frames).toHaveLength(1);
    const terms = figure.panels[0].marks as Line[];
    expect(terms[0].x).toHaveLength(12);
    expect(figure.caption).toContain("completed, 12 steps");
  });

  it("watch follows a file that grows until it is complete", async () => {
    const lines = readFileSync(runFolder(out, "note0001").metrics, "utf8").trimEnd().split("\n");
    const copy = runFolder(out, "note0004");
    mkdirSync(copy.resultsDir, { recursive: true });
    writeFileSync(
      join(copy.resultsDir, "model_idnote0004.json"),
      readFileSync(join(run.finished.resultsDir, "model_idnote0001.json")),
    );
    const write = (n: number) =>
      writeFileSync(
        copy.metrics,
        lines
          .slice(0, n)
          .map((line) => `${line}\n`)
          .join(""),
      );
    write(3);
    const { frames, send } = recorder();
    const watching = nb.watch("note0004", { out, send, now: clock(), every: 20 });
    await new Promise((tick) => setTimeout(tick, 300));
    write(lines.length);
    const figure = await watching;
    expect(frames.length).toBeGreaterThan(1);
    expect((figure.panels[0].marks as Line[])[0].x).toHaveLength(12);
  });

  it("watch goes on past an interruption while it is told to wait for what continues the run", async () => {
    const folder = runFolder(out, "note0004");
    const mark = join(folder.resultsDir, "end.json");
    writeFileSync(mark, JSON.stringify({ reason: "interrupted", epoch: 0, step: 3 }));
    const rows = readFileSync(folder.metrics, "utf8").trimEnd().split("\n");
    writeFileSync(folder.metrics, `${rows.slice(0, 3).join("\n")}\n`);
    const { send } = recorder();
    expect((await nb.watch("note0004", { out, send })).caption).toContain("interrupted");
    let finish = () => {};
    const until = new Promise<void>((done) => {
      finish = done;
    });
    const watching = nb.watch("note0004", { out, send, every: 20, until });
    await new Promise((tick) => setTimeout(tick, 100));
    writeFileSync(folder.metrics, `${rows.join("\n")}\n`);
    writeFileSync(mark, JSON.stringify({ reason: "completed", epoch: 1, step: 12 }));
    finish();
    const figure = await watching;
    expect((figure.panels[0].marks as Line[])[0].x).toHaveLength(12);
    expect(figure.caption).toContain("completed");
  });

  it("metrics open as a table with every series", async () => {
    const table = await metrics(run);
    expect(table.numRows()).toBe(14);
    expect(table.columnNames()).toEqual(expect.arrayContaining(["step", "training loss", "val. loss BERT"]));
    expect(table.filter((row: { step: number }) => row.step <= 3).numRows()).toBe(3);
  });

  it("compare shows curves and what differs", async () => {
    const compared = await nb.compare({ runId: "note0001", out }, { runId: "note0003", out });
    expect(compared.figure.panels[0].marks).toHaveLength(4);
    expect(compared.differencesTable.title).toContain("same");
    expect(Object.keys(await compared[DISPLAY]())).toContain("image/svg+xml");
  });

  it("compare lists every key that differs, beside the losses", async () => {
    await nb.train(tinyConfig({ losses: ["kernel_crps"], dropout_rate: 0.2 }), { out, runId: "note0005", send: null });
    const compared = await nb.compare({ runId: "note0001", out }, { runId: "note0005", out });
    const { rows, columns } = compared.differencesTable;
    expect(columns).toEqual(["key", "note0001", "note0005"]);
    expect(rows).toContainEqual(["dropout_rate", "0.1", "0.2"]);
    expect(rows.find(([key]) => String(key).startsWith("losses"))).toBeDefined();
    expect(compared.figure.caption).toContain("dropout_rate: note0001 0.1, note0005 0.2");
    const lines = compared.figure.panels[0].marks.filter((mark): mark is Line => mark.kind === "line");
    expect(lines.map(({ name }) => name)).toEqual(["note0001", "note0005"]);
    expect(lines[0].y).not.toEqual(lines[1].y);
  });

  it("watch draws a process's run, a failed one and the baselines that it is given", async () => {
    const started = await nb.start(tinyConfig(), { out, runId: "note0006" });
    const seen = await started.watch({ send: null, baselines: run.baselines });
    expect(await started.done).toEqual({ code: 0 });
    expect((await metrics({ runId: "note0006", out })).numRows()).toBe(14);
    const steps = Array.from({ length: 12 }, (_, i) => i + 1);
    expect((seen.panels[0].marks as Line[])[0].x).toEqual(steps);
    expect(seen.panels.at(-1)?.marks.some(({ kind }) => kind === "rule")).toBe(true);

    const config = tinyConfig({ file_path: join(out, "no-such-store.zarr") });
    await expect(nb.start(config, { out, runId: "note0007" }).then(({ done }) => done)).rejects.toThrow(
      /no-such-store/,
    );
    await expect(nb.watch("note0007", { out, send: null })).rejects.toThrow(/no such run/);
  });

  it("losses of a run show the model in physical units too", async () => {
    const { panels } = await nb.losses(run);
    const model = panels.find(({ y }) => y.unit === "hPa")?.marks.find((mark) => mark.kind === "points");
    expect(model).toMatchObject({ x: [6, 12] });
  });

  it("names what is wrong with a run", async () => {
    await expect(nb.watch("note9999", { out })).rejects.toThrow(/no such run/);
    await expect(nb.prediction("note0003", { out, epoch: 77 })).rejects.toThrow();
    await expect(nb.losses("no run", { out })).rejects.toThrow(/not a run/);
  });
});

describe("what a run leaves", () => {
  it("shows predictions, members and scores in physical units", async () => {
    const { target, prediction, members, spread } = await nb.readPrediction(run);
    const hidden = Array.from(target.values.keys()).filter((i) => !Number.isNaN(target.values[i]));
    expect(hidden.length).toBeGreaterThan(0);
    expect(members).toHaveLength(2);
    for (const i of hidden) {
      expect(target.values[i]).toBeGreaterThan(900);
      expect(prediction.values[i]).toBeCloseTo((members[0].values[i] + members[1].values[i]) / 2, 2);
      const difference = members[0].values[i] - members[1].values[i];
      expect(spread!.values[i]).toBeCloseTo(Math.abs(difference) / Math.SQRT2, 6);
    }
    for (const shown of [nb.prediction(run), nb.members(run), nb.spreadSkill(run), nb.ranks(run), nb.parameters(run)]) {
      expect(Object.keys(await (await shown)[DISPLAY]())).toContain("image/svg+xml");
    }
  });

  it("lists files with hashes", async () => {
    const { rows } = await nb.files(run);
    expect(rows.map(([file]) => file)).toContain("results/idnote0001/metrics.jsonl");
    const timed = rows.filter(([, , hash]) => !/^[0-9a-f]{32}$/.test(String(hash)));
    expect(timed).toEqual(
      ["console.log", "metrics.jsonl"].map((name) => [`results/idnote0001/${name}`, "", "holds times of day"]),
    );
  });
});

describe("live figures", () => {
  const figure = trainingFigure({ runId: "x", rows: [] });

  it("draw at most one frame a second", async () => {
    let time = 0;
    const { frames, send } = recorder();
    const live = new LiveFigure({ send, now: () => time });
    for (time = 0; time < 3000; time += 100) await live.frame(figure);
    expect(frames).toHaveLength(3);
  });

  it("leave a frame's picture out rather than send more than 100 kB", async () => {
    const { frames, send } = recorder();
    const live = new LiveFigure({ send, now: clock() });
    const x = Array.from({ length: 20_000 }, (_, i) => i / 20_000);
    const marks: Line[] = [{ kind: "line", color: "#000000", x, y: x.map((v) => Math.sin(1e5 * v) / 2 + 0.5) }];
    await live.frame({ ...figure, panels: [{ ...figure.panels[0], marks }] });
    expect(frames).toHaveLength(1);
    expect(frames[0].data).not.toHaveProperty("text/html");
    expect(frames[0].data["text/plain"]).toContain("Run x");
    expect(JSON.stringify(frames[0].data).length).toBeLessThan(100_000);
  });

  it("escape what a run calls itself and how it fared", async () => {
    const named = trainingFigure({ runId: "<b>id</b>", rows: [], status: '<img src="x">' });
    const { "image/svg+xml": svg, "application/vnd.plotly.v1+json": json } = await nb.figureBundle(named);
    expect(svg).not.toMatch(/<img|<b>id/);
    expect(JSON.stringify(json)).not.toMatch(/<img|<b>id/);
    expect(JSON.stringify(json)).not.toMatch(/widget/);
    expect(await inlineFigure(named, { id: "x" })).not.toMatch(/<img|<b>id/);
  });

  it("take the page's colours and width, and keep a choice of axes over frames", async () => {
    const rows = [1, 2, 3].map((step) => ({ epoch: 0, step, samples: step, time: "", "training loss": 1 / step }));
    const html = await inlineFigure(trainingFigure({ runId: "x", rows }), { id: "x" });
    expect(html).toContain("color: var(--jp-content-font-color1");
    expect(html).toContain("grid-template-columns: repeat(auto-fit");
    expect(html).not.toMatch(/fill="(white|black|#000|#222)"/);
    expect(html).toMatch(/<div class="linear">.*<\/div><div class="log other">/s);
    expect(html).toContain('value="log"> logarithmic</label>');
  });

  it("do nothing without a notebook", async () => {
    const live = new LiveFigure({ send: null });
    expect(live.due).toBe(false);
    await live.frame(figure);
    await live.finish(figure);
  });

  it("stay small however long the run", () => {
    const rows = Array.from({ length: 20_000 }, (_, i) => ({
      epoch: 0,
      step: i + 1,
      samples: i,
      time: "",
      "training loss": 1 / (i + 1),
    }));
    const long = trainingFigure({ runId: "x", rows });
    expect((long.panels[0].marks[0] as Line).x.length).toBeLessThanOrEqual(300);
    expect(long.caption).toContain("means over 67 steps");
  });
});
