import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import { profileStep } from "../../src/bench/profile.js";
import type { TraceEvent } from "../../src/engine/profile.js";
import { tinyConfig } from "../support/tinyRun.js";

it("a step's trace is what Perfetto reads: complete events inside the step, with shapes", async () => {
  const { traceEvents, displayTimeUnit } = await profileStep(tinyConfig(), { engine: "wasm" });
  expect(displayTimeUnit).toBe("ms");
  const [named, ...events] = traceEvents;
  expect(named).toEqual({ name: "process_name", ph: "M", pid: 1, tid: 1, args: { name: "atmorep, wasm" } });
  const operations = events as TraceEvent[];
  const whole = operations.find(({ name }) => name === "train step")!;
  expect(operations.length).toBeGreaterThan(100);
  for (const event of operations) {
    expect(event).toEqual({
      name: expect.stringMatching(/^\w[\w ]*$/),
      cat: "wasm",
      ph: "X",
      ts: expect.any(Number),
      dur: expect.any(Number),
      pid: 1,
      tid: 1,
      args: { inputs: expect.any(Array), outputs: expect.any(Array) },
    });
    expect(event.ts).toBeGreaterThanOrEqual(whole.ts);
    expect(event.ts + event.dur).toBeLessThanOrEqual(whole.ts + whole.dur + 1);
    for (const text of [...event.args.inputs, ...event.args.outputs]) expect(text).toMatch(/^\w+\[[\d,]*\]$/);
  }
  expect(operations.map(({ ts }) => ts)).toEqual(operations.map(({ ts }) => ts).sort((a, b) => a - b));
  // the kernels are as they were
  const before = traceEvents.length;
  tf.add(tf.ones([2]), 1).dispose();
  expect(traceEvents.length).toBe(before);
});
