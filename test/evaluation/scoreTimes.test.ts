/** Files of scores by time that nobody wrote. */
import { join } from "node:path";
import { expect, it } from "vitest";
import { readScoreTimes, SCORES_BY_TIME, type TimedScores, writeScoreTimes } from "../../src/evaluation/scoreTimes.js";
import { writeSafetensors } from "../../src/formats/safetensors.js";
import { tempDir } from "../support/tempDir.js";

const LAYOUT = {
  columns: ["weight"],
  cells: [{ field: "a" }],
  dates: ["1996-01-01T00:00"],
  about: {
    run: "ab12cd34",
    weights: "latest",
    mode: "forecast",
    span: 3,
    hoursPerLeadStep: 6,
    predictors: ["model"],
    units: {},
  },
};

async function written(layout: unknown, { digest = true, sums = 1 } = {}): Promise<string> {
  const dir = tempDir();
  const tensors = [
    { name: "sums", dtype: "F64" as const, shape: [1, sums, 1], read: () => new Uint8Array(8 * sums) },
    { name: "times", dtype: "I32" as const, shape: [1], read: () => new Uint8Array(4) },
  ];
  const metadata = { version: "1", layout: JSON.stringify(layout) };
  await writeSafetensors(join(dir, SCORES_BY_TIME), tensors, { digest, metadata });
  return dir;
}

it("what was written is read", async () => {
  expect((await readScoreTimes(await written(LAYOUT))).about.run).toBe("ab12cd34");
  const dir = tempDir();
  const scores = { ...LAYOUT, times: [7], sums: Float64Array.of(0.5) } as unknown as TimedScores;
  await writeScoreTimes(dir, scores);
  expect(await readScoreTimes(dir)).toEqual(scores);
});

it("without a digest, without a layout or of another shape it is refused as damaged", async () => {
  await expect(readScoreTimes(await written(LAYOUT, { digest: false }))).rejects.toThrow(/digest is missing/);
  await expect(readScoreTimes(await written(LAYOUT, { sums: 2 }))).rejects.toThrow(
    /sums is not there, or not of \[1, 1, 1\]/,
  );
  for (const key of ["columns", "cells", "dates", "about"]) {
    await expect(readScoreTimes(await written({ ...LAYOUT, [key]: undefined }))).rejects.toThrow(/layout of the sums/);
  }
  await expect(readScoreTimes(await written({ ...LAYOUT, cells: [3] }))).rejects.toThrow(/layout of the sums/);
});
