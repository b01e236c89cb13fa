import { afterEach, describe, expect, it } from "vitest";
import { createRuntime } from "../../src/kernel/cells.js";
import { Interrupted, Run, setCurrentRun } from "../../src/kernel/runs.js";

afterEach(() => setCurrentRun(undefined));

describe("a check in cell code", () => {
  const stop = new Int32Array(new SharedArrayBuffer(4));
  const { check } = createRuntime(stop, async () => ({}));

  it("aborts the cell's signal before it throws, though the message that interrupts is still on its way", () => {
    const run = new Run(1, 1);
    setCurrentRun(run);
    const seen: boolean[] = [];
    run.controller.signal.addEventListener("abort", () => seen.push(true));
    Atomics.store(stop, 0, 0);
    check();
    expect(seen).toEqual([]);
    Atomics.store(stop, 0, 1);
    expect(check).toThrow(Interrupted);
    expect(check).toThrow(Interrupted);
    expect(seen).toEqual([true]);
  });
});
