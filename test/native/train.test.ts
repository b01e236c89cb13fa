/** Whole runs on the native engine: what they compute, and that they go on where they stopped. */
import { rmSync } from "node:fs";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { runFolder } from "../../src/runs/folder.js";
import { type MetricsRow, readMetrics } from "../../src/runs/metrics.js";
import { readWeights, weightPath } from "../../src/runs/weightFiles.js";
import { atmorep } from "../support/cli.js";
import { startTraining, step, writeTinyConfig } from "../support/tinyProgram.js";
import { runAll, temporaryFolder, tinyConfig } from "../support/tinyRun.js";

const out = temporaryFolder();
afterAll(() => rmSync(out, { recursive: true, force: true }));
afterEach(() => {
  process.env.ATMOREP_COMPILE = "1";
});

const rowsOf = (id: string) => readMetrics(runFolder(out, id).metrics);
const weightsOf = (id: string) => readWeights(weightPath(runFolder(out, id).modelsDir, id, "latest"));

/** Largest difference of two runs' logged numbers, in units of the larger of the two; times are left out. */
function difference(a: readonly MetricsRow[], b: readonly MetricsRow[]): number {
  expect(a.length).toBe(b.length);
  let largest = 0;
  for (const [i, row] of a.entries()) {
    expect(Object.keys(b[i])).toEqual(Object.keys(row));
    for (const [name, value] of Object.entries(row)) {
      const other = b[i][name as keyof MetricsRow];
      if (name === "time" || typeof value !== "number" || typeof other !== "number") continue;
      largest = Math.max(largest, Math.abs(value - other) / Math.max(1e-3, Math.abs(value), Math.abs(other)));
    }
  }
  return largest;
}

async function weightDifference(a: string, b: string): Promise<number> {
  const [own, other] = [await weightsOf(a), await weightsOf(b)];
  let largest = 0;
  for (const [name, { data }] of own) {
    const values = other.get(name)!.data;
    for (const [i, value] of data.entries()) largest = Math.max(largest, Math.abs(value - values[i]));
  }
  return largest;
}

const field = (name: string, partners: string[], width = 24) => [
  name,
  [1, width, partners, 0],
  [name.startsWith("velocity") ? 500 : 0],
  [4, 3, 3],
  [3, 6, 6],
  [0.5, 0.9, 0.2, 0.05],
];
const [PRESSURE, WIND] = ["mean_sea_level_pressure", "velocity_u"];
const coupled = (width?: number) => ({
  fields: [field(PRESSURE, [WIND], width), field(WIND, [PRESSURE], width)],
  fields_prediction: [
    [PRESSURE, 0.5],
    [WIND, 0.5],
  ],
});

describe("a run on the native engine", () => {
  it.each([
    ["plain", {}],
    ["coupled", coupled()],
    ["axial", { encoder_att_type: "axial", encoder_num_heads: 3, decoder_num_heads: 3, ...coupled() }],
    ["frozen", { freeze: ["encoders.0.*"] }],
    ["sums", { grad_accumulation: 2, ema_decay: 0.9, grad_clip: 0.5 }],
    ["forecast", { BERT_strategy: "forecast", forecast_num_tokens: 1 }],
  ])("%s: logs what WASM logs, operation by operation and compiled", async (name, set) => {
    const config = tinyConfig({ num_epochs: 1, ...set });
    const id = (engine: string) => `${name.slice(0, 4)}${engine}`;
    await runAll(config, { out, runId: id("wasm"), engine: "wasm" });
    await runAll(config, { out, runId: id("comp"), engine: "native" });
    process.env.ATMOREP_COMPILE = "0";
    await runAll(config, { out, runId: id("eage"), engine: "native" });
    const expected = await rowsOf(id("wasm"));
    expect(expected.length).toBeGreaterThan(2);
    expect(difference(await rowsOf(id("comp")), expected)).toBeLessThan(1e-4);
    expect(difference(await rowsOf(id("eage")), expected)).toBeLessThan(1e-4);
  });
});

describe("the program", () => {
  it("trains and evaluates with --engine native as with wasm", async () => {
    const config = writeTinyConfig(out);
    const args = ["train", config, "--out", out, "--seed", "3", "--max-steps", "6"];
    for (const engine of ["native", "wasm"]) {
      const { code, stderr } = await atmorep([...args, "--engine", engine, "--run-id", `cli${engine}00`.slice(0, 8)]);
      expect([code, stderr]).toEqual([
        0,
        expect.stringMatching(engine === "native" ? /TensorFlow 2\./ : /WebAssembly/),
      ]);
    }
    expect(difference(await rowsOf("clinativ"), await rowsOf("cliwasm0"))).toBeLessThan(1e-4);
    const scores = [];
    for (const engine of ["native", "wasm"]) {
      const evaluate = ["evaluate", "clinativ", "--out", out, "--engine", engine, "--json", "--no-stores"];
      const { code, stdout } = await atmorep(evaluate);
      expect(code).toBe(0);
      scores.push(numbersOf(JSON.parse(stdout)));
    }
    const [native, wasm] = scores;
    expect(native.size).toBeGreaterThan(20);
    for (const [path, value] of native) {
      expect(Math.abs(value - wasm.get(path)!), path).toBeLessThanOrEqual(1e-4 * Math.abs(value) + 1e-4);
    }
  });

  it.each([
    ["1", 0],
    ["2", 1e-6],
  ])("with %s thread(s), interrupted and continued, equals the unbroken run", async (threads, tolerance) => {
    const env = { ...process.env, ATMOREP_THREADS: threads };
    const config = writeTinyConfig(out);
    const common = [config, "--out", out, "--seed", "4", "--engine", "native"];
    const id = (part: string) => `${part}thr${threads}`;
    expect((await atmorep(["train", ...common, "--run-id", id("unbr")], undefined, env)).code).toBe(0);
    const running = startTraining([...common, "--run-id", id("left")], env);
    await step(running, 3);
    running.child.kill("SIGINT");
    expect((await running.ended).code).toBe(130);
    const goOn = ["train", "--continue", id("left"), "--out", out, "--engine", "native", "--run-id", id("next")];
    expect((await atmorep(goOn, undefined, env)).code).toBe(0);
    expect(await weightDifference(id("next"), id("unbr"))).toBeLessThanOrEqual(tolerance as number);
    expect(difference(await rowsOf(id("next")), await rowsOf(id("unbr")))).toBeLessThanOrEqual(tolerance as number);
  });
});

/** Every number of a document, by its path. */
function numbersOf(value: unknown, path = "", found = new Map<string, number>()): Map<string, number> {
  if (typeof value === "number") found.set(path, value);
  else if (value && typeof value === "object") {
    for (const [key, entry] of Object.entries(value)) if (key !== "_about") numbersOf(entry, `${path}/${key}`, found);
  }
  return found;
}
