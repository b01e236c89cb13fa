/** How much memory a building command may take, and what each of its workers gets of it. */
import { availableParallelism, totalmem } from "node:os";
import { AtmorepError } from "../../errors.js";

const MIB = 2 ** 20;
/** What the program takes before it works, measured (Node 20, Linux: 110 to 150 MiB), and what a garbage collector leaves for later. */
const PROGRAM = 192 * MIB;
/** The same of one worker thread with its readers. */
const WORKER = 128 * MIB;
const LEAST_CACHE = 48 * MIB;
const MOST_CACHE = 512 * MIB;
const LEAST_DEFAULT = 1024 * MIB;

/**
 * A quarter of the machine's memory, or of what its container allows; at least 1 GiB.
 * @param processes on this machine, which share it
 */
export function defaultMemory(processes = 1): number {
  const bound = process.constrainedMemory?.() ?? 0;
  const all = bound > 0 && bound < totalmem() ? bound : totalmem();
  return Math.max(LEAST_DEFAULT, Math.floor(all / 4 / processes));
}

/** @param text `2GiB`, `512MiB`, `1.5g`; a bare number is MiB. @throws AtmorepError (usage) */
export function parseMemory(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*(?:([mg])(?:i?b)?)?$/i.exec(text.trim());
  const bytes = match ? Number(match[1]) * (match[2]?.toLowerCase() === "g" ? 1024 : 1) * MIB : 0;
  if (bytes > 0) return Math.floor(bytes);
  throw new AtmorepError("usage", "not a size", { where: "--memory", found: text, expected: "such as 2GiB or 512MiB" });
}

export interface Share {
  jobs: number;
  /** of each worker, for decoded parts of the source */
  cacheBytes: number;
}

export interface Needs {
  units: number;
  /** of one unit in work */
  unitBytes: number;
  /** what to do if not even one fits */
  smaller: string;
  /** null: as many as there are cores */
  jobs: number | null;
  memory: number;
}

/** As many workers as are wanted and fit. @throws AtmorepError (usage) if not even one does */
export function shareMemory({ units, unitBytes, smaller, jobs, memory }: Needs): Share {
  const each = unitBytes + WORKER + LEAST_CACHE;
  const fit = Math.floor((memory - PROGRAM) / each);
  if (fit < 1) {
    throw new AtmorepError("usage", "one part of the work does not fit into the memory", {
      where: "--memory",
      found: formatMemory(memory),
      expected: `at least ${formatMemory(Math.ceil((PROGRAM + each) / MIB) * MIB)}`,
      fix: smaller,
    });
  }
  const wanted = Math.max(1, Math.min(jobs ?? availableParallelism(), units, fit));
  const cacheBytes = Math.floor((memory - PROGRAM) / wanted) - WORKER - unitBytes;
  return { jobs: wanted, cacheBytes: Math.min(MOST_CACHE, cacheBytes) };
}

const formatMemory = (bytes: number): string =>
  bytes >= 1024 * MIB ? `${Number((bytes / (1024 * MIB)).toFixed(2))}GiB` : `${Math.round(bytes / MIB)}MiB`;
