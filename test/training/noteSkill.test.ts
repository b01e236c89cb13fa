/** What a run tells of its scores stands beside it, word for word, and follows a continuation in place. */
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { runFolder } from "../../src/runs/folder.js";
import { readSkill, skillPath } from "../../src/runs/skill.js";
import { runAll, temporaryFolder, tinyConfig } from "../support/tinyRun.js";

const out = temporaryFolder();
const folder = runFolder(out, "skill001");

it("keeps the baselines, each validation and the end, outside of results/ and models/", async () => {
  const { events, finished } = await runAll(tinyConfig(), { out, runId: "skill001" });
  const told = await readSkill(folder);
  const started = events.find((event) => event.type === "started");
  expect(told?.baselines).toEqual(started?.baselines);
  const validated = events.filter((event) => event.type === "validated");
  expect(told?.validations).toEqual(
    validated.map(({ epoch, step, skill, verdict }) => ({ epoch, step, skill, verdict })),
  );
  expect(validated.length).toBeGreaterThan(1);
  expect(told?.end).toMatchObject({ step: 12, verdict: finished.verdict, toldOn: "validation" });
  expect(readdirSync(folder.resultsDir)).not.toContain("skill.json");
  const { finished: later } = await runAll(
    { ...tinyConfig(), num_epochs: 3 },
    { out, continue: "skill001", inPlace: true },
  );
  const continued = await readSkill(folder);
  expect(continued?.validations.map(({ step }) => step)).toEqual([...validated.map(({ step }) => step), 18]);
  expect(continued?.end).toMatchObject({ step: 18, verdict: later.verdict });
});

it("says where the file is damaged, and that a run of an earlier version tells nothing", async () => {
  expect(await readSkill(runFolder(out, "skill002"))).toBeNull();
  for (const text of ["{", "[]", '{"format":1}', '{"format":1,"baselines":[],"validations":[{}],"end":null}']) {
    writeFileSync(skillPath(folder), text);
    await expect(readSkill(folder)).rejects.toThrow(/skill\.json.*cannot be read/);
  }
  expect(join(out, ".atmorep", "idskill001", "skill.json")).toBe(skillPath(folder));
});
