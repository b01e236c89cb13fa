import { mkdirSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { compareRuns } from "../../src/runs/compare.js";
import { listRuns, readRun } from "../../src/runs/list.js";
import { tempDir } from "../support/tempDir.js";

const CONFIG = {
  BERT_strategy: "forecast",
  fields: [["velocity_u", [1, 32, [], 0], [500], [4, 3, 3], [3, 6, 6], [0.5, 0.9, 0.2, 0.05]]],
  num_epochs: 2,
  lr_max: 0.001,
  wandb_id: "x",
};

function writeRun(out: string, id: string, rows: object[], config: object = CONFIG, ageSeconds = 3600): void {
  const dir = join(out, "results", `id${id}`);
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, `model_id${id}.json`), JSON.stringify(config));
  writeFileSync(join(dir, "metrics.jsonl"), rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
  const then = new Date(Date.now() - ageSeconds * 1000);
  utimesSync(join(dir, "metrics.jsonl"), then, then);
}

const row = (epoch: number, step: number, series: object, minute = step) => ({
  epoch,
  step,
  samples: step * 4,
  time: `2026-01-01T00:${String(minute).padStart(2, "0")}:00.000Z`,
  ...series,
});

const ROWS = [
  row(0, 1, { "training loss": 2 }),
  row(0, 1, { "val. loss forecast": 1.5, "val., forecast, velocity_u": 1.5 }),
  row(1, 2, { "training loss": 1 }),
  row(1, 2, { "val. loss forecast": 1.75, "val., forecast, velocity_u": 1.75 }),
];

it("lists runs by age with their last and best loss and what became of them", async () => {
  const out = tempDir();
  writeRun(out, "bbbbbbbb", ROWS);
  writeRun(
    out,
    "aaaaaaaa",
    ROWS.slice(0, 3).map((r) => ({ ...r, time: "2026-02-01T00:00:00.000Z" })),
  );
  writeRun(out, "cccccccc", [row(0, 1, { "training loss": 2 }, 59)], CONFIG, 1);
  mkdirSync(join(out, "results", "idnoconfig"));
  expect(await listRuns(out)).toEqual([
    {
      id: "bbbbbbbb",
      date: "2026-01-01T00:01:00.000Z",
      strategy: "forecast",
      fields: ["velocity_u"],
      steps: 2,
      validationLoss: 1.75,
      bestValidationLoss: 1.5,
      status: "completed",
      metricsFault: null,
    },
    expect.objectContaining({ id: "cccccccc", status: "running", validationLoss: null }),
    expect.objectContaining({ id: "aaaaaaaa", status: "unfinished", steps: 2, validationLoss: 1.5 }),
  ]);
});

it("believes what a run says of its end, whatever its metrics look like", async () => {
  const out = tempDir();
  const statuses: string[] = [];
  for (const reason of ["completed", "max-steps", "max-time", "interrupted", "failed", "unheard of"]) {
    writeRun(out, "aaaaaaaa", ROWS.slice(0, 3));
    writeFileSync(join(out, "results", "idaaaaaaaa", "end.json"), JSON.stringify({ reason, epoch: 1, step: 2 }));
    statuses.push((await readRun(out, "aaaaaaaa")).status);
  }
  expect(statuses).toEqual(["completed", "stopped", "stopped", "interrupted", "failed", "unfinished"]);
});

it("lists nothing where there is nothing", async () => {
  expect(await listRuns(tempDir())).toEqual([]);
});

it("leaves out a partial last line of the metrics", async () => {
  const out = tempDir();
  writeRun(out, "aaaaaaaa", ROWS);
  writeFileSync(
    join(out, "results", "idaaaaaaaa", "metrics.jsonl"),
    '{"step":1,"epoch":0,"time":"2026"}\n{"step":2,"ep',
  );
  expect((await readRun(out, "aaaaaaaa")).steps).toBe(1);
});

it("refuses an unknown id and a name that is none", async () => {
  const out = tempDir();
  await expect(readRun(out, "aaaaaaaa")).rejects.toMatchObject({ code: "usage" });
  await expect(readRun(out, "../etc")).rejects.toMatchObject({ code: "usage" });
});

it("compares curves and names the keys that differ, absent ones included", async () => {
  const out = tempDir();
  writeRun(out, "aaaaaaaa", ROWS);
  const other = structuredClone({ ...CONFIG, lr_max: 0.002, extra: [1, 2], wandb_id: "y" });
  (other.fields[0] as unknown[])[3] = [6, 3, 3];
  writeRun(out, "bbbbbbbb", ROWS.slice(0, 2), other);
  const comparison = await compareRuns(out, ["aaaaaaaa", "bbbbbbbb"]);
  expect(comparison.differences).toEqual([
    {
      path: "fields[0][3][0]",
      values: [4, 6],
    },
    { path: "lr_max", values: [0.001, 0.002] },
    { path: "extra", values: [undefined, [1, 2]] },
  ]);
  expect(comparison.curves.map((curve) => curve.map(({ loss }) => loss))).toEqual([[1.5, 1.75], [1.5]]);
  await expect(compareRuns(out, ["aaaaaaaa"])).rejects.toMatchObject({ code: "usage" });
});

it("knows an evaluation by its scores: it trains nothing", async () => {
  const out = tempDir();
  writeRun(out, "eeeeeeee", []);
  expect((await readRun(out, "eeeeeeee")).status).toBe("not started");
  writeFileSync(join(out, "results", "ideeeeeeee", "scores.json"), "{}\n");
  expect((await readRun(out, "eeeeeeee")).status).toBe("evaluated");
});
