/** Kernels of our own as TensorFlow runs them: against TensorFlow.js's operations, traced and not, and what may fail. */
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { compileFunction } from "../../../src/engine/compile/index.js";
import type { KernelSource, Kernels } from "../../../src/engine/jit/operations.js";
import { FUSED, hasKernel, runFused } from "../../../src/engine/kernels/fused.js";
import {
  type AttentionInputs,
  attention,
  dropout,
  ensembleMoments,
  gelu,
  layerNorm,
  linear,
  memberSquares,
  only,
} from "../../../src/engine/kernels/index.js";
import { BACKEND, type Tensorflow } from "../../../src/engine/tensorflow/index.js";
import { statelessUniform } from "../../../src/random/philox.js";
import { evaluate, expectDifferences, type Fn, normal, type Plain } from "../../engine/support.js";
import { openWithKernels } from "../support.js";
import { distance } from "./machines.js";

let engine: Tensorflow;
let kernels: Kernels;

beforeAll(async () => {
  ({ engine, kernels } = await openWithKernels());
});

/** Value and gradients on the native engine, and by TensorFlow.js's operations on its cpu backend. */
async function expectPlain(fn: Fn, inputs: Plain[], tolerance = 1e-5): Promise<void> {
  const expected = await evaluate("cpu", fn, inputs);
  const actual = await evaluate(BACKEND, fn, inputs);
  for (const [i, array] of expected.entries()) {
    expect(distance(actual[i], array), i === 0 ? "value" : `gradient ${i - 1}`).toBeLessThan(tolerance);
  }
}

/** Traced as one function and kernel by kernel: the same bits. */
async function expectTraced(fn: (inputs: tf.Tensor[]) => tf.Tensor[], inputs: Plain[]): Promise<void> {
  const tensors = inputs.map(({ shape, data }) => tf.tensor(data, shape));
  const eager = tf.tidy(() => fn(tensors));
  const signatures = tensors.map(({ shape }) => ({ shape: [...shape], dtype: "float32" as const }));
  const compiled = compileFunction(engine, "traced", signatures, fn);
  const traced = await compiled.run(tensors);
  expect(traced.map((x) => x.shape)).toEqual(eager.map((x) => x.shape));
  expect(traced.map((x) => x.dataSync())).toEqual(eager.map((x) => x.dataSync()));
  compiled.release();
  tf.dispose([tensors, eager, traced]);
}

/** A function, and its gradients for a gradient of its value. */
const withGradients =
  (fn: Fn) =>
  ([dy, ...inputs]: tf.Tensor[]): tf.Tensor[] => {
    const value = fn(inputs);
    return [value, ...tf.grads((...given) => tf.sum(tf.mul(fn(given), dy)))(inputs)];
  };

it("every kernel is there", () => {
  const { attention, attentionGrad, linear, linearGrad, product, dropoutMask, norm, adamw } = FUSED;
  // the norm is traced with the gradients; AdamW changes a state in place, which no kernel of TensorFlow.js may
  const composed: string[] = [attention, attentionGrad, linear, linearGrad, product, dropoutMask, norm, adamw];
  for (const name of Object.values(FUSED)) expect([name, hasKernel(name)]).toEqual([name, !composed.includes(name)]);
});

const HEADS = 3;
const W = 5;
const SHAPE = { batch: 2, heads: HEADS };
const [T, S] = [9, 13];

/** Inputs with their columns in one, two or three tensors. */
const SOURCES: [string, Plain[], (tensors: tf.Tensor[]) => Pick<AttentionInputs, "q" | "k" | "v">][] = [
  [
    "one tensor",
    [normal(1, [2 * T, HEADS * 3 * W])],
    ([x]) => ({ q: { x, parts: 3, part: 0 }, k: { x, parts: 3, part: 1 }, v: { x, parts: 3, part: 2 } }),
  ],
  [
    "two tensors",
    [normal(2, [2 * T, HEADS * W]), normal(3, [2 * S, HEADS * 2 * W])],
    ([q, x]) => ({ q: only(q), k: { x, parts: 2, part: 0 }, v: { x, parts: 2, part: 1 } }),
  ],
  [
    "three tensors",
    [normal(4, [2 * T, HEADS * W]), normal(5, [2 * S, HEADS * W]), normal(6, [2 * S, HEADS * W])],
    ([q, k, v]) => ({ q: only(q), k: only(k), v: only(v) }),
  ],
];
const WEIGHTS = [11, 12, 13, 14].map((seed) => normal(seed, [W]));

describe("attention", () => {
  it.each(
    SOURCES.flatMap(([name, tensors, columns]) => [1, 2, 3, 7].map((groups) => ({ name, tensors, columns, groups }))),
  )("of $name, heads in $groups groups", async ({ tensors, columns, groups }) => {
    const shape = { ...SHAPE, groups };
    await expectPlain((given) => attention(columns(given), shape), tensors);
    const keys = { queries: false, keys: true };
    await expectPlain((given) => attention({ ...columns(given), norms: keys }, shape), tensors);
    const normed: Fn = (given) => {
      const [qGamma, qBeta, kGamma, kBeta] = given.slice(-4);
      const weights = { q: { gamma: qGamma, beta: qBeta }, k: { gamma: kGamma, beta: kBeta } };
      return attention({ ...columns(given), norms: { queries: true, keys: true, weights } }, shape);
    };
    await expectPlain(normed, [...tensors, ...WEIGHTS]);
  });

  it("of chosen rows, some twice", async () => {
    const [, tensors, columns] = SOURCES[1];
    for (const list of [[17, 0, 4, 4], [8], []]) {
      const chosen: Fn = (given) => attention(columns(given), { ...SHAPE, groups: 2 }, tf.tensor1d(list, "int32"));
      if (list.length > 0) await expectPlain(chosen, tensors);
      else expect((await evaluate(BACKEND, chosen, tensors))[1].every((slope) => slope === 0)).toBe(true);
    }
  });

  it("has the slopes of its values, also those of the norms' weights", async () => {
    const [, tensors, columns] = SOURCES[1];
    // what is added to every key alike changes nothing
    const [kBeta] = WEIGHTS.slice(-1);
    const normed: Fn = (given) => {
      const [qGamma, qBeta, kGamma] = given.slice(-3);
      const beta = tf.tensor(kBeta.data, kBeta.shape);
      const weights = { q: { gamma: qGamma, beta: qBeta }, k: { gamma: kGamma, beta } };
      return attention({ ...columns(given), norms: { queries: true, keys: true, weights } }, SHAPE);
    };
    await expectDifferences(BACKEND, normed, [...tensors, ...WEIGHTS.slice(0, 3)]);
  });

  it("of columns that are used twice, or not at all", async () => {
    const [x] = SOURCES[0][1];
    await expectPlain(([x]) => attention({ q: only(x), k: only(x), v: only(x) }, { ...SHAPE, heads: 5 }), [x]);
    const [q, k] = SOURCES[1][1];
    const keysAlone: Fn = ([q, x]) => {
      const keys = { x, parts: 2, part: 0 };
      return attention({ q: only(q), k: keys, v: keys, norms: { queries: true, keys: true } }, SHAPE);
    };
    await expectPlain(keysAlone, [q, k]);
  });

  it("leaves no tensor and no memory behind over 2000 calls", () => {
    const tensors = SOURCES[1][1].map(({ shape, data }) => tf.tensor(data, shape));
    const [, , columns] = SOURCES[1];
    const call = () => tf.dispose(attention(columns(tensors), { ...SHAPE, groups: 2 }));
    for (let i = 0; i < 200; i++) call();
    const before = [tf.memory().numTensors, engine.context.size];
    const rss = process.memoryUsage().rss;
    for (let i = 0; i < 2000; i++) call();
    expect([tf.memory().numTensors, engine.context.size]).toEqual(before);
    expect(process.memoryUsage().rss - rss).toBeLessThan(200 * 2 ** 20);
    tf.dispose(tensors);
  });
});

describe("other kernels", () => {
  it.each([1, 2, 5])("layer norm, GELU and linear layers of %i rows", async (rows) => {
    const x = normal(1, [rows, 2, 7]);
    await expectPlain(([x]) => layerNorm(x), [x]);
    await expectPlain(([x, gamma, beta]) => layerNorm(x, gamma, beta), [x, normal(2, [7]), normal(3, [7])]);
    await expectPlain(([x]) => gelu(x), [x]);
    const layer = [normal(4, [rows, 7]), normal(5, [3, 7]), normal(6, [3])];
    await expectPlain(([x, weight, bias]) => linear(x, weight, bias), layer);
    await expectPlain(([x, weight]) => linear(x, weight), layer.slice(0, 2));
  });

  it("without rows there is nothing, and gradients of weights are 0", async () => {
    const none = { shape: [0, 7], data: new Float32Array(0) };
    const weights = [normal(2, [7]), normal(3, [7])];
    const results = [
      await evaluate(BACKEND, ([x, gamma, beta]) => layerNorm(x, gamma, beta), [none, ...weights]),
      await evaluate(BACKEND, ([x, weight, bias]) => linear(x, weight, bias), [
        none,
        normal(5, [3, 7]),
        normal(6, [3]),
      ]),
      await evaluate(BACKEND, ([x]) => gelu(x), [none]),
      await evaluate(BACKEND, ([x]) => dropout(x, 0.5, [1, 2]), [none]),
    ];
    for (const [value, dx, ...others] of results) {
      expect([value.length, dx.length]).toEqual([0, 0]);
      for (const gradient of others) expect(gradient.every((slope) => slope === 0)).toBe(true);
    }
  });

  it("mean, spread and squared errors of an ensemble", async () => {
    const ens = normal(1, [4, 5, 7]);
    await expectPlain(
      ([x]) => {
        const { mean, std } = ensembleMoments(x);
        return tf.add(tf.mul(mean, 2), std);
      },
      [ens],
    );
    const [target, weights] = [normal(2, [4, 7]), normal(3, [4, 7])];
    await expectPlain(
      ([x]) => {
        const [t, w] = [target, weights].map(({ shape, data }) => tf.tensor(data, shape));
        const plain = () => tf.sum(tf.mul(tf.square(tf.sub(x, tf.expandDims(t, 1))), tf.expandDims(w, 1)));
        return memberSquares(x, t, () => w) ?? plain();
      },
      [ens],
    );
  });

  it.each([
    [4, 1, 7],
    [3, 4, 5],
    [6, 2, 2],
    [3, 3, 4],
  ])("dropout of %i rows in %i lanes, width %i: the mask of all rows, forward and backward", async (rows, lanes, d) => {
    const x = { shape: [rows, d], data: new Float32Array(rows * d).fill(1) };
    const seed: [number, number] = [2 ** 33 + 5, 9];
    const uniform = statelessUniform(rows * d * lanes, seed);
    for (let index = 0; index < lanes; index++) {
      const masked: Fn = ([x]) => dropout(x, 0.3, seed, { index, lanes });
      const [value, slope] = await evaluate(BACKEND, masked, [x]);
      const keep = Math.fround(1 / 0.7);
      const mask = uniform.subarray(index * rows * d, (index + 1) * rows * d).map((u) => (u >= 0.3 ? keep : 0));
      expect(value).toEqual(mask);
      // upstream are the numbers that `evaluate` weighs the value with
      expect(slope).toEqual(normal(99, [rows, d]).data.map((dy, i) => dy * mask[i]));
    }
  });
});

describe("traced", () => {
  it.each(SOURCES)("attention of %s", async (_, tensors, columns) => {
    const dy = normal(20, [2 * T, HEADS * W]);
    await expectTraced(
      withGradients((given) => attention(columns(given), { ...SHAPE, groups: 2 })),
      [dy, ...tensors],
    );
  });

  it("layer norm, GELU, gradients of weights", async () => {
    const x = normal(21, [9, 37]);
    const dy = normal(22, [9, 37]);
    await expectTraced(
      withGradients(([x, gamma, beta]) => layerNorm(x, gamma, beta)),
      [dy, x, normal(23, [37]), normal(24, [37])],
    );
    await expectTraced(
      withGradients(([x]) => layerNorm(x)),
      [dy, x],
    );
    await expectTraced(
      withGradients(([x]) => gelu(x)),
      [dy, x],
    );
    await expectTraced(([x, dy]) => runFused(FUSED.weightGrad, { x, dy }), [x, dy]);
  });

  it("two functions that wait for one kernel, at once", async () => {
    // a width that nobody has asked for
    const inputs = [normal(1, [4, 6]), normal(2, [4, 6]), normal(3, [4, 6])];
    const fn = ([q, k, v]: tf.Tensor[]) => [
      attention({ q: only(q), k: only(k), v: only(v), norms: { queries: true, keys: false } }, { batch: 1, heads: 1 }),
    ];
    const signatures = inputs.map(({ shape }) => ({ shape, dtype: "float32" as const }));
    const [a, b] = ["a", "b"].map((name) => compileFunction(engine, name, signatures, fn));
    const tensors = inputs.map(({ shape, data }) => tf.tensor(data, shape));
    const [[first], [second]] = await Promise.all([a.run(tensors), b.run(tensors)]);
    expect(first.dataSync()).toEqual(second.dataSync());
    tf.dispose([tensors, first, second]);
  });
});

describe("what fails", () => {
  const broken =
    (text: string): KernelSource["source"] =>
    () =>
      text;
  const PLAN = { outputs: [[1]], parameters: [] };
  const INVALID =
    "define void @kernel(ptr %a, ptr %b, ptr %c, ptr %d) {\n  %x = fadd float 1.0, %nothing\n  ret void\n}";

  it("assembly that LLVM does not take is told in its words", () => {
    const x = tf.scalar(1);
    const error = { name: "LlvmError", message: expect.stringContaining("%nothing") };
    expect(() => kernels.run("Broken", broken(INVALID), [x], PLAN)).toThrow(expect.objectContaining(error));
    x.dispose();
  });

  it("also when a traced function first needs it, and then others go on", async () => {
    const compiled = compileFunction(engine, "broken", [{ shape: [], dtype: "float32" }], ([x]) =>
      kernels.run("BrokenToo", broken(INVALID.replace("nothing", "nobody")), [x], PLAN),
    );
    const x = tf.scalar(1);
    await expect(compiled.run([x])).rejects.toMatchObject({ name: "LlvmError", message: /%nobody/ });
    await expectTraced(([x]) => [gelu(x)], [normal(1, [3])]);
    x.dispose();
  });

  it("no memory", () => {
    const x = tf.tensor1d([1]);
    const nothing = "define void @kernel(ptr %a, ptr %b, ptr %c, ptr %d) {\n  ret void\n}";
    const run = (scratch: number) => kernels.run("Nothing", broken(nothing), [x], { ...PLAN, scratch });
    tf.dispose(run(1));
    const before = engine.context.size;
    // TensorFlow waits ten seconds for memory that others may give back
    expect(() => run(2 ** 50)).toThrow(/no memory for the outputs or the scratch space/);
    expect(engine.context.size).toBe(before);
    tf.dispose(run(1));
    x.dispose();
  });
});
