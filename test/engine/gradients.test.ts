import { createRequire } from "node:module";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { registerGradients } from "../../src/engine/gradients/index.js";
import { openEngine } from "../../src/engine/index.js";
import { BEYOND, CASES, NEVER_CALLED } from "./gradientCases.js";
import { evaluate, expectDifferences, type Plain } from "./support.js";

/** Names of all kernels for which TensorFlow.js's own package registers a gradient. */
const theirs: string[] = [];
/** Values and gradients on its plain backend, by its own rules. */
const expected = new Map<string, Float32Array[]>();

beforeAll(async () => {
  // the umbrella package registers its gradients in the same table
  createRequire(import.meta.url)("@tensorflow/tfjs");
  for (const name of new Set(Object.values(tf))) {
    if (typeof name === "string" && tf.getGradient(name) !== undefined) theirs.push(name);
  }
  for (const [name, { fn, inputs }] of Object.entries(CASES)) expected.set(name, await evaluate("cpu", fn, inputs));
  await openEngine("wasm");
  registerGradients();
});

/** Fails where one number differs from its own by more than rounding. */
function expectClose(actual: Float32Array[], wanted: Float32Array[]): void {
  for (const [i, array] of wanted.entries()) {
    const scale = array.reduce((most, x) => Math.max(most, Math.abs(x)), 1);
    expect(actual[i].length).toBe(array.length);
    for (const [j, x] of array.entries()) expect(Math.abs(actual[i][j] - x) / scale, `${i}[${j}]`).toBeLessThan(2e-5);
  }
}

describe("gradients", () => {
  it("are there for every operation for which TensorFlow.js has one", () => {
    expect(theirs.length).toBeGreaterThan(95);
    expect(theirs.filter((name) => !(name in CASES) && !NEVER_CALLED.includes(name))).toEqual([]);
  });

  it.each(Object.keys(CASES))("of %s are those of TensorFlow.js", async (name) => {
    const { fn, inputs } = CASES[name];
    for (const backend of ["wasm", "cpu"]) {
      expectClose(await evaluate(backend, fn, inputs), expected.get(name)!);
    }
  });

  it.each(Object.keys(BEYOND))("of %s are slopes", async (name) => {
    const { fn, inputs } = BEYOND[name];
    for (const backend of ["wasm", "cpu"]) await expectDifferences(backend, fn, inputs as Plain[], 1e-3);
  });
});
