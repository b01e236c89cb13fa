/** An evaluation in parts by processes that know nothing of each other. */
import { appendFileSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { evaluate, evaluatePart, finaliseEvaluation } from "../../src/evaluation/evaluate.js";
import { atmorep } from "../support/cli.js";
import { filesOf } from "../support/filesOf.js";
import { runAll, temporaryFolder, tinyConfig } from "../support/tinyRun.js";

const out = temporaryFolder();
const RUN = "tinyrun1";

beforeAll(async () => {
  const config = tinyConfig({ num_epochs: 1, num_samples_validate: 14, attention: true });
  await runAll(config, { out, runId: RUN });
}, 120_000);

afterAll(() => rmSync(out, { recursive: true, force: true }));

/** Files of an evaluation, as if its id were `ID`. */
const evaluated = (id: string): Record<string, string> =>
  Object.fromEntries(
    Object.entries(filesOf(join(out, "results", `id${id}`))).map((named) =>
      named.map((text) => text.replaceAll(id, "ID")),
    ),
  );

const unfinished = (id: string) => join(out, "results", `id${id}.unfinished`);
const batches = (id: string) => readdirSync(unfinished(id)).filter((name) => name.startsWith("batch"));

describe("an evaluation in parts", () => {
  it.each(["run", "batch"])("gives the files of one process, masks by %s", async (streams) => {
    const set = [`mask_streams=${streams}`];
    const [one, many] = [`onewhole`, `inparts${streams === "run" ? 1 : 2}`];
    await evaluate({ run: RUN, out, set, runId: one });
    const of = 3;
    for (const number of [3, 1, 2]) {
      const { done, total } = await evaluatePart({ run: RUN, out, set, runId: many }, { number, of });
      expect(done).toBe(total);
    }
    expect(batches(many)).toHaveLength(7);
    const finished = await finaliseEvaluation({ runId: many, out });
    expect(finished.files.every(existsSync)).toBe(true);
    expect(evaluated(many)).toEqual(evaluated(one));
    expect(existsSync(unfinished(many))).toBe(false);
    rmSync(join(out, "results", `id${one}`), { recursive: true });
  });

  it("goes on with what an interrupted part has left, and mends what is damaged", async () => {
    const request = { run: RUN, out, runId: "cutparts" };
    const controller = new AbortController();
    const onProgress = () => controller.abort();
    const cut = await evaluatePart({ ...request, signal: controller.signal, onProgress }, { number: 1, of: 2 });
    expect(cut).toMatchObject({ done: 1, total: 3 });
    await expect(finaliseEvaluation(request)).rejects.toThrow(
      /not all parts.*1\/2 lacks 2, 2\/2 lacks 4 of 7 batches/s,
    );
    const progress: number[] = [];
    await evaluatePart({ ...request, onProgress: (done) => progress.push(done) }, { number: 1, of: 2 });
    expect(progress).toEqual([2, 3]);
    await evaluatePart(request, { number: 2, of: 2 });
    const damaged = join(unfinished("cutparts"), "batch-000004.bin");
    appendFileSync(damaged, "x");
    await expect(finaliseEvaluation(request)).rejects.toThrow(/2\/2 lacks 1 of 7/);
    expect(existsSync(join(out, "results", "idcutparts"))).toBe(false);
    await evaluatePart(request, { number: 2, of: 2 });
    await finaliseEvaluation(request);
    await evaluate({ run: RUN, out, runId: "onewhole" });
    expect(evaluated("cutparts")).toEqual(evaluated("onewhole"));
  });

  it("refuses parts of something else", async () => {
    const request = { run: RUN, out, runId: "mixparts" };
    await expect(finaliseEvaluation(request)).rejects.toThrow(/no part of this evaluation has been begun/);
    await evaluatePart(request, { number: 1, of: 2 });
    await expect(evaluatePart({ ...request, mode: "forecast" }, { number: 2, of: 2 })).rejects.toThrow(
      /mode, in .*something else than the part that came first/,
    );
    await expect(evaluatePart(request, { number: 2, of: 3 })).rejects.toThrow(/parts, in/);
    await expect(
      evaluatePart(
        {
          ...request,
          mode: "forecast",
          set: ["forecast_num_tokens=1", "num_samples_validate=2"],
          rollout: 2,
          runId: "rolparts",
        },
        { number: 1, of: 2 },
      ),
    ).rejects.toThrow(/a roll-out works in one process.*part 1 of 2/);
    const facts = join(unfinished("mixparts"), "facts.json");
    const own = JSON.parse(readFileSync(facts, "utf8"));
    writeFileSync(facts, JSON.stringify({ ...own, weights: "others" }));
    await expect(evaluatePart(request, { number: 2, of: 2 })).rejects.toThrow(/^weights: .*not those of the part/);
    writeFileSync(join(unfinished("mixparts"), "request.json"), "{}");
    await expect(evaluatePart(request, { number: 2, of: 2 })).rejects.toThrow(/what was begun is damaged/);
  });

  it("serves from the command line", async () => {
    const args = ["evaluate", RUN, "--out", out, "--engine", "wasm"];
    const missing = await atmorep([...args, "--part", "1/2"]);
    expect(missing.code).toBe(2);
    expect(missing.stderr).toContain("Give all parts the same --run-id");
    const page = await atmorep([...args, "--run-id", "cliparts", "--part", "1/2", "--report", join(out, "page.html")]);
    expect(page.code).toBe(2);
    expect(page.stderr).toContain("a part has no scores to make a page of");
    const both = await Promise.all(
      [1, 2].map((part) => atmorep([...args, "--run-id", "cliparts", "--part", `${part}/2`])),
    );
    for (const [i, { code, stdout, stderr }] of both.entries()) {
      expect(code, stderr).toBe(0);
      expect(stdout).toContain(`part ${i + 1} of 2 is done, in ${unfinished("cliparts")}; when all are: npx atmorep`);
    }
    const beside = await atmorep(["evaluate", RUN, "--finalise", "cliparts", "--mode", "BERT"]);
    expect(beside.code).toBe(2);
    expect(beside.stderr).toContain(`found ${RUN}, --mode`);
    const end = await atmorep(["evaluate", "--finalise", "cliparts", "--out", out]);
    expect(end.code, end.stderr).toBe(0);
    expect(end.stdout).toMatch(/^run tinyrun1@latest, BERT, 14 samples$/m);
    expect(Object.keys(evaluated("cliparts"))).toEqual(Object.keys(evaluated("onewhole")));
  });
});
