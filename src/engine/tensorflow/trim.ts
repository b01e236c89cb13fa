/** Giving back the memory that only loading a library needed. */
import { readFileSync } from "node:fs";
import { C_TYPES } from "./declarations.js";

const MADV_DONTNEED = 4;

interface Mapping {
  start: number;
  end: number;
}

/**
 * Unmodified read-only mappings of files whose name contains `name`.
 * @param smaps text of /proc/self/smaps (proc(5))
 */
export function cleanMappings(smaps: string, name: string): Mapping[] {
  return smaps.split(/\n(?=[0-9a-f]+-[0-9a-f]+ )/).flatMap((text) => {
    const head = /^([0-9a-f]+)-([0-9a-f]+) r-[-x]p .*\/([^/\n]*)\n/.exec(text);
    // what relocation has changed would be lost
    if (!head?.[3].includes(name) || !/^Anonymous: +0 kB$/m.test(text)) return [];
    return [{ start: Number.parseInt(head[1], 16), end: Number.parseInt(head[2], 16) }];
  });
}

/**
 * Loading TensorFlow touches 250 MiB of its file, most of which is never used again. Those pages are as they are in
 * the file: dropped, they come back when they are read.
 */
export function trimLibrary(system: import("koffi").LibraryHandle, name: string): void {
  if (process.platform !== "linux") return;
  let smaps: string;
  try {
    smaps = readFileSync("/proc/self/smaps", "utf8");
  } catch {
    return; // a system without /proc
  }
  const madvise = system.func("madvise", "int", [C_TYPES.address, C_TYPES.size, "int"]);
  for (const { start, end } of cleanMappings(smaps, name)) madvise(start, end - start, MADV_DONTNEED);
}
