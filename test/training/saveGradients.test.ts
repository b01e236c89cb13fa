/** Gradients as files, checked against the step that made them. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { readNpy } from "../../src/formats/npy.js";
import { countParameters, modelSpec } from "../../src/model/index.js";
import { runAll, temporaryFolder, tinyConfig } from "../support/tinyRun.js";

it("writes each epoch's last gradients and second moments", async () => {
  const out = temporaryFolder();
  const config = tinyConfig({ save_grads: true });
  const { events } = await runAll(config, { out, runId: "withgrad" });
  const dir = join(out, "grads", "idwithgrad");
  const names = readdirSync(dir).filter((name) => name.startsWith("withgrad_epoch1_"));
  const grads = names.filter((name) => name.endsWith("_grad.npy")).sort();
  const last = events.filter((event) => event.type === "step").at(-1);
  let [squares, count] = [0, 0];
  for (const [k, name] of grads.entries()) {
    expect(name).toMatch(new RegExp(`^withgrad_epoch1_${String(k).padStart(5, "0")}_.+_grad\\.npy$`));
    const { data } = await readNpy(join(dir, name));
    count += data.length;
    for (const value of data as Float32Array) squares += value * value;
  }
  // a few parameters take no part in this network and have no gradient
  const all = countParameters(modelSpec(config));
  expect(count).toBeGreaterThan(0.99 * all);
  expect(count).toBeLessThanOrEqual(all);
  expect(Math.sqrt(squares)).toBeCloseTo(last?.gradientNorm ?? Number.NaN, 4);
  const { shape, data } = await readNpy(join(dir, "withgrad_epoch1_rmsprop.npy"));
  expect(shape).toEqual([grads.length]);
  expect(Array.from(data as Float32Array).every((value) => value >= 0)).toBe(true);
});

it("writes none unasked", async () => {
  const out = temporaryFolder();
  await runAll(tinyConfig(), { out, runId: "nograds0", maxSteps: 1 });
  expect(readdirSync(out).sort()).toEqual([".atmorep", "models", "results"]);
});
