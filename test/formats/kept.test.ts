/** What version 0.1 wrote (test/formats/v0.1, made by its command line) is read for ever: the policy of docs/files.md. */
import { createHash } from "node:crypto";
import { cpSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { knownNames } from "../../src/checks/knownNames.js";
import { resolveConfig } from "../../src/config/resolve.js";
import type { RunConfig } from "../../src/config/types.js";
import { validateConfig } from "../../src/config/validate.js";
import { levelSource, openStore, readValues, wholeWindow } from "../../src/data/index.js";
import { formatTime } from "../../src/data/time.js";
import { readSafetensors, writeSafetensors } from "../../src/formats/safetensors.js";
import { bytesOf } from "../../src/formats/tensors.js";
import { readCheckpoint } from "../../src/runs/checkpoint.js";
import { readContinuation } from "../../src/runs/continue.js";
import { runFolder } from "../../src/runs/folder.js";
import { listRuns } from "../../src/runs/list.js";
import { readMetrics } from "../../src/runs/metrics.js";
import { readWeights, weightPath } from "../../src/runs/weightFiles.js";
import { tempDir } from "../support/tempDir.js";
import { runAll } from "../support/tinyRun.js";

const KEPT = fileURLToPath(new URL("./v0.1", import.meta.url));
const RUN = "v010part";

/** The kept run in a folder of its own. */
function keptRun(): string {
  const out = tempDir();
  cpSync(KEPT, out, { recursive: true });
  return out;
}

const keptConfig = (): RunConfig =>
  resolveConfig({ file: join(KEPT, "models", `id${RUN}`, `model_id${RUN}.json`) }).config;

const sha256 = (pieces: Iterable<Uint8Array | string>): string => {
  const hash = createHash("sha256");
  for (const piece of pieces) hash.update(piece);
  return hash.digest("hex");
};

describe("files of version 0.1", () => {
  it("a run goes on to the bits and rows that version 0.1 itself came to", async () => {
    const out = keptRun();
    const config = keptConfig();
    const { finished } = await runAll(config, { out, continue: RUN, runId: "goeson01", engine: "wasm" });
    expect(finished.step).toBe(12);
    const folder = runFolder(out, "goeson01");
    const path = join(folder.checkpointDir, "latest.safetensors");
    const tensors = await readSafetensors(path);
    // what version 0.1 wrote as the checksum of its own checkpoint after `train --continue v010part`
    expect(sha256([...tensors.values()].map(({ bytes }) => bytes))).toBe(
      "3ff462fdc701e29fe4d703607fb835340d7497178b0c40bc09cab44ec2c046c5",
    );
    const rows = (await readMetrics(folder.metrics)).map(({ time: _time, ...row }) => JSON.stringify(row));
    expect(sha256([rows.join("\n")])).toBe("8a2d7472d9874a19d316967c6b8375d180fe4236e363308d3bc146d22437a563");
    expect((await readCheckpoint(path)).state).toMatchObject({ format: 2, parent: { runId: RUN, step: 8 } });
  });

  it("a checkpoint is read with what it says of itself, and one with a changed tensor is not", async () => {
    const { checkpoint, warning } = await readContinuation(KEPT, RUN);
    expect(warning).toBe(null);
    const madeBy = { version: "0.1.0", engine: null, products: null };
    expect(checkpoint.state).toMatchObject({ format: 2, step: 8, madeBy, parent: null });
    expect(checkpoint.ema?.size).toBe(checkpoint.params.size);
    const tensors = await readSafetensors(join(KEPT, "models", `id${RUN}`, "checkpoint", "best.safetensors"));
    const specs = [...tensors].map(([name, { dtype, shape, bytes }]) => ({ name, dtype, shape, read: () => bytes }));
    const path = join(tempDir(), "other.safetensors");
    const state = JSON.stringify({ ...checkpoint.state, format: 1, updates: 8 });
    await writeSafetensors(path, specs, { metadata: { state, sha256: "0".repeat(64) } });
    await expect(readCheckpoint(path)).rejects.toThrow(/other.safetensors.*checksum does not fit/);
  });

  it("runs are listed, weights start another run, and the configuration has no faults", async () => {
    const [run] = await listRuns(KEPT);
    expect(run).toMatchObject({ id: RUN, steps: 8, status: "stopped", strategy: "BERT" });
    const config = keptConfig();
    expect(validateConfig(config, knownNames())).toEqual([]);
    const { modelsDir } = runFolder(KEPT, RUN);
    const weights = await readWeights(weightPath(modelsDir, RUN, "latest"));
    const { ema } = await readCheckpoint(join(modelsDir, "checkpoint", "latest.safetensors"));
    expect(new Map([...weights].sort())).toEqual(new Map([...ema!].sort()));
    const out = keptRun();
    const options = { out, initFrom: `${RUN}@best`, runId: "starts01", maxSteps: 1, engine: "wasm" as const };
    expect((await runAll(config, options)).finished.step).toBe(1);
  });

  it("a store has the times and values that it had", async () => {
    const store = await openStore(join(KEPT, "waves.zarr.zip"));
    try {
      expect([formatTime(store.times[0]), formatTime(store.times[11])]).toEqual([
        "2021-01-01T00:00",
        "2021-01-03T18:00",
      ]);
      const { values, shape } = await readValues(store, levelSource(store, "temperature", 96), wholeWindow(store));
      expect(shape).toEqual([12, 13, 24]);
      // as version 0.1 read them
      expect(sha256([bytesOf(values)])).toBe("7814e5f47bcc2b4bd72a2686b329557041bc9ad59ead05697f130aca722d5697");
    } finally {
      await store.close();
    }
  });
});

describe("files of a later version", () => {
  it("a checkpoint of a format to come is refused with what it is", async () => {
    const { checkpoint } = await readContinuation(KEPT, RUN);
    const path = join(tempDir(), "later.safetensors");
    const state = JSON.stringify({ ...checkpoint.state, format: 3, updates: 8 });
    await writeSafetensors(path, [], { metadata: { state }, digest: true });
    await expect(readCheckpoint(path)).rejects.toThrow(/format 3 is not known here: a newer version/);
    expect(readFileSync(path).length).toBeGreaterThan(0);
  });
});
