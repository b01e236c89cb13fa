import { describe, expect, it } from "vitest";
import { geluGradKernel, geluKernel } from "../../../src/engine/jit/gelu.js";
import { gelu, normalCdf, normalPdf } from "../../../src/math/index.js";
import { normal } from "../../engine/support.js";
import fc from "../../support/property.js";
import { compileKernel, MACHINES } from "./machines.js";

describe.each(MACHINES)("GELU, %s", (_, jit) => {
  const forward = compileKernel(jit, (name) => geluKernel(jit.target, name));
  const backward = compileKernel(jit, (name) => geluGradKernel(jit.target, name));
  const value = (x: Float32Array) => forward({ inputs: [x], outputs: [x.length], parameters: [x.length] })[0];
  const gradient = (x: Float32Array, dy: Float32Array) =>
    backward({ inputs: [x, dy], outputs: [x.length], parameters: [x.length] })[0];
  const slope = (x: Float32Array) => gradient(x, new Float32Array(x.length).fill(1));

  /** Errors are of the size of 1, or of the number itself. */
  function expectFormula(x: Float32Array, dy: Float32Array): void {
    const [y, dx] = [value(x), gradient(x, dy)];
    const errors = [...x].map((number, i) => {
      const exact = normalCdf(number) + number * normalPdf(number);
      return Math.max(
        Math.abs(y[i] - gelu(number)) / Math.max(1, Math.abs(number)),
        Math.abs(dx[i] - dy[i] * exact) / Math.max(1, Math.abs(dy[i])),
      );
    });
    expect(Math.max(0, ...errors)).toBeLessThan(5e-7);
  }

  it.each([0, 1, 3, 4, 15, 16, 17, 33, 1000])("of %i numbers", (n) => {
    expectFormula(
      normal(n, [n]).data.map((number) => 3 * number),
      normal(n + 1, [n]).data,
    );
  });

  it("far from 0 is the number itself, or 0, with slope 1 or 0", () => {
    const x = Float32Array.of(6, 20, 1e4, 1e30, 3e38, Number.POSITIVE_INFINITY);
    expect(value(x)).toEqual(x);
    expect([...slope(x)]).toEqual([1, 1, 1, 1, 1, 1]);
    const negative = Float32Array.of(-6, -20, -1e4, -1e30, -3e38);
    for (const number of value(negative)) expect(number).toBeCloseTo(0, 30);
    for (const number of slope(negative)) expect(number).toBeCloseTo(0, 6);
  });

  it("follows the formula at every number", () => {
    const numbers = fc.float({ noNaN: true, noDefaultInfinity: true, min: -100, max: 100 });
    fc.assert(
      fc.property(fc.array(numbers, { minLength: 1, maxLength: 100 }), (x) =>
        expectFormula(Float32Array.from(x), new Float32Array(x.length).fill(1)),
      ),
      { numRuns: 50 },
    );
  });

  it("of what is not a number is none, and of nothing else", () => {
    for (const n of [1, 16, 37]) {
      for (const at of [0, n - 1, Math.floor(n / 2)]) {
        const [x, dy] = [normal(n, [n]).data, normal(n + 1, [n]).data];
        const clean = [value(x), gradient(x, dy)];
        const [badX, badDy] = [x.with(at, Number.NaN), dy.with(at, Number.NaN)];
        const expected = clean.map((list) => list.with(at, Number.NaN));
        expect([value(badX), gradient(badX, dy), gradient(x, badDy)]).toEqual([...expected, expected[1]]);
      }
    }
  });
});
