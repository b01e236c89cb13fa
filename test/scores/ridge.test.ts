import { describe, expect, it } from "vitest";
import { Pcg64 } from "../../src/random/pcg64.js";
import {
  applyRidge,
  chooseLambda,
  type FieldSeries,
  fitRidge,
  ridgeBaseline,
  solveSymmetric,
} from "../../src/scores/baselines/ridge.js";
import fc from "../support/property.js";

const shape: FieldSeries["shape"] = [30, 7, 8];

/** A pattern that moves one column a step over noise that nothing predicts. */
function moving(noise: number): FieldSeries {
  const generator = new Pcg64(3);
  const [T, H, W] = shape;
  const pattern = Float64Array.from({ length: H * (W + T) }, () => generator.nextDouble() - 0.5);
  const values = new Float32Array(T * H * W);
  for (let t = 0; t < T; t++) {
    for (let y = 0; y < H; y++) {
      for (let x = 0; x < W; x++) {
        values[(t * H + y) * W + x] = pattern[y * (W + T) + x + T - t] + noise * (generator.nextDouble() - 0.5);
      }
    }
  }
  return { values, shape };
}

describe("least squares with a penalty", () => {
  it("gives NumPy's solution", () => {
    const inputs = [
      [1, 2],
      [2, 0.5],
      [3, 4],
      [0, 1],
      [-1, 2.5],
    ].map((x) => Float64Array.from(x));
    const targets = [2, 1, 7, 0.5, 1];
    // X, y as above; Xc = X - X.mean(0); w = np.linalg.solve(Xc.T @ Xc + 0.5 * np.eye(2), Xc.T @ (y - y.mean()))
    // w, y.mean() - X.mean(0) @ w
    const { coefficients, intercept } = fitRidge(
      inputs.map((x, i) => [x, targets[i]]),
      0.5,
    );
    expect([...coefficients, intercept].map((x) => x.toFixed(12))).toEqual([
      "0.884244372990",
      "1.286173633441",
      "-1.156591639871",
    ]);
    expect(applyRidge({ coefficients, intercept }, inputs[0])).toBeCloseTo(
      intercept + coefficients[0] + 2 * coefficients[1],
      12,
    );
  });

  it("solves positive definite systems and refuses others", () => {
    const square = fc.array(fc.double({ min: -3, max: 3, noNaN: true }), { minLength: 16, maxLength: 16 });
    fc.assert(
      fc.property(square, (m) => {
        const n = 4;
        const A = new Float64Array(n * n);
        for (let i = 0; i < n; i++)
          for (let j = 0; j < n; j++) {
            A[i * n + j] = i === j ? 1 : 0;
            for (let k = 0; k < n; k++) A[i * n + j] += m[i * n + k] * m[j * n + k];
          }
        const b = Float64Array.of(1, -2, 3, 0.5);
        const x = solveSymmetric(A, b);
        for (let i = 0; i < n; i++) {
          let sum = 0;
          for (let j = 0; j < n; j++) sum += A[i * n + j] * x[j];
          expect(sum).toBeCloseTo(b[i], 8);
        }
      }),
    );
    expect(() => solveSymmetric(Float64Array.of(1, 2, 2, 1), Float64Array.of(1, 1))).toThrow(/no single solution/);
    expect(() => fitRidge([], 1)).toThrow(/no training sample/);
  });
});

describe("the ridge baseline", () => {
  const task = { train: [0, 18], validate: [20, 30], hiddenSteps: 2, lambda: 1e-6 } as const;

  it("finds a motion that persistence and linear interpolation miss", () => {
    for (const strategy of ["forecast", "temporal_interpolation"] as const) {
      const rows = ridgeBaseline(moving(0), { ...task, strategy });
      expect(rows.map((r) => r.lead)).toEqual([1, 2, "all"]);
      for (const row of rows) {
        expect(row.ridge).toBeLessThan(1e-4);
        expect(row.persistence).toBeGreaterThan(0.2);
        if (strategy === "forecast") expect(row.linear).toBeNull();
        else expect(row.linear).toBeGreaterThan(0.1);
      }
    }
  });

  it("scores every lead on whole squares within the period, without filled steps", () => {
    const points = (filledSteps: number[], strategy: "forecast" | "temporal_interpolation") =>
      ridgeBaseline({ ...moving(1), filledSteps }, { ...task, lambda: 1, strategy }).map((r) => r.points);
    const square = 3 * 4;
    expect(points([], "temporal_interpolation")).toEqual([7 * square, 7 * square, 14 * square]);
    // steps 20-29, inputs t-1, t-2 (lead 1) and t-2, t-3 (lead 2)
    expect(points([], "forecast")).toEqual([8 * square, 7 * square, 15 * square]);
    expect(points([25], "forecast")).toEqual([5 * square, 4 * square, 9 * square]);
  });

  it("chooses the penalty within the training steps, small for a rule and large for noise", () => {
    const lambdaOf = (noise: number, spoilt: FieldSeries["shape"] | null = null) => {
      const series = moving(noise);
      // values of the validation steps must not matter
      if (spoilt) (series.values as Float32Array).fill(1e6, 18 * spoilt[1] * spoilt[2]);
      return chooseLambda(series, { train: [0, 18], validate: [20, 30], hiddenSteps: 2, strategy: "forecast" });
    };
    expect(lambdaOf(0)).toBe(1);
    expect(lambdaOf(20)).toBeGreaterThan(lambdaOf(0));
    expect(lambdaOf(20, shape)).toBe(lambdaOf(20));
    expect(() =>
      chooseLambda(moving(0), { train: [0, 5], validate: [20, 30], strategy: "temporal_interpolation" }),
    ).toThrow(/too short to choose/);
  });

  it("says when nothing is left to score", () => {
    const { values } = moving(0);
    expect(() =>
      ridgeBaseline({ values, shape }, { ...task, lambda: 1, strategy: "forecast", validate: [29, 30] }),
    ).toThrow(/no validation sample/);
  });
});
