import { expect, it } from "vitest";
import { packPrediction, unpackPrediction } from "../../src/prediction/packPrediction.js";

it("every bit of a prediction arrives, what is not finite included", () => {
  const field = (name: string, M: number, ens: Float32Array | null) => ({
    ...{ field: name, M, E: 2, D: 3 },
    mean: Float32Array.from({ length: M * 3 }, () => Math.fround(Math.PI)),
    std: new Float32Array(M * 3).fill(Number.NaN),
    ens,
  });
  const given = {
    mse: [null, Number.NaN, 1 / 3],
    predictions: [
      field("none_hidden", 0, null),
      field("café", 1, Float32Array.of(-0, Number.NEGATIVE_INFINITY, 1e-45, 1, 2, 3)),
      field("plain", 2, null),
    ],
  };
  const bytes = packPrediction(given);
  // as a part of a larger buffer, at an odd place
  const larger = new Uint8Array(bytes.length + 3);
  larger.set(bytes, 3);
  expect(unpackPrediction(larger.subarray(3))).toEqual(given);
  expect(unpackPrediction(new Uint8Array(0))).toBeNull();
});
