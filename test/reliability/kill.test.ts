/**
 * Runs that are killed or interrupted at any moment can be continued, and end as the unbroken run bit for bit.
 * ATMOREP_KILLS and ATMOREP_INTERRUPTS set how many moments are tried, ATMOREP_SEED which.
 */
import { appendFileSync, cpSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { defaultRng } from "../../src/random/index.js";
import { runFolder } from "../../src/runs/folder.js";
import { atmorep } from "../support/cli.js";
import { stateOf } from "../support/runState.js";
import { tempDir } from "../support/tempDir.js";
import { countFromEnv, type Running, startTraining, writeTinyConfig } from "../support/tinyProgram.js";
import { runAll, temporaryFolder, tinyConfig } from "../support/tinyRun.js";

/** A checkpoint every second step: most of the time something is being written. */
const SET = { model_log_frequency: 2 };
const KILLS = countFromEnv("ATMOREP_KILLS", 3);
const INTERRUPTS = countFromEnv("ATMOREP_INTERRUPTS", 2);
const rng = defaultRng(Number(process.env.ATMOREP_SEED ?? 1));

let unbroken: Awaited<ReturnType<typeof stateOf>>;
/** events of an unbroken run, from "started" on; log lines left out */
let count: number;

beforeAll(async () => {
  const { code, stderr } = await atmorep(["--version"]);
  expect(code, stderr).toBe(0);
  const out = temporaryFolder();
  const { events } = await runAll(tinyConfig(SET), { out, runId: "unbroken" });
  unbroken = await stateOf(out, "unbroken");
  count = events.filter(({ type }) => type !== "console").length;
});

interface Moment {
  event: number;
  milliseconds: number;
}

/** After any event but the last, and up to a step's time later. */
const anyMoment = (): Moment => ({
  event: 1 + Math.floor(rng.random() * (count - 1)),
  milliseconds: rng.random() * 40,
});

/** Waits for the moment, then sends the signal. */
async function signalAt(running: Running, { event, milliseconds }: Moment, signal: NodeJS.Signals) {
  await running.event(event, ({ type }) => type !== "console");
  await new Promise((resolve) => setTimeout(resolve, milliseconds));
  running.child.kill(signal);
  return running.ended;
}

const isComplete = async (out: string, id: string) => (await stateOf(out, id).catch(() => null))?.state.epoch === 2;

describe("kill -9", () => {
  const moments = Array.from({ length: KILLS }, (_, i) => [i + 1, rng.random(), rng.random(), rng.random()] as const);

  it.each(moments)(
    "number %i: the run goes on under a new id, and in place after another kill",
    async (...[, a, b, c]) => {
      const out = tempDir();
      const moment = { event: 1 + Math.floor(a * (count - 1)), milliseconds: b * 40 };
      const config = writeTinyConfig(out, SET);
      const { signal } = await signalAt(
        startTraining([config, "--out", out, "--run-id", "killed01"]),
        moment,
        "SIGKILL",
      );
      const told = JSON.stringify(moment);
      if (signal === null) {
        // the run was quicker than the signal
        expect(await stateOf(out, "killed01"), told).toEqual(unbroken);
        return;
      }
      const copy = tempDir();
      cpSync(out, copy, { recursive: true });
      if (!(await isComplete(out, "killed01"))) {
        await runAll(tinyConfig(SET), { out, runId: "goeson01", continue: "killed01" });
        expect(await stateOf(out, "goeson01"), told).toEqual(unbroken);

        const again = startTraining(["--continue", "killed01", "--in-place", "--out", copy]);
        const second = { event: 1 + Math.floor(c * 6), milliseconds: b * 40 };
        await signalAt(again, second, "SIGKILL");
        if (!(await isComplete(copy, "killed01"))) {
          await runAll(tinyConfig(SET), { out: copy, continue: "killed01", inPlace: true });
        }
      }
      expect(await stateOf(copy, "killed01"), told).toEqual(unbroken);
    },
  );

  it("half a metrics row and unfinished files are left behind and do no harm", async () => {
    const out = tempDir();
    await runAll(tinyConfig(SET), { out, runId: "killed02", maxSteps: 5 });
    const { metrics, checkpointDir } = runFolder(out, "killed02");
    appendFileSync(metrics, '{"epoch":0,"step":6,"samp');
    appendFileSync(join(checkpointDir, ".latest.safetensors.tmp-elsewhere-1-1"), "half");
    await runAll(tinyConfig(SET), { out, continue: "killed02", inPlace: true });
    expect(await stateOf(out, "killed02")).toEqual(unbroken);
  });
});

describe("interrupts", () => {
  it.each(Array.from({ length: INTERRUPTS }, (_, i) => [i + 1, i % 2 ? "SIGTERM" : "SIGINT"] as const))(
    "number %i, %s: saved, and the run goes on",
    async (_, name) => {
      const out = tempDir();
      const moment = anyMoment();
      const config = writeTinyConfig(out, SET);
      const running = startTraining([config, "--out", out, "--run-id", "signal01"]);
      const { code, signal } = await signalAt(running, moment, name);
      const told = JSON.stringify(moment);
      expect(signal, told).toBe(null);
      // 0: the run had ended before the signal came
      expect([name === "SIGINT" ? 130 : 143, 0], told).toContain(code);
      if (await isComplete(out, "signal01")) {
        expect(await stateOf(out, "signal01"), told).toEqual(unbroken);
        return;
      }
      expect(code, told).not.toBe(0);
      await runAll(tinyConfig(SET), { out, runId: "goeson01", continue: "signal01" });
      expect(await stateOf(out, "goeson01"), told).toEqual(unbroken);
    },
  );
});
