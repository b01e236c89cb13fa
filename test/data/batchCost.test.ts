import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { readCube } from "../../src/data/cube.js";
import { batchCost } from "../../src/data/info/batchCost.js";
import { drawEpoch } from "../../src/data/sampling.js";
import { openStore } from "../../src/data/store.js";
import { dataConfig, temporaryFolder, tinyStore } from "./support.js";

const folder = temporaryFolder();
afterAll(folder.remove);

test.each<[string, [number, number, number, number, number]]>([
  ["one chunk a time step", [1, 2, 2, 9, 12]],
  ["one level and field a chunk, cut in space", [5, 1, 1, 4, 5]],
  ["everything in one", [12, 2, 2, 9, 12]],
])("the chunks that a batch is told to cost are those that reading it decodes: %s", async (name, chunks) => {
  const store = await openStore(await tinyStore(join(folder.path, `${name}.zarr`), { chunks }));
  try {
    const config = dataConfig();
    for (const draw of drawEpoch({ config, store, split: "train", epoch: 0 })) {
      const data = store.arrays.data!;
      const asked = new Set<string>();
      const chunk = (at: readonly number[]) => {
        asked.add(at.join());
        return data.chunk(at);
      };
      const counted = { ...data, chunk };
      const cube = await readCube({ ...store, arrays: { ...store.arrays, data: counted } }, config, draw);
      const cost = batchCost(store, config, draw);
      expect(cost.decodedBytes).toEqual({ data: asked.size * chunks.reduce((a, b) => a * b, 4), data_sfc: 0 });
      expect(cost.usedBytes).toBe(cube.fields.reduce((sum, { tokens }) => sum + tokens.byteLength, 0));
    }
  } finally {
    await store.close();
  }
});
