/** Values that end a cell show what they are. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { plainBatch } from "../../src/batches/plain.js";
import { type Prepared, prepare } from "../../src/batches/prepare.js";
import { predictedFields } from "../../src/config/fields.js";
import { resolveConfig } from "../../src/config/resolve.js";
import { displayValue } from "../../src/notebook/values/index.js";
import { statisticsOf, statisticsText } from "../../src/notebook/values/statistics.js";

let prepared: Prepared;
beforeAll(async () => {
  prepared = await prepare(resolveConfig({ preset: "storm", seed: 1 }).config);
});
afterAll(() => prepared.store.close());

async function shown(value: unknown): Promise<{ html: string; text: string }> {
  const bundle = await displayValue(value);
  expect(bundle).toBeDefined();
  return { html: String(bundle?.["text/html"]), text: String(bundle?.["text/plain"]) };
}

describe("a batch shows shapes, units, statistics and a picture", () => {
  it("as it was prepared", async () => {
    const { html, text } = await shown(prepared);
    expect(text).toMatch(
      /^Batch 0 of train, 8 samples, strategy temporal_interpolation\n {2}times \d{4}-\d\d-\d\dT\d\d:00 to .* UTC\n/,
    );
    expect(text).toMatch(/velocity_v {2}\[B, L, N, D\] = \[8, 1, 28, 36\] {2}m\/s\n/);
    expect(text).toMatch(
      /sample 0: min -?[\d.]+, mean -?[\d.]+, max [\d.]+, std [\d.]+\n.*96 of 224 tokens chosen \(42.86 %\): \d+ masked/s,
    );
    expect(html.match(/<img src="data:image\/png;base64,[\w+/=]+" alt="(true|seen), /g)).toHaveLength(2);
    expect(html).toContain("<details open><summary><b>velocity_v</b>");
    expect(html.length).toBeLessThan(100_000);
  });

  it("before and after masking, and as the network takes it", async () => {
    const cube = await shown(prepared.cube);
    expect(cube.text).toContain("[L, B, nt, ny, nx, tt, ty, tx] = [1, 8, ");
    expect(cube.html).toContain('alt="sample 0, last time"');
    const { masked } = prepared;
    expect((await shown(masked)).text).toMatch(/96 of 224 tokens chosen .* masked, .* noised, .* coarsened\n/);
    const plain = plainBatch(masked, predictedFields(prepared.config));
    expect((await shown(plain)).text).toContain("target velocity_v  [M, D] = [96, 36]");
  });
});

it("a store shows times, levels, places and a plane of each field", async () => {
  const { html, text } = await shown(prepared.store);
  expect(text).toMatch(/^Store .*storm.*, Zarr format 2\n {2}T \d+ times, 1996-01-\d\dT\d\d:00 to .* UTC\n/);
  expect(text).toMatch(
    /mean_sea_level_pressure {2}\[T, Y, X\] = \[\d+, \d+, \d+\] {2}hPa\n {4}surface, .* UTC: min (9|10)\d\d/,
  );
  expect(html.match(/<img src="data:image\/png/g)?.length).toBe(
    prepared.store.fields.length + prepared.store.fieldsSfc.length,
  );
});

it("a run that was read shows how it went, with its curves in small", async () => {
  const metrics = [1, 2, 3].map((step) => ({ epoch: 0, step, samples: step, time: "", "training loss": 1 / step }));
  const about = { id: "abcd0123", status: "completed", strategy: "BERT", fields: ["t2m"], steps: 3, metrics };
  const run = {
    ...about,
    date: "1996-01-08T00:00:00Z",
    resultsDir: "results/idabcd0123",
    files: {},
    config: prepared.config,
  };
  const { html, text } = await shown(run);
  expect(text).toMatch(/^Run abcd0123\n {2}BERT of t2m: completed after 3 steps, begun 1996-01-08T00:00 UTC\n/);
  expect(html).toMatch(/<svg role="img" aria-label="training, all fields"/);
});

it("masked tokens are blank and hatched in the picture of what is seen", async () => {
  const bert = await prepare(resolveConfig({ preset: "storm", seed: 1, set: { BERT_strategy: "BERT" } }).config);
  const { html } = await shown(bert);
  await bert.store.close();
  expect(html).toContain("masked tokens hatched");
  expect(html).toContain("repeating-linear-gradient");
});

it("a configuration shows what differs from its preset, each key with its meaning", async () => {
  const resolved = resolveConfig({ preset: "storm", set: ["lr_max=0.5"] });
  for (const value of [resolved, resolved.config]) {
    const { html, text } = await shown(value);
    expect(html).toContain("<table>");
    expect(text).toMatch(/lr_max +0.5/);
  }
});

it("what is not one of them is left alone", () => {
  for (const value of [
    null,
    3,
    "text",
    [],
    {},
    { fields: [] },
    { config: {} },
    { fields: [{ source: 1 }] },
    new Float32Array(3),
  ]) {
    expect(displayValue(value)).toBeUndefined();
  }
});

it("statistics leave out what does not count", () => {
  expect(statisticsOf([1, 2, Number.NaN, 100, 3], [1, 1, 1, 0, 1])).toEqual({
    min: 1,
    mean: 2,
    max: 3,
    std: expect.closeTo(Math.sqrt(2 / 3), 12),
    missing: 2,
  });
  expect(statisticsText(statisticsOf([2, 2]))).toBe("min 2, mean 2, max 2, std 0");
  expect(statisticsOf([Number.NaN]).mean).toBeNaN();
});
