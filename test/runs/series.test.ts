import { describe, expect, it } from "vitest";
import {
  fieldLossSeries,
  GRADIENT_LOSS,
  isValidationSeries,
  metricSeries,
  parseSeries,
  spreadSeries,
  TRAINING_LOSS,
  termSeries,
  validationColumns,
  validationLoss,
  validationLossSeries,
} from "../../src/runs/series.js";

describe("names of series", () => {
  it("are the reference's", () => {
    expect([TRAINING_LOSS, GRADIENT_LOSS]).toEqual(["training loss", "gradient loss"]);
    expect(termSeries("mse", "velocity_u")).toBe("mse, velocity_u");
    expect(spreadSeries("velocity_u")).toBe("stddev, velocity_u");
    expect(validationLossSeries("BERT")).toBe("val. loss BERT");
    expect(fieldLossSeries("BERT", "velocity_u")).toBe("val., BERT, velocity_u");
  });

  it("are read as they are made", () => {
    const field = "velocity_u";
    expect(parseSeries(TRAINING_LOSS)).toEqual({ kind: "total", field: null });
    expect(parseSeries(termSeries("mse", field))).toEqual({ kind: "term", loss: "mse", field });
    expect(parseSeries(spreadSeries(field))).toEqual({ kind: "spread", field });
    expect(parseSeries(validationLossSeries("BERT"))).toEqual({ kind: "validation", strategy: "BERT", field: null });
    expect(parseSeries(fieldLossSeries("BERT", field))).toEqual({ kind: "validation", strategy: "BERT", field });
    expect(parseSeries(metricSeries("hit_rate", field))).toEqual({ kind: "metric", metric: "hit_rate", field });
    // a metric may be called as the word in the validation loss
    expect(parseSeries(metricSeries("loss", field))).toEqual({ kind: "metric", metric: "loss", field });
  });

  it("tell rows of validations from rows of steps", () => {
    const place = { epoch: 0, step: 1, samples: 4, time: "1996-01-01T00:00:00.000Z" };
    const step = { ...place, "training loss": 2, "mse, velocity_u": 2 };
    const validation = {
      ...place,
      "val. loss BERT": 1.5,
      "val., BERT, velocity_u": 1.5,
      "val. hit_rate, velocity_u": 1,
    };
    expect([step, validation].map(validationLoss)).toEqual([null, 1.5]);
    expect(validationColumns([step, validation])).toEqual(Object.keys(validation).slice(4));
    expect(Object.keys(step).filter(isValidationSeries)).toEqual([]);
  });
});
