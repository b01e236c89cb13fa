/** The page of a real tiny run, and of a run that was killed before it wrote anything but its configuration. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, it } from "vitest";
import { runReport, train } from "../../../src/api/runs.js";
import { reportName } from "../../../src/notebook/report/runReport.js";
import { temporaryFolder, tinyConfig } from "../../support/tinyRun.js";

const out = temporaryFolder();
let page = "";

beforeAll(async () => {
  for await (const _ of train(tinyConfig(), { out, runId: "page0001" }));
  page = await runReport("page0001", out);
});

const headings = (html: string) => [...html.matchAll(/<h2>([^<]*)<\/h2>/g)].map(([, title]) => title);

it("shows curves, validations, maps, configuration, log, files and how to repeat it", () => {
  expect(headings(page).map((title) => title.split(",")[0])).toEqual([
    "Losses",
    "Validation",
    "One validation sample",
    "Learning rate",
    "Configuration",
    "Log",
    "Files",
    "Train it again",
  ]);
  expect(page.match(/<svg /g)).toHaveLength(3);
  expect(page).toContain("completed after 12 steps");
  expect(page).toContain("AtmoRep_idpage0001.mod");
});

it("needs no other file and runs no script", () => {
  expect(page).not.toMatch(/<script|<link|<iframe|@import/i);
  const places = [...page.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, place]) => place);
  expect(places.filter((place) => !place.startsWith("data:"))).toEqual([]);
});

it("reads the same with an earlier report beside the results", async () => {
  const path = join(out, "results", "idpage0001", reportName("page0001"));
  writeFileSync(path, page);
  // not toBe: a difference would print the whole page
  expect((await runReport("page0001", out)) === page).toBe(true);
  rmSync(path);
});

it("escapes what the configuration holds", async () => {
  const dir = join(out, "results", "idpage0002");
  mkdirSync(dir, { recursive: true });
  const config = { ...tinyConfig(), wandb_name: "<script>alert(1)</script>" };
  writeFileSync(join(dir, "model_idpage0002.json"), JSON.stringify(config));
  const bare = await runReport("page0002", out);
  expect(bare).not.toContain("<script>");
  expect(bare).toContain("not started after 0 steps");
  expect(headings(bare)).not.toContain("One validation sample");
});

it("shows series of any name, as a damaged row of metrics may have it", async () => {
  const dir = join(out, "results", "idpage0003");
  mkdirSync(dir, { recursive: true });
  const from = join(out, "results", "idpage0001");
  writeFileSync(join(dir, "model_idpage0003.json"), readFileSync(join(from, "model_idpage0001.json")));
  const rows = readFileSync(join(from, "metrics.jsonl"), "utf8");
  writeFileSync(join(dir, "metrics.jsonl"), rows.replaceAll('"gradient loss"', '"toString"'));
  expect(await runReport("page0003", out)).toMatch(/>toString ?</);
});

it("names scores that are none", async () => {
  const dir = join(out, "results", "idpage0004");
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, "model_idpage0004.json"), JSON.stringify(tinyConfig()));
  for (const scores of ["[null]", '{"a":{"all":{"all":{"global":{"points":1}}}}}']) {
    writeFileSync(join(dir, "scores.json"), scores);
    await expect(runReport("page0004", out)).rejects.toMatchObject({
      name: "AtmorepError",
      message: expect.stringMatching(/scores\.json: the scores cannot be shown/),
    });
  }
});

it("says where there is no such run", async () => {
  await expect(runReport("zzzzzzzz", out)).rejects.toThrow(/there is no such run/);
  expect(readFileSync(join(out, "results", "idpage0001", "end.json"), "utf8")).toContain("completed");
});
