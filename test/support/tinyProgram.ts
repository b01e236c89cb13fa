/** Training as a process on a tiny configuration: started, watched, signalled, killed. */
import { type ChildProcess, spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TrainEvent } from "../../src/runs/events.js";
import { LAUNCHER, ROOT } from "./cli.js";
import { tinyConfig } from "./tinyRun.js";

/** Writes the tiny configuration as a file. @returns its path */
export function writeTinyConfig(dir: string, set: Record<string, unknown> = {}): string {
  const path = join(dir, "tiny.json");
  writeFileSync(path, JSON.stringify(tinyConfig(set)));
  return path;
}

export interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

export interface Running {
  child: ChildProcess;
  ended: Promise<Ended>;
  /** resolves with the event number `n` (from 1) that passes, or null if the process ends first */
  event(n: number, passes?: (event: TrainEvent) => boolean): Promise<TrainEvent | null>;
}

/** Starts `atmorep train --json` with further arguments; its events can be waited for. */
export function startTraining(args: readonly string[], env = process.env): Running {
  const child = spawn(process.execPath, [LAUNCHER, "train", "--json", ...args], {
    cwd: ROOT,
    env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const events: TrainEvent[] = [];
  const watchers = new Set<() => void>();
  let stdout = "";
  let stderr = "";
  let rest = "";
  let over = false;
  const tell = () => {
    for (const watch of watchers) watch();
  };
  child.stdout.on("data", (chunk) => {
    stdout += chunk;
    const lines = `${rest}${chunk}`.split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) events.push(JSON.parse(line));
    tell();
  });
  child.stderr.on("data", (chunk) => {
    stderr += chunk;
  });
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => {
      over = true;
      resolve({ code, signal, stdout, stderr });
      tell();
    });
  });
  return {
    child,
    ended,
    event: (n, passes = () => true) =>
      new Promise((resolve) => {
        const watch = () => {
          const found = events.filter(passes)[n - 1];
          if (!found && !over) return;
          watchers.delete(watch);
          resolve(found ?? null);
        };
        watchers.add(watch);
        watch();
      }),
  };
}

/** The n-th optimiser step. */
export const step = (running: Running, n: number) => running.event(n, ({ type }) => type === "step");

/** A count from the environment: a few in `npm test`, many in continuous integration. */
export function countFromEnv(name: string, fallback: number): number {
  const value = Number(process.env[name] ?? fallback);
  if (!Number.isInteger(value) || value < 1) throw new Error(`${name} must be a whole number from 1 on`);
  return value;
}
