import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openEngine } from "../../src/engine/index.js";
import { loadCheckpoint } from "../../src/runs/checkpoint.js";
import { readEndMark } from "../../src/runs/endMark.js";
import type { StepEvent } from "../../src/runs/events.js";
import { runFolder } from "../../src/runs/folder.js";
import { readMetrics } from "../../src/runs/metrics.js";
import { train } from "../../src/training/train.js";
import { runAll, temporaryFolder, tinyConfig } from "../support/tinyRun.js";

describe("train", () => {
  it("writes the reference's files, a metrics row a step and one a validation", async () => {
    const out = temporaryFolder();
    const { events, finished } = await runAll(tinyConfig(), { out, runId: "tiny0001" });
    expect(finished).toMatchObject({ reason: "completed", step: 12, samples: 24, epoch: 2 });
    expect(readdirSync(join(out, "models", "idtiny0001")).sort()).toEqual(
      [
        ...["", "_best", "_epoch0", "_epoch1"].flatMap((tag) =>
          [
            "decoder_mean_sea_level_pressure_",
            "embeds_token_info_",
            "encoder_mean_sea_level_pressure_",
            "",
            "tail_mean_sea_level_pressure_",
          ].map((part) => `AtmoRep_${part}idtiny0001${tag}.mod`),
        ),
        "checkpoint",
        "digests.json",
        "model_idtiny0001.json",
      ].sort(),
    );
    expect(readdirSync(join(out, "results", "idtiny0001")).sort()).toEqual([
      "console.log",
      "end.json",
      "metrics.jsonl",
      "model_idtiny0001.json",
      ...["00000", "00001"].flatMap((epoch) =>
        ["ens", "pred", "source", "target"].map((kind) => `results_idtiny0001_epoch${epoch}_${kind}.zarr`),
      ),
    ]);
    const rows = await readMetrics(runFolder(out, "tiny0001").metrics);
    const validations = rows.filter((row) => "val. loss BERT" in row);
    expect(rows.length).toBe(14);
    expect(validations.map(({ epoch, step }) => [epoch, step])).toEqual([
      [0, 6],
      [1, 12],
    ]);
    const steps = rows.filter((row) => "training loss" in row);
    expect(steps.map(({ step }) => step)).toEqual(Array.from({ length: 12 }, (_, i) => i + 1));
    expect(Object.keys(steps[0])).toEqual([
      "epoch",
      "step",
      "samples",
      "time",
      "training loss",
      "gradient loss",
      "mse_ensemble, mean_sea_level_pressure",
      "kernel_crps, mean_sea_level_pressure",
      "stddev, mean_sea_level_pressure",
    ]);
    const lines = events.flatMap((event) => (event.type === "console" ? [event.line] : []));
    expect(readFileSync(join(out, "results", "idtiny0001", "console.log"), "utf8")).toBe(`${lines.join("\n")}\n`);
  });

  it("gives the same numbers with the same seeds, whatever the run is called", async () => {
    const totals = async (runId: string) =>
      (await runAll(tinyConfig(), { out: temporaryFolder(), runId, maxSteps: 3 })).events.flatMap((event) =>
        event.type === "step" ? [event.total] : [],
      );
    expect(await totals("aaaaaaaa")).toEqual(await totals("bbbbbbbb"));
  });

  it("draws null seeds and writes them into the run's configuration", async () => {
    const out = temporaryFolder();
    await runAll(tinyConfig({ torch_seed: null, rng_seed: null }), { out, runId: "seeds001", maxSteps: 1 });
    const written = JSON.parse(readFileSync(join(out, "models", "idseeds001", "model_idseeds001.json"), "utf8"));
    expect(Number.isSafeInteger(written.torch_seed) && Number.isSafeInteger(written.rng_seed)).toBe(true);
  });

  it("leaves no tensor behind: steps, validation, saving and loading", async () => {
    const engine = await openEngine("wasm");
    const out = temporaryFolder();
    await runAll(tinyConfig(), { out, runId: "warm0001", maxSteps: 2 });
    const before = engine.memory().numTensors;
    const live: number[] = [];
    for await (const event of train(tinyConfig(), { out, runId: "leak0001" })) {
      if (event.type === "step" || event.type === "validated" || event.type === "saved")
        live.push(engine.memory().numTensors);
    }
    expect(new Set(live).size).toBe(1);
    await runAll(tinyConfig({ num_epochs: 3 }), { out, runId: "leak0002", continue: "leak0001", maxSteps: 14 });
    expect(engine.memory().numTensors).toBe(before);
  });

  it("stops at a number that is not finite, names it, and leaves the last good checkpoint", async () => {
    const out = temporaryFolder();
    const config = tinyConfig({ lr_start: 1000, lr_max: 1000, lr_min: 1000, weight_decay: 1000 });
    await expect(runAll(config, { out, runId: "nan00001" })).rejects.toThrow(
      /step \d+: .*NaN or infinite.*(mse_ensemble|gradient)/s,
    );
    const { state, params } = await loadCheckpoint(runFolder(out, "nan00001").checkpointDir, "latest");
    const rows = await readMetrics(runFolder(out, "nan00001").metrics);
    expect(rows.length).toBe(state.step);
    expect(await readEndMark(runFolder(out, "nan00001"))).toMatchObject({ reason: "failed", step: state.step });
    expect([...params.values()].every(({ data }) => data.every(Number.isFinite))).toBe(true);
  });

  it("refuses an id that exists and leaves its files alone", async () => {
    const out = temporaryFolder();
    await runAll(tinyConfig(), { out, runId: "taken001", maxSteps: 1 });
    const before = readFileSync(runFolder(out, "taken001").metrics, "utf8");
    await expect(runAll(tinyConfig(), { out, runId: "taken001" })).rejects.toThrow(/exists already.*--run-id/s);
    expect(readFileSync(runFolder(out, "taken001").metrics, "utf8")).toBe(before);
  });

  it("writes nothing when the configuration or the store is wrong", async () => {
    const out = temporaryFolder();
    await expect(runAll(tinyConfig({ encoder_num_heads: 5 }), { out })).rejects.toThrow(/encoder_num_heads/);
    await expect(runAll(tinyConfig({ file_path: "nowhere.zarr" }), { out })).rejects.toThrow(/nowhere.zarr/);
    expect(existsSync(join(out, "results"))).toBe(false);
  });

  it("trains on the same samples every step with overfit", async () => {
    const config = tinyConfig({ losses: ["mse"], dropout_rate: 0, lr_start: 1e-3, lr_max: 1e-3, num_epochs: 10 });
    const { events } = await runAll(config, { out: temporaryFolder(), overfit: 2, maxSteps: 40 });
    const steps = events.filter((event): event is StepEvent => event.type === "step");
    expect(steps.at(-1)!.mse).toBeLessThan(0.7 * steps[0].mse);
  });

  it("accepts --max-time and validates before it ends", async () => {
    const { events, finished } = await runAll(tinyConfig({ num_epochs: 1000 }), { out: temporaryFolder(), maxTime: 1 });
    expect(finished).toMatchObject({ reason: "max-time", step: 1 });
    expect(events.filter(({ type }) => type === "validated").length).toBe(1);
  });
});
