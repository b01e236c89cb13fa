/** Training in a process of its own, which a restart of the kernel does not end. */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, open, readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { PACKAGE_ROOT } from "../../config/presets.js";
import { drawRunId } from "../../config/runId.js";
import { configText } from "../../config/text/files.js";
import type { RunConfig } from "../../config/types.js";
import { AtmorepError } from "../../errors.js";
import { writeFileAtomic } from "../../formats/atomic.js";
import { runFolder } from "../../runs/folder.js";
import type { TrainOptions } from "../../training/options.js";
import type { Shown } from "../figure/display.js";
import type { Figure } from "../figure/types.js";
import { type WatchOptions, watch } from "./watch.js";

export interface StartOptions
  extends Pick<TrainOptions, "out" | "runId" | "maxSteps" | "maxTime" | "engine" | "initFrom" | "overfit"> {
  /** modules that the process imports first, such as `["./losses.mjs"]`: what they register is known to the run */
  imports?: readonly string[];
}

export interface StartedRun {
  runId: string;
  /** folder that holds `results/` and `models/` */
  out: string;
  pid: number;
  /** file with what the process prints */
  log: string;
  /** resolves when the process ends; rejects if it failed */
  done: Promise<{ code: number }>;
  /** asks for a checkpoint and an end; resolves when the process has ended */
  stop(): Promise<void>;
  /** the live figure */
  watch(options?: WatchOptions): Promise<Shown<Figure>>;
}

const STARTUP_MS = 60_000;

/**
 * Starts a run beside the kernel and returns once it has its folders. The process survives the kernel;
 * `watch(runId)` finds it again. It knows no losses, strategies and metrics that the notebook has registered: put those
 * into a module and name it in `imports`, or use `train`.
 * @throws AtmorepError (failed) with the process's last words if it ends before it trains
 * @example const run = await start(config); await run.watch();
 */
export async function start(config: RunConfig, options: StartOptions = {}): Promise<StartedRun> {
  const out = resolve(options.out ?? ".");
  const runId = options.runId ?? drawRunId();
  const folder = join(out, "results", ".started");
  await mkdir(folder, { recursive: true });
  const [file, log] = [join(folder, `${runId}.json`), join(folder, `${runId}.log`)];
  await writeFileAtomic(file, configText(config));
  const output = await open(log, "w");
  const child = spawn(
    process.execPath,
    [
      ...(options.imports ?? []).flatMap((path) => ["--import", moduleUrl(path)]),
      join(PACKAGE_ROOT, "bin", "atmorep.js"),
      ...programArguments(file, out, runId, options),
    ],
    {
      cwd: process.cwd(),
      detached: true,
      stdio: ["ignore", output.fd, output.fd],
    },
  );
  await output.close();
  const ended = new Promise<number>((resolveCode, reject) => {
    child.once("error", reject);
    child.once("exit", (code, signal) => resolveCode(code ?? (signal === "SIGTERM" ? 143 : 1)));
  });
  child.unref();
  const done = ended.then(async (code) => {
    // those of signals: stopped on request, with a checkpoint
    if (![0, 129, 130, 138, 143].includes(code)) throw await failure(runId, code, log);
    return { code };
  });
  // Whoever does not wait for the end still finds it in the log.
  done.catch(() => undefined);
  await running(runFolder(out, runId).metrics, done);
  const stop = async () => {
    child.kill("SIGTERM");
    await ended;
  };
  return {
    runId,
    out,
    pid: child.pid as number,
    log,
    done,
    stop,
    watch: (own = {}) => watch({ runId, out }, { until: done.catch(() => undefined), ...own }),
  };
}

const moduleUrl = (path: string) => (/^[./]/.test(path) ? pathToFileURL(resolve(path)).href : path);

function programArguments(file: string, out: string, runId: string, options: StartOptions): string[] {
  const { maxSteps, maxTime, engine, initFrom, overfit } = options;
  return [
    "train",
    file,
    "--out",
    out,
    "--run-id",
    runId,
    ...(maxSteps === undefined ? [] : ["--max-steps", String(maxSteps)]),
    ...(maxTime === undefined ? [] : ["--max-time", `${Math.ceil(maxTime / 1000)}s`]),
    ...(engine === undefined ? [] : ["--engine", engine]),
    ...(initFrom === undefined ? [] : ["--init-from", initFrom]),
    ...(overfit === undefined ? [] : ["--overfit", String(overfit)]),
  ];
}

/** Waits for the first file of the run, or for the end of the process. */
async function running(metrics: string, done: Promise<unknown>): Promise<void> {
  let over = false;
  const finish = done.finally(() => {
    over = true;
  });
  finish.catch(() => undefined);
  for (let waited = 0; waited < STARTUP_MS && !over && !existsSync(metrics); waited += 100) {
    await Promise.race([finish, new Promise((tick) => setTimeout(tick, 100))]);
  }
}

async function failure(runId: string, code: number, log: string): Promise<AtmorepError> {
  const words = (await readFile(log, "utf8").catch(() => "")).trim().split("\n").slice(-5).join("\n");
  return new AtmorepError("failed", "the training process ended", {
    where: `run ${runId}`,
    found: `exit code ${code}: ${words}`,
    fix: `Read ${log}`,
  });
}
