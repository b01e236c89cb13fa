import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { unzipSync, zipSync } from "fflate";
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

describe("stores whose arrays do not belong together", () => {
  const [folder, id] = RUNS[1];
  const name = "target.zarr";

  /** Scores a copy of which an array of the targets has other metadata and bytes. */
  async function score(array: string, change: Record<string, unknown>, data: ArrayBufferView) {
    const copy = join(tempDir(), "results");
    cpSync(join(GOLDEN, folder, "results", `id${id}`), copy, { recursive: true });
    const path = join(copy, readdirSync(copy).find((file) => file.endsWith(name)) as string);
    const files = unzipSync(readFileSync(path));
    const key = Object.keys(files).find((file) => file.endsWith(`/${array}/.zarray`)) as string;
    const own = JSON.parse(Buffer.from(files[key]).toString());
    files[key] = Buffer.from(JSON.stringify({ ...own, compressor: null, filters: null, ...change }));
    const chunk = Object.keys(files).find((file) => file.startsWith(key.replace(".zarray", "")) && !/\/\.z/.test(file));
    files[chunk as string] = new Uint8Array(data.buffer as ArrayBuffer);
    writeFileSync(path, zipSync(files, { level: 0 }));
    return scoreResults(copy, { out: tempDir() });
  }

  it.each([
    [
      "lat",
      { dtype: "<i8", shape: [1], chunks: [1] },
      new BigInt64Array(1),
      /lat: an array holds another kind of number; found <i8/,
    ],
    [
      "lon",
      { dtype: "<f4", shape: [1], chunks: [1] },
      new Float32Array(1),
      /lon: an array has another shape than the data/,
    ],
    [
      "datetime",
      { dtype: "<M8[s]", shape: [1], chunks: [1] },
      new BigInt64Array(1),
      /found <M8\[s\]; expected nanoseconds/,
    ],
    ["data", { dtype: "<f4", shape: [2], chunks: [2] }, new Float32Array(2), /differ in shape|another shape/],
  ])("%s is refused by name", async (array, change, data, message) => {
    await expect(score(array, change, data)).rejects.toMatchObject({
      name: "AtmorepError",
      message: expect.stringMatching(message),
    });
  });
});

it("names what it looked for", async () => {
  await expect(scoreResults(tempDir())).rejects.toThrow("there are no result stores here");
});
