import { describe, expect, it } from "vitest";
import { layerNormGradKernel, layerNormKernel } from "../../../src/engine/jit/layerNorm.js";
import { normal } from "../../engine/support.js";
import { layerNorm, layerNormGrad } from "./attentionReference.js";
import { compileKernel, distance, MACHINES } from "./machines.js";

const EPSILON = 1e-5;

describe.each(
  MACHINES.flatMap(([name, jit]) =>
    [false, true].map((affine) => [name, affine ? "weights" : "no weights", jit] as const),
  ),
)("layer norm, %s, %s", (_, weights, jit) => {
  const affine = weights === "weights";
  const forward = compileKernel(jit, (name) => layerNormKernel(jit.target, name, affine, EPSILON));
  const backward = compileKernel(jit, (name) => layerNormGradKernel(jit.target, name, affine));

  function run(x: Float32Array, dy: Float32Array, gamma: Float32Array, beta: Float32Array): Float32Array[] {
    const d = gamma.length;
    const rows = x.length / d;
    const parameters = [rows, d];
    const [y, mean, scale] = forward({
      inputs: affine ? [x, gamma, beta] : [x],
      outputs: [x.length, rows, rows],
      parameters,
    });
    const gradients = backward({
      inputs: [x, mean, scale, dy, ...(affine ? [gamma] : [])],
      outputs: affine ? [x.length, d, d] : [x.length],
      parameters,
    });
    return [y, ...gradients];
  }

  function expected(x: Float32Array, dy: Float32Array, gamma: Float32Array, beta: Float32Array): Float64Array[] {
    const d = gamma.length;
    const list = affine ? [...gamma, ...beta] : null;
    const [y, dx, dWeights] = [x.length, x.length, 2 * d].map((length) => new Float64Array(length));
    for (let at = 0; at < x.length; at += d) {
      const row = layerNorm(Float64Array.from(x.subarray(at, at + d)), list);
      y.set(row.y, at);
      dx.set(layerNormGrad(row, Float64Array.from(dy.subarray(at, at + d)), list, dWeights, 0), at);
    }
    return [y, dx, ...(affine ? [dWeights.subarray(0, d), dWeights.subarray(d)] : [])];
  }

  const inputs = (rows: number, d: number, seed = 1) =>
    [rows * d, rows * d, d, d].map((n, i) => normal(10 * seed + i, [n]).data) as Parameters<typeof run>;

  it.each([0, 1, 3, 70].flatMap((rows) => [1, 5, 16, 33, 256].map((d) => [rows, d])))("%i rows of %i", (rows, d) => {
    const given = inputs(rows, d);
    const actual = run(...given);
    for (const [i, array] of expected(...given).entries()) {
      expect(distance(actual[i], array), `result ${i}`).toBeLessThan(2e-6);
    }
  });

  it("rows of one number each are 0 or beta, with no slope", () => {
    const [x, dy, gamma, beta] = inputs(2, 33);
    const [y, dx] = run(x.fill(7), dy, gamma, beta);
    expect([...y]).toEqual(affine ? [...beta, ...beta] : new Array(66).fill(0));
    expect(dx.every(Number.isFinite)).toBe(true);
  });

  it("a row with what is not a number is none, in every column; other rows stay", () => {
    for (const d of [5, 33]) {
      const [x, dy, gamma, beta] = inputs(3, d);
      const clean = run(x, dy, gamma, beta);
      for (const [bad, given] of [
        ["x", [x.with(2 * d - 1, Number.NaN), dy, gamma, beta]],
        ["dy", [x, dy.with(d, Number.NaN), gamma, beta]],
      ] as [string, Parameters<typeof run>][]) {
        const [y, dx, ...dWeights] = run(...given);
        const ofRow = (array: Float32Array) =>
          array.map((number, i) => (Math.floor(i / d) === 1 ? Number.NaN : number));
        expect(y).toEqual(bad === "x" ? ofRow(clean[0]) : clean[0]);
        expect(dx).toEqual(ofRow(clean[1]));
        for (const list of dWeights) expect(bad === "x" || list.some(Number.isNaN)).toBe(true);
      }
    }
  });
});
