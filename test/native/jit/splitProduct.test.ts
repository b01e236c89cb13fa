import { describe, expect, it } from "vitest";
import {
  type ProductShape,
  type ProductVariant,
  productKernel,
  productParameters,
  productScratch,
} from "../../../src/engine/jit/splitProduct.js";
import { findKernelCompiler } from "../../../src/engine/kernelCompiler.js";
import { openJit } from "../../../src/engine/llvm/jit.js";
import { normal } from "../../engine/support.js";
import fc from "../../support/property.js";
import { compileKernel, distance, type Kernel } from "./machines.js";

const jit = openJit(findKernelCompiler()!.file, { matrixUnit: true });
const [FORWARD, INPUT_GRADIENT, WEIGHT_GRADIENT] = [
  { turnedA: false, turnedB: true, bias: true, sums: false },
  { turnedA: false, turnedB: false, bias: false, sums: false },
  { turnedA: true, turnedB: false, bias: false, sums: true },
];
const VARIANTS = ([1, 2, 3] as const).flatMap((parts): [string, ProductVariant][] => [
  [`forward, parts: ${parts}`, { ...FORWARD, parts }],
  [`gradient of the input, parts: ${parts}`, { ...INPUT_GRADIENT, parts }],
  [`gradients of the weights, parts: ${parts}`, { ...WEIGHT_GRADIENT, parts }],
]);
/**
 * Largest error to the size of a sum of so many products, which is the root of their number: of factors with 8, 16 and 24
 * bits. (The sum itself may happen to be near 0.)
 */
const PRECISION = { 1: 2e-2, 2: 1e-4, 3: 2e-6 };
const error = (actual: ArrayLike<number>, expected: Float64Array | Float32Array, { terms }: ProductShape): number => {
  const size = Math.sqrt(Math.max(1, terms));
  return distance(
    Float64Array.from(actual, (x) => x / size),
    expected.map((x) => x / size),
  );
};

interface Factors {
  a: Float32Array;
  b: Float32Array;
  bias: Float32Array;
}

const given = ({ m, n, terms }: ProductShape): Factors => ({
  a: normal(m + terms, [m * terms]).data,
  b: normal(n + terms + 1, [n * terms]).data,
  bias: normal(n + 2, [n]).data,
});

/** In float64, or as a float32 product that adds its terms in order. */
function product({ a, b, bias }: Factors, { m, n, terms }: ProductShape, variant: ProductVariant, single = false) {
  const c = single ? new Float32Array(m * n) : new Float64Array(m * n);
  const round = single ? Math.fround : (x: number) => x;
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      let sum = variant.bias ? bias[j] : 0;
      for (let k = 0; k < terms; k++) {
        const x = a[variant.turnedA ? k * m + i : i * terms + k];
        sum = round(sum + x * b[variant.turnedB ? j * terms + k : k * n + j]);
      }
      c[i * n + j] = sum;
    }
  }
  return c;
}

function columnSums(a: Float32Array, { m, terms }: ProductShape): Float64Array {
  const sums = new Float64Array(m);
  for (let k = 0; k < terms; k++) for (let i = 0; i < m; i++) sums[i] += a[k * m + i];
  return sums;
}

const rms = (values: ArrayLike<number>, expected: ArrayLike<number>): number => {
  let sum = 0;
  for (let i = 0; i < expected.length; i++) sum += (values[i] - expected[i]) ** 2;
  return Math.sqrt(sum / expected.length);
};

// no other processor can run this
describe.runIf(jit.target.matrixUnit)("products by the matrix unit", () => {
  describe.each(VARIANTS)("%s", (_, variant) => {
    let kernel: Kernel | null = null;
    // where there is no such unit, LLVM ends the process at its instructions
    const compiled = () => {
      kernel ??= compileKernel(jit, (name) => productKernel(jit.target, name, variant));
      return kernel;
    };
    const run = ({ a, b, bias }: Factors, shape: ProductShape) =>
      compiled()({
        inputs: variant.bias ? [a, b, bias] : [a, b],
        outputs: variant.sums ? [shape.m * shape.n, shape.m] : [shape.m * shape.n],
        scratch: productScratch(shape, variant.parts),
        parameters: productParameters(shape, variant.parts),
      });

    function expectEqual(shape: ProductShape): void {
      const factors = given(shape);
      const [c, sums] = run(factors, shape);
      const key = JSON.stringify(shape);
      expect(error(c, product(factors, shape, variant), shape), key).toBeLessThan(PRECISION[variant.parts]);
      if (sums) expect(error(sums, columnSums(factors.a, shape), shape), key).toBeLessThan(2e-6);
    }

    it.each([
      { m: 32, n: 32, terms: 32 },
      { m: 1, n: 1, terms: 1 },
      { m: 33, n: 31, terms: 65 },
      { m: 16, n: 48, terms: 16 },
      { m: 17, n: 15, terms: 500 },
      { m: 700, n: 40, terms: 600 },
      { m: 3, n: 5, terms: 0 },
      { m: 0, n: 5, terms: 3 },
    ])("$m x $n over $terms", expectEqual);

    it("of every shape", () => {
      const side = fc.integer({ min: 1, max: 100 });
      fc.assert(
        fc.property(side, side, side, (m, n, terms) => expectEqual({ m, n, terms })),
        { numRuns: 40 },
      );
    });

    it.runIf(variant.parts === 3)("as near to the exact result as a float32 product is", () => {
      const shape = { m: 64, n: 64, terms: 512 };
      const factors = given(shape);
      const exact = product(factors, shape, variant);
      expect(rms(run(factors, shape)[0], exact)).toBeLessThan(rms(product(factors, shape, variant, true), exact));
    });

    it("whole numbers exactly, of as many bits as are kept", () => {
      const shape = { m: 40, n: 40, terms: 64 };
      const factors = given(shape);
      const whole = (numbers: Float32Array) =>
        numbers.map((number) => Math.round(number * [0, 20, 20, 200][variant.parts]));
      const rounded = { a: whole(factors.a), b: whole(factors.b), bias: whole(factors.bias) };
      expect(Array.from(run(rounded, shape)[0])).toEqual(Array.from(product(rounded, shape, variant)));
    });

    it("what is not a number, or infinite: nothing finite in its row", () => {
      const shape = { m: 40, n: 35, terms: 70 };
      const factors = given(shape);
      const clean = run(factors, shape)[0];
      // also with all bits set, which rounding must not carry over
      const none = new Float32Array(new Uint32Array([0x7fffffff, 0xffffffff, 0x7fc00000, 0x7f800000]).buffer);
      for (const value of none) {
        const a = factors.a.slice();
        const at = variant.turnedA ? 69 * 40 + 37 : 37 * 70 + 69;
        new Uint32Array(a.buffer)[at] = new Uint32Array(Float32Array.of(value).buffer)[0];
        const result = run({ ...factors, a }, shape)[0];
        const finite = result.map((number) => (Number.isFinite(number) ? number : Number.NaN));
        expect(finite).toEqual(clean.map((number, i) => (Math.floor(i / 35) === 37 ? Number.NaN : number)));
      }
    });
  });
});
