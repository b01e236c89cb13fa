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
