/** What a bare date at the end of a period means for a new run, a run of an older version, and its continuation. */
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { locateConfig } from "../../src/config/locate.js";
import { resolveConfig } from "../../src/config/resolve.js";
import type { RunConfig } from "../../src/config/types.js";
import { runAll, temporaryFolder, tinyConfig } from "../support/tinyRun.js";

const out = temporaryFolder();
afterAll(() => rmSync(out, { recursive: true, force: true }));

const BARE = { dates_train: [["1996-01-05", "1996-01-14"]], dates_val: [["1996-01-16", "1996-01-20"]] };
const written = (id: string): RunConfig => JSON.parse(readFileSync(locateConfig(id, out), "utf8"));

it("a run stores full times, its last hour for a bare end, also of a configuration made by hand", async () => {
  const config = { ...tinyConfig(), ...(BARE as Partial<RunConfig>) };
  await runAll(config, { out, runId: "handmade", maxSteps: 1 });
  expect(written("handmade")).toMatchObject({
    dates_train: [["1996-01-05T00:00", "1996-01-14T23:00"]],
    dates_val: [["1996-01-16T00:00", "1996-01-20T23:00"]],
  });
  expect(config.dates_train).toEqual(BARE.dates_train);
});

it("a run of an older version ends at the first hour, and so does its continuation", async () => {
  await runAll(tinyConfig(), { out, runId: "oldrun01", maxSteps: 1 });
  const folders = ["models", "results"].map((home) => join(out, home, "idoldrun01", "model_idoldrun01.json"));
  for (const path of folders) writeFileSync(path, JSON.stringify({ ...written("oldrun01"), ...BARE }));
  const first = {
    dates_train: [["1996-01-05T00:00", "1996-01-14T00:00"]],
    dates_val: [["1996-01-16T00:00", "1996-01-20T00:00"]],
  };
  const { config } = resolveConfig({ file: locateConfig("oldrun01", out) });
  expect(config).toMatchObject(first);
  await runAll(config, { out, runId: "newrun01", continue: "oldrun01", maxSteps: 2 });
  expect(written("newrun01")).toMatchObject(first);
});
