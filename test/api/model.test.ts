/** A trained run, ours and the reference's, loaded and looked into. */
import { rmSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type LoadedModel, loadModel, type Prepared, prepare } from "../../src/index.js";
import { runAll, temporaryFolder, tinyConfig } from "../support/tinyRun.js";

const out = temporaryFolder();
let model: LoadedModel;
let batch: Prepared;

beforeAll(async () => {
  await runAll(tinyConfig(), { out, runId: "model001", maxSteps: 2, engine: "wasm" });
  model = await loadModel("model001", { out, engine: "wasm" });
  batch = await prepare(model.config, { split: "validate" });
});

afterAll(async () => {
  model.dispose();
  await batch.store.close();
  rmSync(out, { recursive: true, force: true });
});

describe("a loaded model", () => {
  it("predicts the hidden tokens with every member", async () => {
    const [{ field, M, E, D, mean, ens }] = await model.predict(batch);
    expect(field).toBe("mean_sea_level_pressure");
    expect([M * D, E]).toEqual([batch.masked.fields[0].target.length, 2]);
    expect(mean).toHaveLength(M * D);
    const members = ens as Float32Array;
    for (let i = 0; i < 20; i++) expect((members[i] + members[D + i]) / 2).toBeCloseTo(mean[i], 5);
  });

  it("shows every head of one sample", async () => {
    const [one, two] = [await model.attention(batch, 0), await model.attention(batch, 1)];
    expect(one.map(({ block, cross }) => `${block} ${cross}`)).toEqual([
      ...Array(2).fill("encoders.0.heads.0 false"),
      "decoders.0.blocks.0 false",
      "decoders.0.blocks.0 true",
    ]);
    const [{ queries, keys, values, title, keyField }] = one;
    expect([queries, keys]).toEqual([36, 36]);
    expect(title).toBe("mean_sea_level_pressure, encoder layer 0, head 0");
    expect(keyField).toBe("mean_sea_level_pressure");
    for (let q = 0; q < queries; q++) {
      expect(values.subarray(q * keys, (q + 1) * keys).reduce((a, b) => a + b, 0)).toBeCloseTo(1, 5);
    }
    expect(two[0].values).not.toEqual(values);
    await expect(model.attention(batch, 2)).rejects.toThrow(/0 to 1/);
  });

  it("has a gradient for every parameter that it uses", async () => {
    const gradients = await model.gradients(batch);
    const unused = [...model.weights.keys()].filter((name) => !gradients.has(name));
    expect(unused.every((name) => name.startsWith("embed_token_info."))).toBe(true);
    for (const [name, gradient] of gradients) expect(gradient).toHaveLength(model.weights.get(name)!.data.length);
    expect([...gradients.values()].some((gradient) => gradient.some((value) => value !== 0))).toBe(true);
    expect(await model.gradients(batch)).toEqual(gradients);
  });

  it("says what is wrong with its name or its state", async () => {
    await expect(loadModel("nosuch01", { out })).rejects.toThrow(/nosuch01/);
    const second = await loadModel({ runId: "model001", out }, { engine: "wasm" });
    second.dispose();
    second.dispose();
    await expect(second.predict(batch)).rejects.toThrow(/disposed/);
  });

  it("opens what the reference wrote with PyTorch", async () => {
    const foreign = await loadModel("abcd0865", {
      out: "test/golden/run_bert",
      data: "test/golden/store.zarr.zip",
      engine: "wasm",
    });
    const prepared = await prepare(foreign.config, { split: "validate" });
    const predictions = await foreign.predict(prepared);
    expect(predictions.map(({ field }) => field)).toEqual(foreign.predicted.map(({ field }) => field.name));
    expect(predictions.every(({ mean }) => mean.every(Number.isFinite))).toBe(true);
    const maps = await foreign.attention(prepared);
    expect(maps.some(({ cross, part }) => cross && part === "decoder")).toBe(true);
    foreign.dispose();
    await prepared.store.close();
  });
});
