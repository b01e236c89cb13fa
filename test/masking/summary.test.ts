import { describe, expect, it } from "vitest";
import type { FieldEntry, RunConfig } from "../../src/config/types.js";
import { maskingSummary } from "../../src/masking/index.js";

const ALL: [number, number, number, number] = [0.5, 1, 0, 0];

function summary(fields: FieldEntry[], keys: Partial<RunConfig> = {}, draws = 200) {
  const config = {
    fields,
    BERT_strategy: "BERT",
    rng_seed: 7,
    BERT_fields_synced: false,
    BERT_mr_max: 2,
    batch_size: 4,
  };
  return maskingSummary({ ...config, forecast_num_tokens: 1, idx_time_mask: null, ...keys } as RunConfig, draws);
}

function entry(
  name: string,
  levels: number[],
  rates = ALL,
  numTokens: [number, number, number] = [4, 2, 3],
): FieldEntry {
  return [name, [1, 32, [], 0], levels, numTokens, [3, 3, 4], rates, "global"];
}

describe("maskingSummary", () => {
  it("realises the share it asks for", () => {
    const { levels, draws, batchSize, strategy } = summary([entry("u", [96, 137])], {}, 2000);
    expect({ draws, batchSize, strategy }).toEqual({ draws: 2000, batchSize: 4, strategy: "BERT" });
    for (const level of levels) {
      // ceil(12 u)/24 for uniform u: the numbers 1 to 12 over 24, alike often
      expect(level.asked).toBeCloseTo(6.5 / 24, 12);
      expect(Math.abs(level.realised - level.asked)).toBeLessThan(0.01);
      expect(level.masked).toBe(level.realised);
      expect(level.hidden).toBe(level.realised);
      expect(level.noised).toBe(0);
    }
  });

  it("sees no twin in level, field or place where every place of a time is hidden in all of them", () => {
    const { levels } = summary([entry("u", [96, 137]), entry("v", [137])], { BERT_strategy: "forecast" }, 2);
    expect(levels.map(({ field, level, asked, realised }) => [field, level, asked, realised])).toEqual([
      ["u", 96, 0.25, 0.25],
      ["u", 137, 0.25, 0.25],
      ["v", 137, 0.25, 0.25],
    ]);
    expect(levels[0].visibleTwin).toEqual({ level: 0, time: 1, place: 0, field: null });
    expect(levels[1].visibleTwin).toEqual({ level: 0, time: 1, place: 0, field: 0 });
    expect(levels[2].visibleTwin).toEqual({ level: null, time: 1, place: 0, field: 0 });
  });

  it("knows the neighbours in time", () => {
    const { levels } = summary([entry("u", [96])], { BERT_strategy: "forecast", forecast_num_tokens: 2 }, 1);
    expect(levels[0].visibleTwin.time).toBe(0.5);
    const middle = summary(
      [entry("u", [96])],
      { BERT_strategy: "temporal_interpolation", idx_time_mask: [0, 1, 2, 3] },
      1,
    );
    expect(middle.levels[0].visibleTwin.time).toBe(0);
  });

  it("finds hidden twins where fields are synced, and visible ones in a field left alone", () => {
    const fields = [entry("u", [96]), entry("v", [96])];
    expect(summary(fields, { BERT_fields_synced: true }).levels[0].visibleTwin.field).toBe(0);
    expect(summary(fields).levels[0].visibleTwin.field).toBeGreaterThan(0.5);
    const left = [entry("u", [96]), entry("v", [96], [0, 1, 1, 1], [2, 4, 1])];
    expect(summary(left).levels[0].visibleTwin.field).toBe(1);
    expect(summary(left).levels[1]).toMatchObject({ asked: 0, realised: 0, visibleTwin: { time: null } });
  });

  it("does not count chosen tokens that keep their values as hidden", () => {
    const [level] = summary([entry("u", [96], [0.5, 0, 0, 0])]).levels;
    expect(level.realised).toBeGreaterThan(0.2);
    expect(level.hidden).toBe(0);
    expect(level.visibleTwin.time).toBeNull();
  });
});
