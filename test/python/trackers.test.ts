/** What trackers write and send, read back by the packages that it is for. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterAll, describe, expect, it, vi } from "vitest";
import { runFolder } from "../../src/runs/folder.js";
import { readMetrics } from "../../src/runs/metrics.js";
import { wandb } from "../../src/trackers/wandb.js";
import { ROOT } from "../support/cli.js";
import { tempDir } from "../support/tempDir.js";
import { runAll, tinyConfig } from "../support/tinyRun.js";
import { PYTHON, pythonOf } from "./python.js";

/** A Python with tensorboard, wandb 0.19 (its last reader in Python) and MLflow's server. */
const WITH_TRACKERS = process.env.ATMOREP_TEST_PYTHON_TRACKERS ?? PYTHON;
const read = (script: string, ...args: string[]) =>
  pythonOf(WITH_TRACKERS, readFileSync(join(ROOT, "test", "python", "trackers", script), "utf8"), ...args);
const only = (folder: string) => {
  const names = readdirSync(folder);
  expect(names).toHaveLength(1);
  return join(folder, names[0]);
};

/** `name` of each row that has it, with its step. */
async function logged(out: string, id: string, name: string): Promise<[number, number][]> {
  const rows = await readMetrics(runFolder(out, id).metrics);
  return rows.flatMap((row) => (typeof row[name] === "number" ? [[row.step, row[name]] as [number, number]] : []));
}

const SERIES = {
  "mse_ensemble, mean_sea_level_pressure": "mse_ensemble/mean_sea_level_pressure",
  "gradient loss": "gradient loss",
  "val. loss BERT": "val. loss BERT",
};

describe("TensorBoard", () => {
  it("shows the rows of the metrics and the configuration, and after a continuation each step once", async () => {
    const out = tempDir();
    const set = { trackers: ["tensorboard"] };
    await runAll(tinyConfig(set), { out, runId: "boarded0", maxSteps: 6 });
    await runAll(tinyConfig(set), { out, continue: "boarded0", inPlace: true });
    const found = read("tensorboard_read.py", join(out, "tensorboard", "idboarded0")) as {
      scalars: Record<string, [number, number][]>;
      text: Record<string, string>;
      plugins: Record<string, string>;
    };
    for (const [series, tag] of Object.entries(SERIES)) {
      const wanted = await logged(out, "boarded0", series);
      expect(wanted.length, series).toBeGreaterThan(1);
      expect(found.scalars[tag], series).toEqual(wanted.map(([step, value]) => [step, Math.fround(value)]));
    }
    expect(found.text.configuration).toContain('"BERT_strategy": "BERT"');
    expect(found.plugins.configuration).toBe("text");
  });
});

describe("Weights & Biases", () => {
  interface Found {
    kinds: string[];
    run: { id: string; config: Record<string, unknown> };
    history: [number, Record<string, number>][];
    summary: Record<string, number>;
    exit: number;
  }
  const found = (out: string) => {
    const folder = only(join(out, "wandb"));
    return read("wandb_read.py", join(folder, readdirSync(folder).find((name) => name.endsWith(".wandb"))!)) as Found;
  };

  it("finds every row of an offline run under the names of the original", async () => {
    const out = tempDir();
    const config = tinyConfig({ with_wandb: true });
    await runAll(config, { out, runId: "offline0", maxSteps: 5 });
    const { kinds, run, history, summary, exit } = found(out);
    expect(kinds[0]).toBe("header");
    expect(run).toMatchObject({ id: "offline0", project: "atmorep", config: { BERT_strategy: "BERT" } });
    expect(run.config.fields).toEqual(config.fields);
    for (const series of Object.keys(SERIES)) {
      const rows = history.filter(([, row]) => series in row).map(([, row]) => [row.step, row[series]]);
      expect(rows, series).toEqual(await logged(out, "offline0", series));
    }
    const steps = history.map(([step]) => step);
    expect(steps).toEqual([...new Set(steps)].sort((a, b) => a - b));
    expect(summary["val. loss BERT"]).toBe((await logged(out, "offline0", "val. loss BERT")).at(-1)![1]);
    expect(exit).toBe(0);
  });

  it("finds records that cross the blocks of the file, at every place in a block", async () => {
    const out = tempDir();
    const run = { id: "crossing", out, config: tinyConfig(), engine: "", firstStep: 1, began: Date.now() };
    const tracker = await wandb(run);
    const long = (n: number) => Object.fromEntries(Array.from({ length: n }, (_, i) => [`series ${i}`, i / 3]));
    const sizes = [1, 3000, ...Array.from({ length: 1500 }, (_, i) => i % 9), 2000];
    for (const [i, n] of sizes.entries()) {
      await tracker.row({ step: i + 1, validation: false, time: Date.now(), values: long(n) });
    }
    await tracker.end("failed");
    const { history, exit } = found(out);
    expect(history.map(([, row]) => Object.keys(row).length)).toEqual(sizes.map((n) => n + 4));
    expect(exit).toBe(1);
  });
});

describe("MLflow", () => {
  let stop = () => {};
  afterAll(() => stop());

  it("has the run with its parameters and every number, and goes on with it", { timeout: 300_000 }, async () => {
    const out = tempDir();
    const uri = `http://127.0.0.1:${await freePort()}`;
    const env = { ...process.env, MLFLOW_SERVER_ENABLE_JOB_EXECUTION: "false" };
    const server = spawn(
      WITH_TRACKERS,
      [
        ...["-m", "mlflow", "server", "--host", "127.0.0.1", "--port", new URL(uri).port, "--workers", "1"],
        ...[
          "--backend-store-uri",
          `sqlite:///${join(out, "mlflow.db")}`,
          "--default-artifact-root",
          join(out, "artifacts"),
        ],
      ],
      { env, stdio: "ignore", detached: true },
    );
    stop = () => process.kill(-server.pid!, "SIGKILL");
    const ended = once(server, "exit");
    const up = async () => (await fetch(`${uri}/health`).catch(() => null))?.ok === true;
    while (!(await up())) {
      if (server.exitCode !== null) throw new Error("the server has ended");
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
    vi.stubEnv("MLFLOW_TRACKING_URI", uri);
    const config = tinyConfig({ trackers: ["mlflow"] });
    const first = await runAll(config, { out, runId: "flowing0", maxSteps: 6 });
    await runAll(config, { out, continue: "flowing0", inPlace: true });
    const [run, ...others] = read("mlflow_read.py", "atmorep") as {
      name: string;
      status: string;
      params: Record<string, string>;
      metrics: Record<string, [number, number][]>;
    }[];
    expect(others).toEqual([]);
    expect(run).toMatchObject({ name: "flowing0", status: "FINISHED", params: { BERT_strategy: "BERT" } });
    for (const [series, key] of Object.entries(SERIES)) {
      expect(run.metrics[key], series).toEqual(await logged(out, "flowing0", series));
    }
    const started = first.events.find((event) => event.type === "started");
    expect(started?.trackers).toEqual([expect.stringMatching(/^MLflow: run [0-9a-f]{32} at http/)]);
    stop();
    stop = () => {};
    await ended;
  });
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}
