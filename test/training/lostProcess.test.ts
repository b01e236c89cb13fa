import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { ALONE, type Communicator } from "../../src/distributed/index.js";
import { AtmorepError } from "../../src/errors.js";
import { loadCheckpoint } from "../../src/runs/checkpoint.js";
import { runFolder } from "../../src/runs/folder.js";
import { stateOf } from "../support/runState.js";
import { tempDir } from "../support/tempDir.js";
import { runAll, tinyConfig } from "../support/tinyRun.js";

/** Process 0 of two that do the same; the other is lost after exchange number `last`, sums aside. */
function lostAt(last: number): Communicator & { beforeStep1: number } {
  let exchanges = 0;
  const exchanged = async <T>(value: T): Promise<T> => {
    exchanges += 1;
    if (exchanges > last) throw new AtmorepError("failed", "process 1 silent for 4 s");
    return value;
  };
  return {
    ...ALONE,
    size: 2,
    beforeStep1: 0,
    at(step) {
      if (step === 0) this.beforeStep1 = exchanges;
    },
    broadcast: exchanged,
    gather: async (value) => exchanged([value, value]),
    collect: async (bytes) => exchanged([bytes, new Uint8Array(0)]),
  };
}

it("whenever a process is lost, all that was learnt is saved and goes on as unbroken", async () => {
  const out = tempDir();
  const config = tinyConfig({ num_samples_per_epoch: 8, model_log_frequency: 100_000 });
  const options = { out, seed: 3, maxSteps: 3 };
  const both = lostAt(Number.POSITIVE_INFINITY);
  await runAll(config, { ...options, communicator: both, runId: "unbroken" });
  const unbroken = await stateOf(out, "unbroken");
  let failures = 0;
  for (let last = both.beforeStep1; ; last += 1) {
    const runId = `lost${String(last).padStart(4, "0")}`;
    const { metrics, checkpointDir } = runFolder(out, runId);
    const failed = await runAll(config, { ...options, communicator: lostAt(last), runId }).catch((e: unknown) => e);
    if (!(failed instanceof AtmorepError)) break;
    failures += 1;
    const rows = readFileSync(metrics, "utf8").trim().split("\n").filter(Boolean);
    const { state } = await loadCheckpoint(checkpointDir, "latest");
    expect(state.step, `lost in exchange ${last}`).toBe(Math.max(0, ...rows.map((row) => JSON.parse(row).step)));
    if (failures % 3 !== 0) continue;
    await runAll(config, {
      ...{ out, continue: runId, inPlace: true, maxSteps: 3 },
      communicator: lostAt(Number.POSITIVE_INFINITY),
    });
    expect(await stateOf(out, runId), `lost in exchange ${last}`).toEqual(unbroken);
  }
  expect(failures, "exchanges tried").toBeGreaterThan(5);
}, 300_000);
