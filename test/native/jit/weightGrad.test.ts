import { describe, expect, it } from "vitest";
import { weightGradKernel, weightGradParameters, weightGradScratch } from "../../../src/engine/jit/weightGrad.js";
import { normal } from "../../engine/support.js";
import fc from "../../support/property.js";
import { compileKernel, distance, MACHINES } from "./machines.js";

interface Shape {
  rows: number;
  inputs: number;
  outputs: number;
}

function reference(x: Float32Array, dy: Float32Array, { rows, inputs, outputs }: Shape): [Float64Array, Float64Array] {
  const [dWeight, dBias] = [new Float64Array(outputs * inputs), new Float64Array(outputs)];
  for (let row = 0; row < rows; row++) {
    for (let o = 0; o < outputs; o++) {
      const upstream = dy[row * outputs + o];
      dBias[o] += upstream;
      for (let i = 0; i < inputs; i++) dWeight[o * inputs + i] += upstream * x[row * inputs + i];
    }
  }
  return [dWeight, dBias];
}

const given = ({ rows, inputs, outputs }: Shape) =>
  [normal(rows + inputs, [rows * inputs]).data, normal(rows + outputs + 1, [rows * outputs]).data] as const;

/** References are the same for every processor. */
const references = new Map<string, ReturnType<typeof reference>>();

describe.each(MACHINES)("gradients of a linear layer, %s", (_, jit) => {
  const kernel = compileKernel(jit, (name) => weightGradKernel(jit.target, name));
  const run = (x: Float32Array, dy: Float32Array, shape: Shape) =>
    kernel({
      inputs: [x, dy],
      outputs: [shape.outputs * shape.inputs, shape.outputs],
      scratch: weightGradScratch(jit.target, shape),
      parameters: weightGradParameters(shape),
    });

  function expectEqual(shape: Shape): void {
    const [x, dy] = given(shape);
    const key = JSON.stringify(shape);
    const expected = references.get(key) ?? reference(x, dy, shape);
    references.set(key, expected);
    const actual = run(x, dy, shape);
    for (const [i, array] of expected.entries()) {
      // of the size of numbers added up
      expect(distance(actual[i], array), `${key}: result ${i}`).toBeLessThan(2e-6);
    }
  }

  it.each([0, 1, 7, 545, 1100])("of %i rows", (rows) => {
    for (const [inputs, outputs] of [
      [1, 1],
      [1, 33],
      [11, 13],
      [12, 12],
      [13, 31],
      [31, 11],
      [32, 32],
      [33, 12],
      [257, 13],
      [32, 257],
      [257, 1],
    ]) {
      expectEqual({ rows, inputs, outputs });
    }
  });

  it("of every shape", () => {
    const widths = fc.integer({ min: 1, max: 80 });
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 40 }), widths, widths, (rows, inputs, outputs) =>
        expectEqual({ rows, inputs, outputs }),
      ),
      { numRuns: 30 },
    );
  });

  it("what is not a number: its column, or its row and bias", () => {
    for (const rows of [3, 600]) {
      const shape = { rows, inputs: 37, outputs: 14 };
      const [x, dy] = given(shape);
      const clean = run(x, dy, shape);
      const column = run(x.with((rows - 1) * 37 + 36, Number.NaN), dy, shape);
      expect(column[0]).toEqual(clean[0].map((number, i) => (i % 37 === 36 ? Number.NaN : number)));
      expect(column[1]).toEqual(clean[1]);
      const row = run(x, dy.with(13, Number.NaN), shape);
      expect(row[0]).toEqual(clean[0].map((number, i) => (Math.floor(i / 37) === 13 ? Number.NaN : number)));
      expect(row[1]).toEqual(clean[1].with(13, Number.NaN));
    }
  });
});
