import { availableParallelism } from "node:os";
import { describe, expect, it } from "vitest";
import { askedThreads } from "../../src/engine/threads.js";

describe("ATMOREP_THREADS", () => {
  it("is a number of threads, or as many as there are processors", () => {
    expect(askedThreads({})).toBe(availableParallelism());
    expect(askedThreads({ ATMOREP_THREADS: "" })).toBe(availableParallelism());
    expect(askedThreads({ ATMOREP_THREADS: "3" })).toBe(3);
  });

  it("without it Slurm's count of a task's cores, or the share of several processes, is a bound", () => {
    expect(askedThreads({ SLURM_CPUS_ON_NODE: "1" })).toBe(1);
    expect(askedThreads({ SLURM_CPUS_ON_NODE: "4096" })).toBe(availableParallelism());
    expect(askedThreads({ SLURM_CPUS_ON_NODE: "2", SLURM_CPUS_PER_TASK: "1" })).toBe(1);
    expect(askedThreads({}, 3)).toBe(3);
    expect(askedThreads({ ATMOREP_THREADS: "5" }, 3)).toBe(5);
  });

  it.each(["0", "-1", "2.5", "two", "Infinity", "1e9"])("%s is refused", (text) => {
    expect(() => askedThreads({ ATMOREP_THREADS: text })).toThrow(
      `ATMOREP_THREADS: not a number of threads; found ${text}; expected a whole number from 1 to 1024`,
    );
  });
});
