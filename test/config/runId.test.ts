import { describe, expect, it } from "vitest";
import { assertRunId, drawRunId, runIdsOf } from "../../src/config/runId.js";

describe("run ids", () => {
  it("draws ids that are ids", () => {
    expect(() => assertRunId(drawRunId())).not.toThrow();
    expect(drawRunId()).not.toBe(drawRunId());
    expect(() => assertRunId("ABC")).toThrow(/malformed run id; found ABC; expected 8 characters/);
  });

  it("finds them among names of folders", () => {
    expect(runIdsOf(["idab12cd34", "idAB12cd34", "idab12cd345", "ab12cd34", "notes", "id00000000"])).toEqual([
      "ab12cd34",
      "00000000",
    ]);
  });
});
