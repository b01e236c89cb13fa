/** What the checks may ask of the machine; tests give another one. */
import { execFile } from "node:child_process";
import { readFile, statfs } from "node:fs/promises";
import { availableParallelism, freemem, totalmem } from "node:os";
import { mpiLibraries } from "../distributed/index.js";

export interface Host {
  nodeVersion: string;
  platform: string;
  arch: string;
  env: Readonly<Record<string, string | undefined>>;
  /** folder whose disk is looked at */
  cwd: string;
  threads: number;
  /** bytes */
  memory: { free: number; total: number };
  /** standard output of a program, both streams if `both`; null if it is missing, fails or takes more than 10 s */
  run(program: string, args: readonly string[], both?: boolean): Promise<string | null>;
  /** of MPI's libraries those that can be loaded; default those that are looked for */
  mpiLibraries(names?: readonly string[]): string[];
  /** null if the file cannot be read */
  readText(path: string): Promise<string | null>;
  /** free bytes of the disk that holds `path`; null if unknown */
  freeDisk(path: string): Promise<number | null>;
}

/** This machine. */
export function thisHost(): Host {
  return {
    nodeVersion: process.versions.node,
    platform: process.platform,
    arch: process.arch,
    env: process.env,
    cwd: process.cwd(),
    threads: availableParallelism(),
    memory: { free: freemem(), total: totalmem() },
    run: (program, args, both = false) =>
      new Promise((resolve) => {
        execFile(program, [...args], { timeout: 10_000 }, (error, stdout, stderr) => {
          resolve(error ? null : both ? stdout + stderr : stdout);
        });
      }),
    mpiLibraries,
    readText: (path) => readFile(path, "utf8").catch(() => null),
    freeDisk: async (path) => {
      const disk = await statfs(path).catch(() => null);
      return disk ? disk.bavail * disk.bsize : null;
    },
  };
}
