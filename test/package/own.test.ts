/** Losses, strategies and metrics of one's own through the built package: by a program, and by modules named to Node. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { LAUNCHER, ROOT, runProgram } from "../support/cli.js";
import { tinyConfig } from "../support/tinyRun.js";

// inside the checkout, so that "atmorep" names the built package
const dir = mkdtempSync(join(ROOT, "test", "package", ".own-"));
const out = mkdtempSync(join(tmpdir(), "atmorep-own-"));
afterAll(() => {
  for (const folder of [dir, out]) rmSync(folder, { recursive: true, force: true });
});

const OWN = `
import { losses, masking, scores } from "atmorep";
losses.register("mae", {
  doc: "mean absolute error of the mean",
  fn: ({ target, mean, valid }, { tf, weightedMean }) => weightedMean(tf.abs(tf.sub(mean, target)), valid ?? null),
});
masking.register("first_time", {
  doc: "the first time token at every place",
  choose: (field, B) => masking.sameInEverySample(masking.tokensAtTimes(field, [0]), field.N, B),
  askedShare: (field) => 1 / field.numTokens[0],
});
scores.register("hit_rate", { doc: "share within 500 Pa", unitless: true, fn: ({ error }) => (Math.abs(error) < 5 ? 1 : 0) });
`;

const config = () =>
  tinyConfig({
    losses: ["mae", "kernel_crps"],
    BERT_strategy: "first_time",
    metrics: ["hit_rate"],
    num_epochs: 1,
    log_test_num_ranks: 1,
  });

const file = (name: string, text: string): string => {
  const path = join(dir, name);
  writeFileSync(path, text);
  return path;
};

const run = async (args: readonly string[], cwd = ROOT) => {
  const { code, stdout, stderr } = await runProgram(process.execPath, args, cwd);
  expect(code, stderr).toBe(0);
  return stdout;
};

const PROGRAM = `
import * as atmorep from "atmorep";
import * as nb from "atmorep/notebook";
await import("./own.mjs");
const [config, out] = [JSON.parse(process.argv[2]), process.argv[3]];
const told = { faults: atmorep.validateConfig(config), names: Object.keys(atmorep.losses.names()), docs: atmorep.configDocs() };
let trained;
for await (const event of atmorep.train(config, { out, runId: "owntest1" })) trained = event;
const { metrics: rows } = await atmorep.readRun("owntest1", out);
const panels = nb.views.trainingFigure({ runId: "owntest1", rows }).panels;
// the same names again, as a cell that runs twice
await import("./own.mjs?again");
const evaluation = await atmorep.evaluate({ runId: "owntest1", out }, { set: { num_samples_validate: 2 } });
const stores = await atmorep.scoreResults(evaluation.resultsDir);
console.log(JSON.stringify({
  ...told, rows, type: trained.type,
  panels: panels.map(({ title, marks }) => [title, marks.flatMap(({ name }) => name ?? [])]),
  mode: evaluation.mode, leaf: evaluation.scores.mean_sea_level_pressure.all.all.global,
  again: stores.scores.mean_sea_level_pressure.all.all.global.rmse.value,
}));
process.exit(0);
`;

describe("a program", () => {
  it("registers, trains, evaluates, and finds its names in logs, plots, scores and config docs", async () => {
    file("own.mjs", OWN);
    const told = JSON.parse(await run([file("program.mjs", PROGRAM), JSON.stringify(config()), out]));
    expect(told.faults).toEqual([]);
    expect(told.names).toContain("mae");
    expect(told.docs).toContain("| `mae` | 1 | mean absolute error of the mean |");
    expect(told.docs).toContain("`first_time`");
    expect(told.docs).toContain("`hit_rate` (share within 500 Pa)");
    expect(told.type).toBe("finished");
    const logged = (name: string) => told.rows.map((row: Record<string, unknown>) => row[name]).filter(Number.isFinite);
    expect(logged("mae, mean_sea_level_pressure").length).toBeGreaterThan(1);
    const [rate] = logged("val. hit_rate, mean_sea_level_pressure");
    expect(rate).toBeGreaterThanOrEqual(0);
    expect(rate).toBeLessThanOrEqual(1);
    expect(told.panels).toContainEqual([
      "training, mean sea level pressure",
      ["mae", "kernel_crps", "spread of the members"],
    ]);
    expect(told.panels).toContainEqual(["validation, hit rate", ["mean sea level pressure"]]);
    expect(told.mode).toBe("first_time");
    // one independent block: no interval
    expect(told.leaf.hit_rate).toMatchObject({ value: expect.any(Number), low: null, blocks: 1, unit: "" });
    expect(told.again / told.leaf.rmse.value).toBeCloseTo(1, 3);
  }, 180_000);

  it("type-checks as written", async () => {
    const source = `${OWN}export const done = true;\n`;
    const path = file("own.ts", source);
    const compiler = join(ROOT, "node_modules", "typescript", "bin", "tsc");
    const flags = ["--noEmit", "--strict", "--module", "nodenext", "--target", "es2023", "--skipLibCheck"];
    expect(await run([compiler, ...flags, path])).toBe("");
  });
});

describe("the command line", () => {
  it("knows what a module registers that Node imports first", async () => {
    const own = file("own.mjs", OWN);
    const tiny = file("tiny.json", JSON.stringify(config()));
    const docs = await run(["--import", own, LAUNCHER, "config", "docs"]);
    expect(docs).toContain("`hit_rate` (share within 500 Pa)");
    await run(["--import", own, LAUNCHER, "train", tiny, "--out", out, "--run-id", "owntest2", "--max-steps", "2"]);
    expect(readFileSync(join(out, "results", "idowntest2", "metrics.jsonl"), "utf8")).toContain("val. hit_rate, ");
    const { code, stderr } = await runProgram(process.execPath, [LAUNCHER, "config", "validate", tiny], ROOT);
    expect(code).toBe(2);
    for (const name of ["mae", "first_time", "hit_rate"]) expect(stderr).toContain(name);
  }, 180_000);
});
