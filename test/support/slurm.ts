/** Slurm on this machine alone, of the set-up beside the repository; Debian's slurm-wlm and munge, and root. */
import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, symlinkSync } from "node:fs";
import { join, resolve } from "node:path";
import { LAUNCHER, ROOT, runProgram } from "./cli.js";

const SETUP = resolve(ROOT, process.env.ATMOREP_SHARED ?? "../shared", "cluster");
const LIMIT_MS = 240_000;

export interface Slurm {
  /** its files */
  dir: string;
  env: NodeJS.ProcessEnv;
  stop(): void;
}

/** @param cpus that Slurm gives out on each node, however many the machine has */
export function startSlurm(dir: string, cpus: number, nodes = 1): Slurm {
  const up = spawnSync(join(SETUP, "slurm_up.sh"), [dir, String(cpus), String(nodes)], { encoding: "utf8" });
  if (up.status !== 0) throw new Error(`no Slurm: ${up.stdout}${up.stderr}`);
  const { SLURM_JOB_ID: _, ...own } = process.env;
  return {
    dir,
    env: { ...own, SLURM_CONF: join(dir, "slurm.conf") },
    stop: () => {
      spawnSync(join(SETUP, "slurm_down.sh"), [dir]);
    },
  };
}

/** A folder from which jobs are submitted, as one in which the package is installed. */
export function submitFolder(dir: string): string {
  const bin = join(dir, "node_modules", ".bin");
  for (const folder of [bin, join(dir, "logs"), join(dir, "output")]) mkdirSync(folder, { recursive: true });
  symlinkSync(LAUNCHER, join(bin, "atmorep"));
  return dir;
}

export const script = (name: string): string => join(ROOT, "scripts", "slurm", name);

/** A command of Slurm's to its end. @returns standard output; throws what it says if it fails */
export async function slurm(env: NodeJS.ProcessEnv, cwd: string, ...command: string[]): Promise<string> {
  const { code, stdout, stderr } = await runProgram(command[0], command.slice(1), cwd, env);
  if (code !== 0) throw new Error(`${command.join(" ")}: exit ${code}: ${stderr}${stdout}`);
  return stdout.trim();
}

/** Waits for what comes within minutes. */
export async function until<T>(what: string, look: () => T | Promise<T>): Promise<NonNullable<T>> {
  const end = Date.now() + LIMIT_MS;
  for (;;) {
    const found = await look();
    if (found) return found;
    if (Date.now() > end) throw new Error(`${what}: not within ${LIMIT_MS / 1000} s`);
    await new Promise((later) => setTimeout(later, 200));
  }
}

/** State of a job, such as `RUNNING`, and its exit code. */
export async function jobState({ env }: Slurm, cwd: string, job: string): Promise<{ state: string; code: number }> {
  const text = await slurm(env, cwd, "scontrol", "show", "job", job);
  const code = Number(/ExitCode=(\d+):/.exec(text)?.[1]);
  return { state: /JobState=(\w+)/.exec(text)?.[1] ?? "", code };
}

const OVER = ["COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "NODE_FAIL", "OUT_OF_MEMORY"];

export const jobEnd = (cluster: Slurm, cwd: string, job: string) =>
  until(`end of job ${job}`, async () => {
    const now = await jobState(cluster, cwd, job);
    return OVER.includes(now.state) ? now : null;
  });

/** Slurm starts what is requeued after two minutes; here once nothing of its former life is left on the nodes. */
export async function startAgain(cluster: Slurm, cwd: string, job: string): Promise<void> {
  await until(`job ${job} in the queue`, async () => (await jobState(cluster, cwd, job)).state === "PENDING");
  const spool = join(cluster.dir, "slurmd");
  const steps = () =>
    readdirSync(spool, { withFileTypes: true }).flatMap((node) =>
      node.isDirectory() ? readdirSync(join(spool, node.name)) : [],
    );
  await until("end of its steps", () => !steps().some((name) => name.includes(`_${job}.`)));
  await slurm(cluster.env, cwd, "scontrol", "update", `jobid=${job}`, "starttime=now");
}

/** Rows of a file; 0 while it is not there. */
export function rowsOf(path: string): number {
  try {
    return readFileSync(path, "utf8").split("\n").length - 1;
  } catch {
    return 0;
  }
}
