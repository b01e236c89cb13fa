/** The page of a real tiny run, of its continuation, of two runs, and of runs that were killed before they wrote anything but a configuration. */
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { compareReport, runReport, train } from "../../../src/api/runs.js";
import { evaluate } from "../../../src/evaluation/evaluate.js";
import * as nb from "../../../src/notebook/index.js";
import { reportName } from "../../../src/notebook/report/runReport.js";
import { runCli } from "../../support/inProcess.js";
import { temporaryFolder, tinyConfig } from "../../support/tinyRun.js";

const out = temporaryFolder();
let page = "";
let told = "";

beforeAll(async () => {
  for await (const event of train(tinyConfig(), { out, runId: "page0001" }))
    if (event.type === "finished") told = event.verdict as string;
  page = await runReport("page0001", out);
});

const headings = (html: string) => [...html.matchAll(/<h2[^>]*>([^<]*)<\/h2>/g)].map(([, title]) => title);
const section = (html: string, id: string) => html.split(`<section id="${id}"`)[1]?.split("</section>")[0] ?? "";
const words = (html: string) =>
  html
    .replace(/<[^>]*>/g, " ")
    .replace(/\s+/g, " ")
    .trim();

/** A run that has a configuration and nothing else, unless `files` says so. */
function bareRun(id: string, set: Record<string, unknown> = {}, files: Record<string, string> = {}): void {
  const dir = join(out, "results", `id${id}`);
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, `model_id${id}.json`), JSON.stringify({ ...tinyConfig(), ...set }));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(dir, name), text);
}

const HEADINGS = [
  "Verdict",
  "Scores",
  "Evaluations",
  "Scores of the result stores",
  "Losses",
  "Learning rate",
  "Samples",
  "Ensemble",
  "Spectra",
  "Masks",
  "Configuration",
  "Made by",
  "Log",
  "Files",
  "Train it again",
];

it("tells the verdict first, as the run told it, and everything else in its place", () => {
  expect(headings(page)).toEqual(HEADINGS);
  expect(words(section(page, "verdict"))).toContain(told.replaceAll("'", "&#39;"));
  expect(page).toContain("completed after 12 steps");
  expect(words(section(page, "scores"))).toMatch(/mean_sea_level_pressure hPa all \d+ [\d.]+/);
  expect(words(section(page, "losses"))).toContain("Dashed: the best baselines");
  expect(section(page, "samples").match(/<svg role="img"/g)).toHaveLength(4);
  expect(words(section(page, "ensemble"))).toMatch(/Rank histogram of 2 members.*Spread and error of 2 members/);
  expect(words(section(page, "spectra"))).toContain("Not here: ");
  for (const strategy of ["BERT", "forecast", "temporal interpolation"])
    expect(words(section(page, "masks"))).toContain(`${strategy}: mean sea level pressure`);
  expect(words(section(page, "configuration"))).toContain("closest to, storm");
  expect(words(section(page, "made-by"))).toMatch(/seeds torch_seed .* data .*SHA-256/);
  expect(page).toContain("AtmoRep_idpage0001.mod");
});

it("needs no other file and runs no script", () => {
  expect(page).not.toMatch(/<script|<link|<iframe|@import/i);
  const places = [...page.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, place]) => place);
  const elsewhere = places.filter((place) => !place.startsWith("data:") && !place.startsWith("#"));
  expect(elsewhere).toEqual([]);
  for (const place of places.filter((one) => /^#(?!f)/.test(one))) expect(page).toContain(`id="${place.slice(1)}"`);
});

it("names tables' headings and pictures for those who do not see them", () => {
  expect(page).not.toMatch(/<th>|<th (?!scope=)/);
  expect(page.match(/<svg (?!role="img" aria-label="[^"]+"|viewBox="0 0 24 12" aria-hidden)/g)).toBeNull();
});

it("reads the same with an earlier report beside the results", async () => {
  const path = join(out, "results", "idpage0001", reportName("page0001"));
  writeFileSync(path, page);
  // not toBe: a difference would print the whole page
  expect((await runReport("page0001", out)) === page).toBe(true);
  rmSync(path);
});

it("escapes what the configuration holds", async () => {
  bareRun("page0002", { wandb_name: "<script>alert(1)</script>" });
  const bare = await runReport("page0002", out);
  expect(bare).not.toContain("<script>");
  expect(bare).toContain("not started after 0 steps");
});

it("is whole for a run that has neither rows nor stores, and says what is not there", async () => {
  bareRun("page0005", { file_path: join(out, "nowhere.zarr") });
  const bare = await runReport("page0005", out);
  expect(headings(bare)).toEqual(HEADINGS);
  const missing: Record<string, string> = {
    verdict: "No verdict of training",
    scores: "Not here",
    evaluations: "None here: npx atmorep evaluate page0005",
    "scores-of-the-result-stores": "there are no result stores here",
    losses: "Not validated yet",
    "learning-rate": "no step was done",
    samples: "has no result stores",
    ensemble: "has no result stores",
    masks: "nowhere.zarr",
    "made-by": "an earlier version, which does not tell",
    log: "Not here",
  };
  for (const [id, text] of Object.entries(missing)) expect(bare.split(`<section id="${id}"`)[1], id).toContain(text);
});

it("leaves the data closed when asked to, and at an address unless asked to", async () => {
  const closed = await runReport("page0001", out, { data: false });
  expect(words(section(closed, "masks"))).toContain("the data were not read for this page");
  bareRun("page0006", { file_path: "https://example.invalid/store.zarr" });
  expect(words(section(await runReport("page0006", out), "masks"))).toContain("the data were not read for this page");
});

it("shows series of any name, as a damaged row of metrics may have it", async () => {
  const from = join(out, "results", "idpage0001");
  const rows = readFileSync(join(from, "metrics.jsonl"), "utf8");
  bareRun("page0003", {}, { "metrics.jsonl": rows.replaceAll('"gradient loss"', '"toString"') });
  expect(await runReport("page0003", out)).toMatch(/>toString ?</);
});

it("names scores that are none", async () => {
  bareRun("page0004");
  const dir = join(out, "results", "idpage0004");
  for (const scores of ["[null]", '{"a":{"all":{"all":{"global":{"points":1}}}}}']) {
    writeFileSync(join(dir, "scores.json"), scores);
    await expect(runReport("page0004", out)).rejects.toMatchObject({
      name: "AtmorepError",
      message: expect.stringMatching(/scores\.json: the scores cannot be read/),
    });
  }
});

it("is whole where what the run told of its scores is damaged", async () => {
  cpSync(join(out, "results", "idpage0001"), join(out, "results", "idpage0007"), { recursive: true });
  cpSync(
    join(out, "results", "idpage0001", "model_idpage0001.json"),
    join(out, "results", "idpage0007", "model_idpage0007.json"),
  );
  mkdirSync(join(out, ".atmorep", "idpage0007"), { recursive: true });
  writeFileSync(join(out, ".atmorep", "idpage0007", "skill.json"), '{"format":1,"baselines":[1]}');
  expect(headings(await runReport("page0007", out, { data: false }))).toEqual(HEADINGS);
});

describe("with an evaluation and a continuation", () => {
  beforeAll(async () => {
    await evaluate({ run: "page0001", out, runId: "pageeva1", mode: "forecast" });
    const config = { ...tinyConfig(), num_epochs: 3 };
    for await (const _ of train(config, { out, runId: "page0008", continue: "page0001" }));
  });

  it("has the evaluation's verdict and scores on the run's page, and a page of its own", async () => {
    const own = await runReport("pageeva1", out);
    const { _about: about } = JSON.parse(readFileSync(join(out, "results", "idpageeva1", "scores.json"), "utf8"));
    expect(words(section(own, "verdict"))).toContain(about.verdict);
    expect(headings(own)).toEqual([
      "Verdict",
      "Scores",
      "Calibration",
      "Spectra",
      "Samples",
      "Ensemble of the stores",
      "Masks",
      "Configuration",
      "Made by",
    ]);
    expect(words(section(own, "scores"))).toMatch(/by lead time.*by region/);
    const again = await runReport("page0001", out, { data: false });
    expect(words(section(again, "verdict"))).toContain("Evaluation pageeva1, mode forecast");
    expect(words(section(again, "evaluations"))).toContain("Scores of run page0001, forecast");
  });

  it("has the history of a continued run, with what its parent told", async () => {
    const continued = await runReport("page0008", out, { against: "page0001" });
    expect(continued).toContain("completed after 18 steps");
    expect(words(section(continued, "made-by"))).toContain("parent run page0001 at step 12");
    expect(words(section(continued, "configuration"))).toMatch(/num_epochs 3 2/);
    // a point of each validation, in physical units: two of the parent's, one of its own
    const physical = /validation[^<]*: RMSE \(hPa\) over optimiser step".*?<\/svg>/s.exec(
      section(continued, "losses"),
    )?.[0];
    expect(physical?.match(/A2\.5/g)?.length).toBeGreaterThanOrEqual(3);
  });

  it("compares runs on a page, on the command line too", async () => {
    const file = join(out, "compared.html");
    expect(await runCli("runs", "compare", "page0001", "page0008", "--out", out, "--report", file)).toMatchObject({
      code: 0,
    });
    const compared = readFileSync(file, "utf8");
    expect(compared === (await compareReport(["page0001", "page0008"], out))).toBe(true);
    expect(headings(compared)).toEqual([
      "Verdicts",
      "Score card",
      "How they went",
      "Validation losses",
      "Configurations",
      "Made by",
    ]);
    expect(words(section(compared, "score-card"))).toContain("there is no evaluation of this run");
    expect(words(section(compared, "configurations"))).toMatch(/num_epochs 2 3/);
  });

  it("is written by notebooks, and after a training that is asked to", async () => {
    const file = join(out, "notebook.html");
    const written = await nb.report("page0001", { out, file, data: false });
    expect(written).toMatchObject({ id: "page0001", bytes: Buffer.byteLength(readFileSync(file)) });
    const after = join(out, "after.html");
    const run = await nb.train({ ...tinyConfig(), num_epochs: 1 }, { out, report: after });
    expect(readFileSync(after, "utf8")).toContain(`AtmoRep run ${run.runId}`);
  });
});

it("says where there is no such run, and refuses samples that are none", async () => {
  await expect(runReport("zzzzzzzz", out)).rejects.toThrow(/there is no such run/);
  expect(await runCli("runs", "report", "page0001", "--out", out, "--samples", "a")).toMatchObject({ code: 2 });
});
