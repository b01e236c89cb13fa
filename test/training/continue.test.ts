import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { loadCheckpoint } from "../../src/training/checkpoint.js";
import { readMetrics } from "../../src/training/metrics.js";
import { runFolder } from "../../src/training/runFolder.js";
import { readWeights } from "../../src/training/weightFiles.js";
import { runAll, temporaryFolder, tinyConfig } from "../support/tinyRun.js";

/** All that two runs must share; times and run ids are left out. */
async function stateOf(out: string, id: string) {
  const folder = runFolder(out, id);
  const { state, params, moments, ema } = await loadCheckpoint(folder.checkpointDir, "latest");
  const metrics = (await readMetrics(folder.metrics)).map(({ time: _time, ...row }) => row);
  const weights = await readWeights(join(folder.modelsDir, `AtmoRep_id${id}.mod`));
  return { state: { ...state, runId: "" }, params, moments, ema, metrics, weights };
}

describe("continuing a run", () => {
  // 3: within an epoch; 6: at its end; 8: where a checkpoint was due as well
  it.each([1, 3, 6, 8])("stopped after step %i and continued equals the unbroken run bit for bit", async (steps) => {
    const out = temporaryFolder();
    const config = tinyConfig();
    await runAll(config, { out, runId: "unbroken", maxSteps: 11 });
    await runAll(config, { out, runId: "part0001", maxSteps: steps });
    const { finished } = await runAll(config, { out, runId: "part0002", continue: "part0001", maxSteps: 11 });
    expect(finished.step).toBe(11);
    expect(await stateOf(out, "part0002")).toEqual(await stateOf(out, "unbroken"));
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
    const stopped = await readMetrics(runFolder(out, "stopped1").metrics);
    expect(stopped.length).toBe(4);
    await runAll(config, { out, runId: "resumed1", continue: "stopped1" });
    expect(await stateOf(out, "resumed1")).toEqual(await stateOf(out, "unbroken"));
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
    expect(events.some((e) => e.type === "warning" && /checksum/.test(e.message))).toBe(true);
    expect(events.find((e) => e.type === "started")).toMatchObject({ firstStep: 5 });
  });
});
