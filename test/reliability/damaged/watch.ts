/** A command as a person gives it, with its time and the most memory that it held. */
import { spawn } from "node:child_process";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { LAUNCHER, ROOT } from "../../support/cli.js";
import { runCli } from "../../support/inProcess.js";

export interface Watched {
  code: number | null;
  /** of a process that was ended: what hangs is, after `LIMIT_SECONDS` of its own processor time or three times as long */
  signal: NodeJS.Signals | null;
  stderr: string;
  stdout: string;
  seconds: number;
  /** the largest of the process and those it started, bytes */
  peak: number;
}

/** In a process of its own where a number of cases is asked for. */
const HERE = process.env.ATMOREP_DAMAGED_INPUTS === undefined || process.env.ATMOREP_DAMAGED_HERE !== undefined;

/** Longer than this is a hang. */
export const LIMIT_SECONDS = 10;

/** Told by each process as it ends. */
const TELL = `import { appendFileSync } from "node:fs";
process.on("exit", () => {
  const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage();
  appendFileSync(process.env.ATMOREP_TEST_USAGE, [maxRSS * 1024, (userCPUTime + systemCPUTime) / 1e6].join(" ") + "\\n");
});`;

/** The same in the test's own process, which is quick; it does not tell memory, and a hang is the test's. */
async function here(args: readonly string[]): Promise<Watched> {
  const began = process.cpuUsage();
  const outcome = await runCli(...args);
  const { user, system } = process.cpuUsage(began);
  return { ...outcome, signal: null, seconds: (user + system) / 1e6, peak: 0 };
}

/** @param place a folder for notes of this call. `seconds` are of the processor, since other work may be going on */
export async function watch(args: readonly string[], place: string): Promise<Watched> {
  if (HERE) return here(args);
  const script = join(place, "tell.mjs");
  const usage = join(place, "usage");
  writeFileSync(script, TELL);
  rmSync(usage, { force: true });
  const env = {
    ...process.env,
    NODE_OPTIONS: `--import ${pathToFileURL(script)}`,
    ATMOREP_TEST_USAGE: usage,
    TMPDIR: join(place, "tmp"),
  };
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [LAUNCHER, ...args], { cwd: ROOT, env, stdio: ["ignore", "pipe", "pipe"] });
    const timer = setTimeout(() => child.kill("SIGKILL"), 6 * LIMIT_SECONDS * 1000);
    const text = { stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"] as const) {
      child[name].on("data", (chunk) => {
        if (text[name].length < 1e6) text[name] += chunk;
      });
    }
    child.on("error", reject);
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      const rows = existsSync(usage) ? readFileSync(usage, "utf8").trim().split("\n") : [];
      const numbers = rows.map((row) => row.split(" ").map(Number));
      const most = (i: number) => Math.max(0, ...numbers.map((row) => row[i]));
      resolve({ code, signal, ...text, seconds: most(1), peak: most(0) });
    });
  });
}
