import { afterAll, expect, it } from "vitest";
import { benchPrepare } from "../../src/bench/prepare.js";
import { benchRead } from "../../src/bench/read.js";
import { resolveConfig } from "../../src/config/resolve.js";
import { dataConfig, temporaryFolder, tinyStore } from "../data/support.js";

const folder = temporaryFolder();
afterAll(folder.remove);

it("times preparation with and without masking, and reading", async () => {
  const storeLocation = await tinyStore(`${folder.path}/tiny.zip`);
  const config = { ...resolveConfig({ preset: "storm-day" }).config, ...dataConfig() };
  const rows = await benchPrepare({ config, storeLocation, workers: [0], batches: 3, warmup: 2, masks: true });
  expect(rows.map((row) => [row.workers, row.masking, row.samplesPerBatch, row.batches])).toEqual([
    [0, false, 3, 3],
    [0, true, 3, 3],
  ]);
  // 2 levels, 3 samples, 4 x 6 x 6 points, 4 bytes
  expect(rows[0].megabytesPerBatch).toBeCloseTo((2 * 3 * 144 * 4) / 1e6, 12);
  expect(rows[0].samplesPerSecond).toBeCloseTo(3 / rows[0].medianSeconds, 6);
  expect(rows[0].processorSeconds).toBeGreaterThan(0);
  // 3 chunks of data and one of the normalisation, in 5 batches: none is decoded twice
  expect(rows[0].chunksDecoded).toBeCloseTo(4 / 5, 6);
  const [cold] = await benchPrepare({ config, storeLocation, workers: [0], batches: 3, warmup: 2, cold: true });
  expect(cold.chunksDecoded).toBeGreaterThanOrEqual(rows[0].chunksDecoded);
  const [read] = await benchRead(storeLocation);
  expect(read).toMatchObject({ array: "data", chunks: 3, chunkShape: [4, 2, 2, 9, 12] });
});
