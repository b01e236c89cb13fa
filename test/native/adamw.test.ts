/** AdamW on the native engine without kernels of our own: TensorFlow's operations, one by one and as its own Adam. */
import { beforeAll, describe, expect, it, vi } from "vitest";
import { type Engine, openEngine } from "../../src/engine/index.js";
import { openedTensorflow } from "../../src/engine/native.js";
import { type Order, single, tensorflow, updates } from "../engine/adamwReference.js";

/** Numbers in multiples of a vector's length and not. */
const SHAPES = [[3], [1], [150, 131], [64, 8], []];
const SETTINGS = { learningRate: 1e-3, weightDecay: 0.02, emaDecay: 0.97 };

const engines: Record<string, Engine> = {};
beforeAll(async () => {
  vi.stubEnv("ATMOREP_KERNELS", "0");
  for (const [mode, value] of Object.entries({ compiled: "1", eager: "0" })) {
    vi.stubEnv("ATMOREP_COMPILE", value);
    engines[mode] = await openEngine("native");
  }
});

describe.each([
  ["with a moving average", true],
  ["without one", false],
])("updates %s", (_, averaged) => {
  it.each<[string, Order]>([
    ["compiled", tensorflow],
    ["eager", single],
  ])("%s: bit for bit in its own order", async (mode, order) => {
    const size = openedTensorflow()!.context.size;
    const { compiles, kernels } = engines[mode];
    expect([compiles, kernels?.used]).toEqual([mode === "compiled", false]);
    const { actual, expected, tensorsLeft } = await updates(engines[mode], order, SHAPES, {
      settings: SETTINGS,
      averaged,
    });
    expect(actual).toEqual(expected);
    expect(tensorsLeft).toBe(0);
    expect(openedTensorflow()!.context.size).toBe(size);
  });
});
