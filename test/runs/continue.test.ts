import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parseFields, predictedFields } from "../../src/config/fields.js";
import { readContinuation } from "../../src/runs/continue.js";
import { readEndMark } from "../../src/runs/endMark.js";
import { runFolder } from "../../src/runs/folder.js";
import { readMetrics } from "../../src/runs/metrics.js";
import { startFolder } from "../../src/runs/start.js";
import { readWeights, weightPath } from "../../src/runs/weightFiles.js";
import { train } from "../../src/training/train.js";
import { stateOf } from "../support/runState.js";
import { runAll, temporaryFolder, tinyConfig } from "../support/tinyRun.js";

describe("continuing a run", () => {
  // 3: within an epoch; 6: at its end; 8: where a checkpoint was due as well
  it.each([
    [1, "run"],
    [3, "batch"],
    [6, "batch"],
    [8, "run"],
  ])(
    "stopped after step %i, mask streams by %s, and continued equals the unbroken run",
    async (steps, mask_streams) => {
      const out = temporaryFolder();
      const config = tinyConfig({ mask_streams });
      await runAll(config, { out, runId: "unbroken", maxSteps: 11 });
      await runAll(config, { out, runId: "part0001", maxSteps: steps });
      const { finished } = await runAll(config, { out, runId: "part0002", continue: "part0001", maxSteps: 11 });
      expect(finished.step).toBe(11);
      expect(await stateOf(out, "part0002")).toEqual(await stateOf(out, "unbroken"));
    },
  );

  it("from the best of a run that ended within an epoch, the validation that ended it leaves no trace", async () => {
    const out = temporaryFolder();
    const config = tinyConfig();
    await runAll(config, { out, runId: "unbroken" });
    await runAll(config, { out, runId: "part0001", maxSteps: 3 });
    expect((await readMetrics(runFolder(out, "part0001").metrics)).length).toBe(4);
    await runAll(config, { out, runId: "part0002", continue: "part0001@best" });
    expect(await stateOf(out, "part0002")).toEqual(await stateOf(out, "unbroken"));
    await runAll(config, { out, continue: "part0001@best", inPlace: true });
    expect(await stateOf(out, "part0001")).toEqual(await stateOf(out, "unbroken"));
  });

  it("goes on with the mask streams that it began with", async () => {
    const out = temporaryFolder();
    await runAll(tinyConfig({ mask_streams: "run" }), { out, runId: "part0001", maxSteps: 2 });
    const other = runAll(tinyConfig({ mask_streams: "batch" }), { out, runId: "part0002", continue: "part0001" });
    await expect(other).rejects.toThrow(/mask_streams.*found run.*--set mask_streams=run/s);
    expect(existsSync(join(out, "results", "idpart0002"))).toBe(false);
  });

  it("keeps the numbered weights of as many epochs as keep_epochs says, and their digests", async () => {
    const out = temporaryFolder();
    await runAll(tinyConfig({ keep_epochs: 1 }), { out, runId: "keeps001" });
    const { modelsDir } = runFolder(out, "keeps001");
    const numbered = (names: string[]) => [...new Set(names.map((name) => /_epoch\d+/.exec(name)?.[0] ?? ""))].sort();
    expect(numbered(readdirSync(modelsDir))).toEqual(["", "_epoch1"]);
    const { files } = JSON.parse(readFileSync(join(modelsDir, "digests.json"), "utf8"));
    expect(numbered(Object.keys(files))).toEqual(["", "_epoch1"]);
    await readWeights(weightPath(modelsDir, "keeps001", 1));
  });

  it("carries the averaged weights, clipping and accumulation on", async () => {
    const out = temporaryFolder();
    const config = tinyConfig({ ema_decay: 0.9, grad_clip: 0.5, grad_accumulation: 2 });
    await runAll(config, { out, runId: "unbroken" });
    await runAll(config, { out, runId: "part0001", maxSteps: 2 });
    await runAll(config, { out, runId: "part0002", continue: "part0001" });
    expect(await stateOf(out, "part0002")).toEqual(await stateOf(out, "unbroken"));
  });

  it("continues in place: rows and numbered files after the checkpoint go", async () => {
    const out = temporaryFolder();
    const config = tinyConfig();
    await runAll(config, { out, runId: "unbroken" });
    await runAll(config, { out, runId: "inplace1", maxSteps: 8 });
    const folder = runFolder(out, "inplace1");
    expect(readdirSync(folder.resultsDir).some((name) => name.includes("epoch00001"))).toBe(true);
    await runAll(config, { out, continue: "inplace1", inPlace: true });
    expect(await stateOf(out, "inplace1")).toEqual(await stateOf(out, "unbroken"));
  });

  it("an aborted signal saves a checkpoint and does not validate", async () => {
    const out = temporaryFolder();
    const config = tinyConfig();
    await runAll(config, { out, runId: "unbroken" });
    const abort = new AbortController();
    const { train } = await import("../../src/training/train.js");
    let reason = "";
    for await (const event of train(config, { out, runId: "stopped1", signal: abort.signal })) {
      if (event.type === "step" && event.step === 4) abort.abort();
      if (event.type === "finished") reason = event.reason;
    }
    expect(reason).toBe("interrupted");
    const marks = [await readEndMark(runFolder(out, "stopped1"))];
    for await (const event of train(config, { out, continue: "stopped1", inPlace: true })) {
      if (event.type === "started") marks.push(await readEndMark(runFolder(out, "stopped1")));
      if (event.type === "started") break;
    }
    expect(marks).toEqual([{ reason: "interrupted", epoch: 0, step: 4 }, null]);
    const stopped = await readMetrics(runFolder(out, "stopped1").metrics);
    expect(stopped.length).toBe(4);
    await runAll(config, { out, runId: "resumed1", continue: "stopped1" });
    expect(await stateOf(out, "resumed1")).toEqual(await stateOf(out, "unbroken"));
  });

  // the last step of an epoch, and the events of the validation after it
  it.each(["step", "console", "validated", "saved after"])(
    "left in the middle of its events, at %s, and continued equals the unbroken run",
    async (name) => {
      const out = temporaryFolder();
      const config = tinyConfig({ test_initial: true });
      await runAll(config, { out, runId: "unbroken", maxSteps: 8 });
      const [type, after] = name.split(" ");
      const left = async (wanted: (step: number, validated: number) => boolean, runId: string) => {
        let [step, validated] = [0, 0];
        for await (const event of train(config, { out, runId })) {
          if (event.type === type && wanted(step, validated)) break;
          if (event.type === "step") step = event.step;
          if (event.type === "validated") validated++;
        }
      };
      await left((step, validated) => step >= 5 && validated === (after ? 2 : 1), "left0001");
      expect(await readEndMark(runFolder(out, "left0001"))).toMatchObject({ reason: "interrupted", step: 6 });
      await runAll(config, { out, continue: "left0001", inPlace: true, maxSteps: 8 });
      expect(await stateOf(out, "left0001")).toEqual(await stateOf(out, "unbroken"));
    },
  );

  it("left before its first step, or by an error of its reader, goes on", async () => {
    const out = temporaryFolder();
    const config = tinyConfig({ test_initial: true });
    await runAll(config, { out, runId: "unbroken", maxSteps: 3 });
    for (const type of ["started", "validated", "step"]) {
      const reading = async () => {
        for await (const event of train(config, { out, runId: `early${type.slice(0, 3)}` }))
          if (event.type === type) throw new Error("the reader's own");
      };
      await expect(reading()).rejects.toThrow("the reader's own");
      await runAll(config, { out, continue: `early${type.slice(0, 3)}`, inPlace: true, maxSteps: 3 });
      expect(await stateOf(out, `early${type.slice(0, 3)}`)).toEqual(await stateOf(out, "unbroken"));
    }
  });

  it("refuses a numbered epoch with the hint --init-from, and writes nothing", async () => {
    const out = temporaryFolder();
    const config = tinyConfig();
    await runAll(config, { out, runId: "run00001", maxSteps: 6 });
    await expect(runAll(config, { out, runId: "run00002", continue: "run00001@0" })).rejects.toThrow(/--init-from/);
    expect(existsSync(join(out, "results", "idrun00002"))).toBe(false);
  });

  it("falls back to the checkpoint before a damaged one, with a warning", async () => {
    const out = temporaryFolder();
    const config = tinyConfig();
    await runAll(config, { out, runId: "run00001", maxSteps: 5 });
    const path = join(runFolder(out, "run00001").checkpointDir, "latest.safetensors");
    const bytes = readFileSync(path);
    bytes[bytes.length - 5] ^= 1;
    (await import("node:fs")).writeFileSync(path, bytes);
    const { events } = await runAll(config, { out, runId: "run00002", continue: "run00001", maxSteps: 6 });
    expect(
      events.some(
        (e) =>
          e.type === "warning" &&
          /digest.*latest.previous.safetensors is used instead: step 4 of epoch 0; 2 later rows of metrics are lost/s.test(
            e.message,
          ),
      ),
    ).toBe(true);
    expect(events.find((e) => e.type === "started")).toMatchObject({ firstStep: 5 });
  });

  it("goes back to the best state in place: later rows, files and checkpoints go", async () => {
    const out = temporaryFolder();
    const config = tinyConfig();
    await runAll(config, { out, runId: "unbroken" });
    await runAll(config, { out, runId: "inplace2" });
    await runAll(tinyConfig({ num_epochs: 3 }), { out, continue: "inplace2@best", inPlace: true, maxSteps: 14 });
    await runAll(tinyConfig({ num_epochs: 3 }), { out, runId: "longer01", maxSteps: 14 });
    expect(await stateOf(out, "inplace2")).toEqual(await stateOf(out, "longer01"));
  });

  it("in place from @best and killed at once, the run still continues", async () => {
    const out = temporaryFolder();
    const config = tinyConfig();
    await runAll(config, { out, runId: "killed01", maxSteps: 11 });
    const later = runFolder(out, "killed01");
    // the validation after step 6 made the best state; latest is after step 11 with more rows
    const from = await readContinuation(out, "killed01@best");
    const names = { fields: parseFields(config), predicted: predictedFields(config) };
    await startFolder(later, config, names, from);
    const { finished } = await runAll(config, { out, continue: "killed01", inPlace: true });
    expect(finished.step).toBe(12);
  });

  it("a run that has done its steps validates again, or has nothing to do", async () => {
    const out = temporaryFolder();
    const config = tinyConfig();
    await runAll(config, { out, runId: "steps001", maxSteps: 8 });
    const { finished, events } = await runAll(config, { out, runId: "steps002", continue: "steps001", maxSteps: 8 });
    expect(finished).toMatchObject({ step: 8, reason: "max-steps" });
    expect(events.filter(({ type }) => type === "validated").length).toBe(1);
    expect((await stateOf(out, "steps002")).metrics).toEqual((await stateOf(out, "steps001")).metrics);
    const again = runAll(config, { out, runId: "steps003", continue: "steps001", maxSteps: 7 });
    await expect(again).rejects.toThrow(/has done these steps already; found 7; 8 steps done/);
    expect(existsSync(join(out, "results", "idsteps003"))).toBe(false);
  });

  it("refuses another network, and writes nothing", async () => {
    const out = temporaryFolder();
    await runAll(tinyConfig(), { out, runId: "narrow01", maxSteps: 1 });
    const wider = runAll(tinyConfig({ net_tail_num_nets: 3 }), { out, runId: "wider001", continue: "narrow01" });
    await expect(wider).rejects.toThrow(/do not fit the network.*missing tails\.0\.tail_nets\.2/s);
    expect(existsSync(join(out, "results", "idwider001"))).toBe(false);
  });

  it("can be continued from before its first step, the validation before it included", async () => {
    const out = temporaryFolder();
    const config = tinyConfig({ test_initial: true });
    await runAll(config, { out, runId: "unbroken", maxSteps: 3 });
    // killed between the first events and the first checkpoint of its own
    const killed = train(config, { out, runId: "killed02" });
    for (let next = await killed.next(); !next.done && next.value.type !== "step"; next = await killed.next());
    await runAll(config, { out, runId: "goeson02", continue: "killed02", maxSteps: 3 });
    expect(await stateOf(out, "goeson02")).toEqual(await stateOf(out, "unbroken"));
    await runAll(config, { out, runId: "goeson03", continue: "killed02@best", maxSteps: 3 });
    expect(await stateOf(out, "goeson03")).toEqual(await stateOf(out, "unbroken"));
  });
});
