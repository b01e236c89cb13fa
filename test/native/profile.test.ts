/** What runs inside compiled functions. */
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { profileStep } from "../../src/bench/profile.js";
import { compileFunction, profileCompiled } from "../../src/engine/compile/index.js";
import { openEngine } from "../../src/engine/index.js";
import { jitKernels } from "../../src/engine/jit/register.js";
import { openedTensorflow } from "../../src/engine/native.js";
import { type Trace, type TraceEvent, timesByType } from "../../src/engine/profile.js";
import { type Tensorflow, timeFunction } from "../../src/engine/tensorflow/index.js";
import { tinyConfig } from "../support/tinyRun.js";

let engine: Tensorflow;
beforeAll(async () => {
  await openEngine("native");
  engine = openedTensorflow()!;
});

const complete = ({ traceEvents }: Trace) => traceEvents.filter((event): event is TraceEvent => event.ph === "X");
const MIB = 2 ** 20;
const SIZE = 800;

/** Three products of squares, one after the other. */
const products = () =>
  compileFunction(engine, "products", [{ shape: [SIZE, SIZE], dtype: "float32" }], ([a]) => {
    let y = a;
    for (let i = 0; i < 3; i++) y = tf.mul(tf.matMul(y, y), 1 / SIZE);
    return [y];
  });

describe("the profile of compiled functions", () => {
  it("names the operations with their shapes and covers the time of the function", async () => {
    const [ones, call] = [tf.ones([SIZE, SIZE]), products()];
    const { result, trace } = await profileCompiled(engine, "three products", () => call.run([ones]));
    expect((await result[0].data())[0]).toBeCloseTo(1, 4);
    const events = complete(trace);
    const [whole, called] = ["three products", "products"].map((name) => events.find((event) => event.name === name)!);
    const operations = events.filter(({ cat }) => cat === "tensorflow");
    const matrix = operations.filter(({ name }) => /MatMul/.test(name));
    expect(matrix).toHaveLength(3);
    for (const { args } of matrix) expect(args.outputs[0]).toBe(`float32[${SIZE},${SIZE}]`);
    expect(timesByType(trace)[0]).toMatchObject({ op: matrix[0].name, count: 3 });
    let covered = 0;
    let end = 0;
    for (const { ts, dur, tid } of operations) {
      expect(tid).toBeGreaterThan(1);
      covered += Math.max(0, ts + dur - Math.max(ts, end));
      end = Math.max(end, ts + dur);
    }
    expect(covered / called.dur).toBeGreaterThan(0.5);
    expect(covered).toBeLessThanOrEqual(called.dur);
    expect(whole.dur).toBeGreaterThanOrEqual(called.dur);
    tf.dispose([ones, ...result]);
    call.release();
  });

  it("keeps no memory", async () => {
    const [ones, call] = [tf.ones([SIZE, SIZE]), products()];
    const { context } = engine;
    // by hand, to know the name that the function has in TensorFlow
    let name = "";
    const execute = context.executeAsync;
    context.executeAsync = (given, ...rest) => {
      name = given;
      return execute.call(context, given, ...rest);
    };
    tf.dispose(await call.run([ones]));
    context.executeAsync = execute;
    const ids = engine.backend.getInputTensorIds([ones]);
    const measure = async (times: number) => {
      for (let i = 0; i < times; i++) await timeFunction(context, name, ids, engine);
      return process.memoryUsage().rss / MIB;
    };
    const before = [tf.memory().numTensors, context.size];
    const first = await measure(5);
    // each call takes and gives at least one tensor of 2.4 MiB, three times
    expect((await measure(30)) - first).toBeLessThan(60);
    expect([tf.memory().numTensors, context.size]).toEqual(before);
    ones.dispose();
    call.release();
  });

  it("tells TensorFlow's own words where a function cannot be run", async () => {
    await expect(timeFunction(engine.context, "no_such_function", [], engine)).rejects.toThrow(/no_such_function/);
  });
});

it("a step is traced inside its two calls, and changes as an untraced one", async () => {
  const before = [tf.memory().numTensors, engine.context.size];
  const trace = await profileStep(tinyConfig(), { engine: "native" });
  expect([tf.memory().numTensors, engine.context.size]).toEqual(before);
  const events = complete(trace);
  // with kernels of our own one of them is AdamW
  const [update, operation] = jitKernels(engine) ? ["update", "AtmorepAdamw"] : ["adamw", "ResourceApplyAdam"];
  expect(events.filter(({ cat }) => cat === "function").map(({ name }) => name)).toEqual(["train_step", update]);
  expect(events[0]).toMatchObject({ name: "train step", ts: 0 });
  const types = timesByType(trace).map(({ op }) => op);
  expect(types).toContain(operation);
  expect(types.some((op) => op.includes("MatMul"))).toBe(true);
  for (const event of events) {
    expect(event.ts).toBeGreaterThanOrEqual(0);
    expect(event.ts + event.dur).toBeLessThanOrEqual(events[0].dur + 1000);
  }
});
