import { describe, expect, test } from "vitest";
import {
  epochLine,
  finishedLine,
  lineIsDue,
  parametersLine,
  pythonFixed,
  stepLine,
  validationLines,
} from "../../src/runs/console.js";

describe("Python's fixed format", () => {
  // expected: [f"{x:.5f}" for x in (...)] of Python 3.11
  test.each([
    [0.015625, 5, "0.01562"],
    [0.046875, 5, "0.04688"],
    [2.5, 0, "2"],
    [3.5, 0, "4"],
    [37.5, 0, "38"],
    [62.5, 0, "62"],
    [0.5, 0, "0"],
    [1.005, 2, "1.00"],
    [-0.125, 2, "-0.12"],
    [-0, 2, "-0.00"],
    [9.999996, 5, "10.00000"],
    [1e22, 1, "10000000000000000000000.0"],
    [Number.NaN, 5, "nan"],
    [-Infinity, 5, "-inf"],
  ])("%d with %d digits is %s", (value, digits, text) => {
    expect(pythonFixed(value, digits)).toBe(text);
  });
});

test("lines", () => {
  const time = new Date(2020, 0, 1, 9, 5, 7);
  expect(epochLine(3, time, 4, 4e-5)).toBe("3 : 09:05:07 :: batch_size = 4, lr = 4e-05");
  expect(epochLine(0, time, 96, 1)).toBe("0 : 09:05:07 :: batch_size = 96, lr = 1.0");
  expect(finishedLine(time, 0.25)).toBe("Finished training at 09:05:07 with test loss = 0.25.");
  expect(parametersLine(1)).toBe("Number of trainable parameters: 1");
  expect(parametersLine(1234567)).toBe("Number of trainable parameters: 1,234,567");
  expect(validationLines("BERT", 2, 0.5, [{ name: "temperature", loss: Number.NaN }])).toEqual([
    "validation loss for strategy=BERT at epoch 2 : 0.5",
    "validation loss for temperature : nan",
  ]);
  const step = { epoch: 1, k: 3, batches: 8, total: 1, mse: 2.5, spread: 0.1, samplesPerSecond: 1234.567 };
  expect(stepLine(step)).toBe("epoch: 1 [3/8 (38%)]\tLoss: 1.00000 : 2.50000 :: 0.10000 (1234.57 s/sec)");
});

test("a line is due when int(k*B/8) has passed the lines printed", () => {
  const due = (batchSize: number) => {
    const printed: number[] = [];
    for (let k = 0; k < 12; k++) if (lineIsDue(k, batchSize, printed.length)) printed.push(k);
    return printed;
  };
  expect(due(4)).toEqual([2, 4, 6, 8, 10]);
  expect(due(3)).toEqual([3, 6, 8, 11]);
  expect(due(16)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
});
