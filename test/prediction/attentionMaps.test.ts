import { existsSync, rmSync } from "node:fs";
import { afterAll, describe, expect, it } from "vitest";
import { loadModel } from "../../src/api/model.js";
import { prepare } from "../../src/batches/prepare.js";
import { evaluate } from "../../src/evaluation/evaluate.js";
import { readAttention, type StoredAttention } from "../../src/results/readAttention.js";
import { openResults } from "../../src/results/readResults.js";
import { runAll, temporaryFolder, tinyConfig } from "../support/tinyRun.js";

const out = temporaryFolder();
afterAll(() => rmSync(out, { recursive: true, force: true }));

/** Two coupled fields; the second has a quarter of the first's tokens in each plane. */
const config = (type: string) =>
  tinyConfig({
    fields: [
      ["mean_sea_level_pressure", [1, 24, ["velocity_v"], 0], [0], [4, 2, 4], [3, 9, 4], [0.5, 0.9, 0.4, 0.3]],
      ["velocity_v", [1, 24, ["mean_sea_level_pressure"], 0], [500], [4, 1, 2], [3, 18, 8], [0.5, 0.9, 0.4, 0.3]],
    ],
    fields_prediction: [["mean_sea_level_pressure", 1]],
    n_size: [12, 22.5, 40],
    encoder_att_type: type,
    decoder_att_type: type,
    num_epochs: 1,
    log_test_num_ranks: 1,
    attention: true,
    dates_train: [["1996-01-05T00:00", "1996-01-15T18:00"]],
  });

async function heads(path: string, choice = {}): Promise<StoredAttention[]> {
  const all: StoredAttention[] = [];
  for await (const head of readAttention(path, choice)) all.push(head);
  return all;
}

function expectRowsSumToOne({ values, shape }: StoredAttention): void {
  const keys = shape[shape.length - 1];
  expect(values.length).toBe(shape.reduce((a, b) => a * b, 1));
  for (let row = 0; row < values.length; row += keys) {
    const sum = values.subarray(row, row + keys).reduce((a, b) => a + b, 0);
    expect(sum).toBeCloseTo(1, 4);
  }
}

describe("attention: true", () => {
  it("writes the maps of validation: encoder, then decoder, cross heads to a field of another resolution", async () => {
    await runAll(config("dense"), { out, runId: "attndens", maxSteps: 1 });
    const path = `${out}/results/idattndens/results_idattndens_epoch00000_attention.zarr`;
    const all = await heads(path);
    const shapes = all
      .filter(({ batch }) => batch === 0)
      .map(({ field, layer, head, cross, keys, shape }) => [field, layer, head, cross, keys, shape.join("x")]);
    expect(shapes).toEqual([
      ["mean_sea_level_pressure", 0, 0, false, "mean_sea_level_pressure", "2x32x32"],
      ["mean_sea_level_pressure", 0, 1, false, "mean_sea_level_pressure", "2x32x32"],
      ["mean_sea_level_pressure", 0, 2, true, "velocity_v", "2x32x8"],
      ["mean_sea_level_pressure", 1, 0, false, "mean_sea_level_pressure", "2x32x32"],
      ["mean_sea_level_pressure", 1, 1, true, "mean_sea_level_pressure", "2x32x32"],
      ["velocity_v", 0, 0, false, "velocity_v", "2x8x8"],
      ["velocity_v", 0, 1, false, "velocity_v", "2x8x8"],
      ["velocity_v", 0, 2, true, "mean_sea_level_pressure", "2x8x32"],
    ]);
    expect(Math.max(...all.map(({ batch }) => batch))).toBe(1);
    for (const head of all) expectRowsSumToOne(head);
    const store = await openResults(path);
    const at = "mean_sea_level_pressure/batch=00001";
    expect(store.arrays.get(`${at}/datetime`)).toEqual({ shape: [2, 4], dtype: "<M8[ns]" });
    const lat = await store.read(`${at}/lat`);
    // tokens of 9 rows of 1.25 degrees
    expect(Number(lat[0]) - Number(lat[1])).toBeCloseTo(11.25, 4);
    await store.close();
    await expect(heads(path, { layer: 7 })).rejects.toThrow("no such head");
  }, 60_000);

  it("writes what the loaded model shows, also when evaluating", async () => {
    const { files } = await evaluate({ run: "attndens", out, mode: "BERT" });
    const path = files.find((name) => name.endsWith("_attention.zarr"))!;
    const model = await loadModel("attndens", { out });
    const prepared = await prepare(model.config, { split: "validate" });
    const maps = (await model.attention(prepared, 1)).filter(({ field }) => field === "mean_sea_level_pressure");
    await prepared.store.close();
    model.dispose();
    const stored = await heads(path, { field: "mean_sea_level_pressure", batch: 0 });
    expect(maps.map(({ keyField, cross }) => [keyField, cross])).toEqual(
      stored.map(({ keys, cross }) => [keys, cross]),
    );
    for (const [i, { values, shape }] of stored.entries()) {
      const size = shape[1] * shape[2];
      values.subarray(size, 2 * size).forEach((value, k) => {
        expect(Math.abs(value - maps[i].values[k])).toBeLessThan(1e-5);
      });
    }
    const without = await evaluate({ run: "attndens", out, mode: "BERT", set: ["attention=false"] });
    expect(without.files.some((name) => name.endsWith("_attention.zarr"))).toBe(false);
  }, 60_000);

  it.each(["axial", "axial_parallel"])(
    "writes every line of %s attention, axis by axis",
    async (type) => {
      const id = type === "axial" ? "attnaxia" : "attnpara";
      await runAll(config(type), { out, runId: id, maxSteps: 1 });
      const path = `${out}/results/id${id}/results_id${id}_epoch00000_attention.zarr`;
      expect(existsSync(path)).toBe(true);
      const first = await heads(path, { field: "mean_sea_level_pressure", batch: 0, layer: 0 });
      expect(first.map(({ axis, cross, shape }) => [axis, cross, shape.join("x")])).toEqual([
        // 4 times of 8 places, 8 places of 4 times, 32 tokens of one level; the coarser field's tokens are repeated
        ["place", false, "2x4x8x8"],
        ["place", false, "2x4x8x8"],
        ["place", true, "2x4x8x2"],
        ["time", false, "2x8x4x4"],
        ["time", false, "2x8x4x4"],
        ["time", true, "2x8x4x4"],
        ["level", false, "2x32x1x1"],
        ["level", false, "2x32x1x1"],
        ["level", true, "2x32x1x1"],
      ]);
      for (const head of await heads(path)) expectRowsSumToOne(head);
    },
    60_000,
  );
});
