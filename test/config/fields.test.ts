import { describe, expect, it } from "vitest";
import { parseFields, predictedFields } from "../../src/config/fields.js";
import type { RunConfig } from "../../src/config/types.js";

const fields: RunConfig["fields"] = [
  ["velocity_u", [1, 32, ["temperature"], 0, ["j8dwr5qj", -2]], [96, 114], [4, 2, 3], [3, 3, 4], [0.5, 0.9, 0.2, 0.05]],
  ["temperature", [0, 24, [], 1], [0], [4, 2, 3], [3, 3, 4], [0, 0.9, 0.2, 0.05], "local"],
];

describe("parseFields", () => {
  it("names every place of an entry and counts levels, tokens and points", () => {
    expect(parseFields({ fields })[0]).toEqual({
      index: 0,
      name: "velocity_u",
      dynamic: true,
      width: 32,
      coupled: ["temperature"],
      pretrained: { runId: "j8dwr5qj", epoch: -2 },
      levels: [96, 114],
      numTokens: [4, 2, 3],
      tokenSize: [3, 3, 4],
      rates: { total: 0.5, mask: 0.9, noise: 0.2, coarse: 0.05 },
      normalization: "global",
      L: 2,
      N: 24,
      D: 36,
    });
  });

  it("reads what may be left out", () => {
    const [, temperature] = parseFields({ fields });
    expect(temperature).toMatchObject({ dynamic: false, pretrained: null, normalization: "local", L: 1 });
  });

  it("shares no list with the configuration", () => {
    parseFields({ fields })[0].levels.push(1);
    expect(fields[0][2]).toEqual([96, 114]);
  });
});

describe("predictedFields", () => {
  it("keeps the order of fields_prediction", () => {
    const predicted = predictedFields({
      fields,
      fields_prediction: [
        ["temperature", 0.2],
        ["velocity_u", 0.8],
      ],
    });
    expect(predicted.map(({ index, field, weight }) => [index, field.index, weight])).toEqual([
      [0, 1, 0.2],
      [1, 0, 0.8],
    ]);
  });

  it("names the nearest field if one does not exist", () => {
    expect(() => predictedFields({ fields, fields_prediction: [["velocity_w", 1]] })).toThrow(
      /fields_prediction\[0\]\[0\]: .*velocity_w.*Write velocity_u/,
    );
  });
});
