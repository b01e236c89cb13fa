import { describe, expect, it } from "vitest";
import { attentionKernel, attentionScratch } from "../../../src/engine/jit/attention.js";
import { attentionGradKernel, attentionGradScratch } from "../../../src/engine/jit/attentionGrad.js";
import { attentionParameters } from "../../../src/engine/jit/attentionLayout.js";
import type { Jit } from "../../../src/engine/llvm/jit.js";
import fc from "../../support/property.js";
import { type Case, type Expected, type Given, given, reference, type Shape } from "./attentionReference.js";
import { compileKernel, distance, MACHINES } from "./machines.js";

const SELF = [0, 0, 0] as const;
const CROSS = [0, 1, 1] as const;
const APART = [0, 1, 2] as const;
const NONE = { queries: false, keys: false };
const QUERIES = { queries: true, keys: false };
const KEYS = { queries: false, keys: true };
const BOTH = { queries: true, keys: true };
const variant = (
  w: number,
  sources: Case["sources"],
  norms: Case["norms"],
  { weighted = false, chosen = false } = {},
): Case => ({ w, sources, norms, weighted, chosen });
const WEIGHTS = { weighted: true };
const ROWS = { chosen: true };

const VARIANTS = [
  variant(1, APART, NONE),
  variant(3, SELF, BOTH, { ...WEIGHTS, ...ROWS }),
  variant(8, CROSS, KEYS),
  variant(16, SELF, BOTH),
  variant(16, [0, 0, 1], QUERIES, WEIGHTS),
  variant(20, CROSS, BOTH, WEIGHTS),
  variant(32, SELF, NONE),
  variant(40, CROSS, KEYS, ROWS),
  variant(48, APART, KEYS, WEIGHTS),
  variant(64, CROSS, BOTH),
];
const [here, ...others] = MACHINES;
/** Of other processors a sample. */
const CASES = [here, ...others].flatMap(([name, jit]) =>
  VARIANTS.filter(({ w }) => jit === here[1] || [3, 8, 20].includes(w)).map((variant): [string, Case, Jit] => [
    `${described(variant)}, ${name}`,
    variant,
    jit,
  ]),
);

function described({ w, sources, norms: { queries, keys }, weighted, chosen }: Case): string {
  const norms = `${queries ? "q" : ""}${keys ? "k" : ""}` || "none";
  return `head width ${w}, sources ${sources}, norms ${norms}${weighted ? " weighted" : ""}${chosen ? ", chosen rows" : ""}`;
}

/** queries, keys, sequences, heads, of which `first` to `end` are computed, and rows that are chosen in kernels with lists */
const SHAPES = [
  [1, 1, 1, 1, 0, 1, 1],
  [1, 300, 1, 2, 0, 2, 3],
  [37, 1, 1, 2, 1, 2, 40],
  [2, 37, 3, 2, 0, 1, 1],
  [37, 2, 2, 4, 1, 3, 0],
  [53, 97, 2, 3, 0, 3, 130],
  [97, 53, 1, 3, 2, 3, 24],
  [24, 256, 1, 2, 0, 1, 25],
  [25, 257, 1, 1, 0, 1, 48],
  [48, 96, 2, 1, 0, 1, 49],
  [49, 95, 1, 2, 1, 2, 7],
  [5, 530, 1, 1, 0, 1, 9],
  [300, 300, 1, 1, 0, 1, 100],
].map(([t, s, batch, heads, first, end, chosen]): Shape => ({ t, s, batch, heads, first, end, chosen }));

interface Result {
  o: Float32Array;
  gradients: Float32Array[];
}
type Kernels = (given: Given) => Result;

/** Both kernels of a variant. */
function kernels(jit: Jit, variant: Case): Kernels {
  const { target } = jit;
  const forward = compileKernel(jit, (name) => attentionKernel(target, name, variant));
  const backward = compileKernel(jit, (name) => attentionGradKernel(target, name, variant));
  return ({ sizes, tensors, rows, weights, dy }) => {
    const { batch, heads, t, s, first, end, chosen } = sizes;
    const { w } = variant;
    const computed = end - first;
    const parameters = attentionParameters(sizes);
    const three = variant.sources.map((i) => tensors[i]);
    const list = rows ? [rows] : [];
    const last = weights ? [weights] : [];
    const queries = rows ? rows.length : batch * t;
    const columns = computed * w;
    const [o, stats] = forward({
      inputs: [...three, ...list, ...last],
      outputs: [queries * columns, 2 * computed * queries],
      scratch: attentionScratch(target, w, s, chosen),
      parameters,
    });
    // the results of all heads; those of others must not be read
    const all = new Float32Array(queries * heads * w).fill(Number.NaN);
    for (let row = 0; row < queries; row++) {
      all.set(o.subarray(row * columns, (row + 1) * columns), (row * heads + first) * w);
    }
    const gradients = backward({
      inputs: [...three, ...list, all, dy, stats, ...last],
      outputs: [
        ...three.map((_, i) => ((tensors[i]?.length ?? 0) / heads) * computed),
        ...last.map(({ length }) => length),
      ],
      scratch: attentionGradScratch(target, w, t, chosen),
      parameters,
    });
    return { o, gradients: [...gradients.slice(0, tensors.length), ...gradients.slice(three.length)] };
  };
}

function expectEqual(actual: Result, expected: Expected, what: string): void {
  expect(distance(actual.o, expected.o), `${what}: value`).toBeLessThan(2e-6);
  for (const [i, gradient] of expected.gradients.entries()) {
    expect(distance(actual.gradients[i], gradient), `${what}: gradient ${i}`).toBeLessThan(1e-5);
  }
}

/** Queries and keys of one tensor have the same rows. */
function fitting({ sources: [q, k] }: Case, shape: Shape): Shape {
  const rows = Math.min(300, Math.max(shape.t, shape.s));
  return q === k ? { ...shape, t: rows, s: rows } : shape;
}

/** References are the same for every processor. */
const references = new Map<string, Expected>();

describe("attention and its gradients", () => {
  it.each(CASES)("%s", (_, variant, jit) => {
    const run = kernels(jit, variant);
    for (const [i, shape] of SHAPES.entries()) {
      const input = given(variant, fitting(variant, shape), i);
      const key = JSON.stringify([variant, i]);
      const expected = references.get(key) ?? reference(input);
      references.set(key, expected);
      expectEqual(run(input), expected, JSON.stringify(shape));
    }
  });
});

describe.each(MACHINES)("for every shape, %s", (_, jit) => {
  it.each([
    ["any range of heads", variant(5, CROSS, BOTH, WEIGHTS)],
    ["any choice of rows", variant(4, CROSS, QUERIES, { ...WEIGHTS, ...ROWS })],
  ])("%s", (_, variant) => {
    const run = kernels(jit, variant);
    const queries = fc.integer({ min: 1, max: 60 });
    // with a single one the gradients of queries are nothing but rounding
    const keys = fc.integer({ min: 2, max: 60 });
    const few = fc.integer({ min: 1, max: 3 });
    fc.assert(
      fc.property(queries, keys, few, few, few, fc.nat(80), fc.nat(1000), (t, s, batch, first, count, chosen, seed) => {
        const end = first - 1 + count;
        const input = given(variant, { t, s, batch, heads: Math.max(3, end), first: first - 1, end, chosen }, seed);
        expectEqual(run(input), reference(input), "random");
      }),
      { numRuns: 25 },
    );
  });
});

describe.each(MACHINES)("what is not a number, %s", (_, jit) => {
  const plain = variant(20, APART, NONE);
  const shape = { batch: 2, heads: 2, first: 0, end: 2, t: 30, s: 300, chosen: 0 };
  const input = given(plain, shape, 1);
  const columns = 2 * plain.w;
  const run = kernels(jit, plain);
  const clean = run(input);

  /** Rows and columns of a tensor in which the two differ. */
  function changed(actual: Float32Array, expected: Float32Array): { rows: Set<number>; columns: Set<number> } {
    const at = [...actual.keys()].filter((i) => !Object.is(actual[i], expected[i]));
    expect(at.every((i) => Number.isNaN(actual[i]))).toBe(true);
    return { rows: new Set(at.map((i) => Math.floor(i / columns))), columns: new Set(at.map((i) => i % columns)) };
  }
  const withNumber = (which: "q" | "k" | "v" | "dy", row: number, column: number, value = Number.NaN): Result => {
    const tensors = input.tensors.map((tensor) => tensor.slice());
    const dy = input.dy.slice();
    (which === "dy" ? dy : tensors["qkv".indexOf(which)])[row * columns + column] = value;
    return run({ ...input, tensors, dy });
  };
  const range = (from: number, to: number) => new Set(Array.from({ length: to - from }, (_, i) => from + i));
  const [FIRST, SECOND] = [range(0, plain.w), range(plain.w, columns)];
  const NO_ONE = { rows: new Set(), columns: new Set() };

  it("in a query: that query's result, and every key's gradient", () => {
    const { o, gradients } = withNumber("q", 29, 3);
    expect(changed(o, clean.o)).toEqual({ rows: new Set([29]), columns: FIRST });
    expect(changed(gradients[0], clean.gradients[0])).toEqual({ rows: new Set([29]), columns: FIRST });
    for (const i of [1, 2]) {
      expect(changed(gradients[i], clean.gradients[i])).toEqual({ rows: range(0, 300), columns: FIRST });
    }
  });

  it.each([0, 7, 255, 256, 299])("in key %i: every query's result", (key) => {
    const { o, gradients } = withNumber("k", 300 + key, plain.w + 19);
    expect(changed(o, clean.o)).toEqual({ rows: range(30, 60), columns: SECOND });
    expect(changed(gradients[0], clean.gradients[0])).toEqual({ rows: range(30, 60), columns: SECOND });
    for (const i of [1, 2]) {
      expect(changed(gradients[i], clean.gradients[i])).toEqual({ rows: range(300, 600), columns: SECOND });
    }
  });

  it("in a value: its column of every result", () => {
    const { o, gradients } = withNumber("v", 299, 17);
    expect(changed(o, clean.o)).toEqual({ rows: range(0, 30), columns: new Set([17]) });
    expect(changed(gradients[0], clean.gradients[0])).toEqual({ rows: range(0, 30), columns: FIRST });
    expect(changed(gradients[2], clean.gradients[2])).toEqual(NO_ONE);
  });

  it("in the gradient of a result", () => {
    const { o, gradients } = withNumber("dy", 59, plain.w);
    expect(o).toEqual(clean.o);
    expect(changed(gradients[0], clean.gradients[0])).toEqual({ rows: new Set([59]), columns: SECOND });
    expect(changed(gradients[1], clean.gradients[1])).toEqual({ rows: range(300, 600), columns: SECOND });
    expect(changed(gradients[2], clean.gradients[2])).toEqual({ rows: range(300, 600), columns: new Set([plain.w]) });
  });

  it("infinite scores are no average of the values", () => {
    for (const value of [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
      const row = withNumber("q", 0, 0, value).o.subarray(0, plain.w);
      expect(row.some((number) => Number.isFinite(number))).toBe(false);
    }
    const positive = { ...input, tensors: input.tensors.map((tensor) => tensor.map(Math.abs)) };
    positive.tensors[0][0] = Number.NEGATIVE_INFINITY;
    const row = run(positive).o.subarray(0, plain.w);
    expect(row.some((number) => Number.isFinite(number))).toBe(false);
  });

  it("scores far apart and far below 0", () => {
    const far = given(plain, shape, 2, 40);
    // below -1e33, all the same
    const low = given(plain, shape, 3);
    low.tensors[0].fill(-1e18);
    low.tensors[1].fill(1e16);
    for (const [each, tolerance] of [
      // scores of some thousand are known to some thousandths
      [far, 2e-3],
      [low, 2e-6],
    ] as const) {
      const { o, gradients } = run(each);
      expect(distance(o, reference(each).o)).toBeLessThan(tolerance);
      for (const gradient of gradients) expect(gradient.every(Number.isFinite)).toBe(true);
    }
  });
});

describe("norms", () => {
  it("of a row that is not a number are no numbers", () => {
    const normed = variant(8, CROSS, BOTH, WEIGHTS);
    const input = given(normed, { batch: 1, heads: 1, first: 0, end: 1, t: 3, s: 5, chosen: 0 }, 4);
    input.tensors[0][8] = Number.NaN;
    const { o, gradients } = kernels(here[1], normed)(input);
    expect([...o].map(Number.isNaN)).toEqual(Array.from({ length: 24 }, (_, i) => i >= 8 && i < 16));
    expect(gradients.every((gradient) => gradient.some(Number.isNaN))).toBe(true);
  });

  it("of equal numbers are 0, with finite gradients", () => {
    const normed = variant(8, CROSS, BOTH);
    const input = given(normed, { batch: 1, heads: 1, first: 0, end: 1, t: 3, s: 5, chosen: 0 }, 5);
    for (const tensor of input.tensors) tensor.fill(3);
    expectEqual(kernels(here[1], normed)(input), reference(input), "constant");
  });
});
