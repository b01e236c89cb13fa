import { cpSync, existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { scoreResults } from "../../src/evaluation/scoreResults.js";
import { openResults } from "../../src/results/readResults.js";
import type { ScoreEntry } from "../../src/scores/index.js";
import { latitudeWeight } from "../../src/scores/latitude.js";
import { tempDir } from "../support/tempDir.js";

const GOLDEN = join(import.meta.dirname, "..", "golden");
const RUNS = [
  ["run_bert", "abcd0865"],
  ["run_forecast", "abcd1291"],
] as const;

/** Weighted RMSE of one field, written out plainly. */
async function plainRmse(dir: string, prefix: string, field: string): Promise<number> {
  const target = await openResults(join(dir, `${prefix}_target.zarr`));
  const pred = await openResults(join(dir, `${prefix}_pred.zarr`));
  let [sum, weights] = [0, 0];
  for (const [path, { shape }] of target.arrays) {
    if (!path.startsWith(`${field}/`) || !path.endsWith("/data")) continue;
    const [a, b, lat] = await Promise.all([
      target.read(path),
      pred.read(path),
      target.read(path.replace(/data$/, "lat")),
    ]);
    const tokens = /ml=\d+\/data$/.test(path);
    const [width, height] = [shape[shape.length - 1], shape[shape.length - 2]];
    for (let i = 0; i < a.length; i++) {
      const row = Math.floor(i / width) % height;
      const token = tokens ? Math.floor(i / (shape[1] * shape[2] * shape[3])) : 0;
      const weight = latitudeWeight(Number(lat[token * height + row]));
      const error = Number(a[i]) - Number(b[i]);
      sum += weight * error * error;
      weights += weight;
    }
  }
  await target.close();
  await pred.close();
  return Math.sqrt(sum / weights);
}

describe.each(RUNS)("the reference's stores of %s", (folder, id) => {
  const dir = join(GOLDEN, folder, "results", `id${id}`);

  it("are scored as a plain loop scores them, baselines beside the model", async () => {
    const { scores, about, path } = await scoreResults(dir, { out: tempDir() });
    expect(existsSync(path!)).toBe(true);
    for (const [field, levels] of Object.entries(scores)) {
      const leaf = levels.all.all.global;
      const rmse = leaf.rmse as ScoreEntry;
      expect(rmse.value).toBeCloseTo(await plainRmse(dir, about.results, field), 4);
      // all samples lie within one span
      expect(rmse).toMatchObject({ low: null, high: null, blocks: 1 });
      expect(about.verdict).toMatch(/^The model .*too few to tell whether that holds: 1 independent block\)/);
      expect(Object.keys(rmse.baselines!)).toEqual(
        folder === "run_forecast" ? ["climatology", "persistence"] : ["as_seen"],
      );
      expect(leaf.note).toBe("too few to tell");
      expect((leaf.acc as ScoreEntry).refused).toContain("no climatology");
      const ranks = leaf.rank_histogram!.value;
      expect(ranks.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 12);
      expect((leaf.crps as ScoreEntry).value).toBeGreaterThan((leaf.crps_fair as ScoreEntry).value!);
    }
  });

  it("leaves a scores.json that is there as it is", async () => {
    const copy = join(tempDir(), "results");
    cpSync(dir, copy, { recursive: true });
    expect((await scoreResults(copy)).path).toBe(join(copy, "scores.json"));
    expect((await scoreResults(copy)).path).toBeNull();
  });
});

it("names what it looked for", async () => {
  await expect(scoreResults(tempDir())).rejects.toThrow("there are no result stores here");
});
