import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import Blosc from "numcodecs/blosc";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type * as LoaderRoom from "../../src/batches/loader.js";
import { maskingOf } from "../../src/batches/ready.js";
import { parseFields } from "../../src/config/fields.js";
import { resolveConfig } from "../../src/config/resolve.js";
import type { RunConfig } from "../../src/config/types.js";
import { BufferPool } from "../../src/data/pool.js";
import type * as StoreRoom from "../../src/data/store.js";
import type { Store } from "../../src/data/store.js";
import type { Draw } from "../../src/data/types.js";
import { createMaskStreams, maskBatch, maskInPlace } from "../../src/masking/index.js";
import { BLOSC } from "../../src/native/blosc.js";
import { findLibraries } from "../../src/native/find.js";
import { dataConfig, temporaryFolder, tinyStore } from "../data/support.js";
import { translateRooms } from "../support/translated.js";

const folder = temporaryFolder();
/** Only looked for: this thread opens it in one of the two copies of the sources that it runs. */
const library = findLibraries(BLOSC).found[0]?.path;
const asked = process.env.ATMOREP_BLOSC;
const ROOMS = [
  "data",
  "config",
  "random",
  "math",
  "formats",
  "native",
  "masking",
  "losses",
  "batches",
  "engine",
  "model",
];
let build: Awaited<ReturnType<typeof translateRooms>>;
let loader: typeof LoaderRoom;
let stores: typeof StoreRoom;
let storeLocation: string;

beforeAll(async () => {
  build = await translateRooms(ROOMS);
  const room = (path: string) => import(/* @vite-ignore */ pathToFileURL(join(build.path, path)).href);
  loader = await room("batches/loader.js");
  stores = await room("data/store.js");
  storeLocation = await bloscStore(`${folder.path}/tiny.zarr`);
});
afterAll(() => {
  build.remove();
  folder.remove();
});
afterEach(() => {
  if (asked === undefined) delete process.env.ATMOREP_BLOSC;
  else process.env.ATMOREP_BLOSC = asked;
});

/** A tiny store whose values are compressed by Blosc, a chunk a time step. */
async function bloscStore(path: string): Promise<string> {
  await tinyStore(path, { chunks: [1, 2, 2, 9, 12] });
  const blosc = new Blosc(5, "lz4", 1);
  for (const name of readdirSync(join(path, "data"))) {
    if (name.startsWith(".")) continue;
    const values = readFileSync(join(path, "data", name));
    writeFileSync(join(path, "data", name), await blosc.encode(values));
  }
  const metadata = join(path, "data", ".zarray");
  const { compressor: _, ...rest } = JSON.parse(readFileSync(metadata, "utf8"));
  const compressor = { id: "blosc", cname: "lz4", clevel: 5, shuffle: 1, blocksize: 0 };
  writeFileSync(metadata, JSON.stringify({ ...rest, compressor }));
  return path;
}

const draws: Draw[] = Array.from({ length: 8 }, (_, n) => ({
  timeIndex: 4 + n,
  places: [
    [33, 14 + (n % 3)],
    [34, 15],
  ],
}));

const configOf = (change: Partial<RunConfig> = {}): RunConfig => ({
  ...resolveConfig({ preset: "storm" }).config,
  ...dataConfig(),
  fields_prediction: [["a", 1]],
  BERT_strategy: "BERT",
  losses: ["mse"],
  ...change,
});

async function withStore<T>(
  use: (store: Store) => Promise<T>,
  location = storeLocation,
  cacheBytes?: number,
): Promise<T> {
  const store = await stores.openStore(location, { cacheBytes });
  try {
    return await use(store);
  } finally {
    await store.close();
  }
}

const ports = () => process.getActiveResourcesInfo().filter((name) => name === "MessagePort").length;

describe("batches", () => {
  const decoders = library ? ["none", library] : ["none"];
  const cases = decoders.flatMap((decoder) =>
    (["run", "batch"] as const).map((streams) => [decoder, streams] as const),
  );

  it.each(cases)("are the same for 0, 1, 2 and 4 workers (decoder %s, mask_streams %s)", async (decoder, streams) => {
    process.env.ATMOREP_BLOSC = decoder;
    const collect = async (workers: number) => {
      const config = configOf({ mask_streams: streams });
      const fields = parseFields(config);
      const masks = createMaskStreams(config, fields);
      const place = (batch: number) => ({ split: "validate" as const, epoch: 0, batch });
      const masking = (n: number) => maskingOf(masks, place(n), config.BERT_strategy);
      const all: unknown[] = [];
      await withStore(async (store) => {
        for await (const { batch, masked } of loader.loadCubes({ store, config, draws, workers, masking })) {
          const here = () => maskBatch(batch, fields, config, masks.of(place(all.length)));
          all.push({ batch, masked: masked ?? here() });
        }
      });
      return all;
    };
    const none = await collect(0);
    expect(none.length).toBe(draws.length);
    for (const workers of [1, 2, 4]) expect(await collect(workers)).toEqual(none);
  });

  it.each(["run", "batch"] as const)(
    "with the samples first are the same, in arrays that are given back, no more than are out at once (%s)",
    async (streams) => {
      const many = [...draws, ...draws, ...draws];
      const config = configOf({ mask_streams: streams });
      const fields = parseFields(config);
      const collect = async (workers: number) => {
        const masks = createMaskStreams(config, fields);
        const place = (batch: number) => ({ split: "train" as const, epoch: 3, batch });
        const masking = (n: number) => maskingOf(masks, place(n), config.BERT_strategy);
        const seen: unknown[] = [];
        const places = new Set<number>();
        let byWorkers = 0;
        await withStore(async (store) => {
          const pool = new BufferPool(store.cache);
          for await (const { batch, masked: made } of loader.loadSamples(
            { store, config, draws: many, workers, masking },
            pool,
          )) {
            if (made) byWorkers += 1;
            const masked = made ?? maskInPlace(batch, fields, config, masks.of(place(seen.length)), { pool });
            seen.push(structuredClone({ windows: batch.windows, masked }));
            for (const { source, target } of masked.fields) {
              for (const array of [source, target]) {
                expect(pool.room!.holds(array.buffer)).toBe(true);
                places.add(array.byteOffset);
              }
            }
            // whoever looks at them now would see it
            for (const { source, target } of masked.fields) pool.give(source.fill(Number.NaN), target.fill(Number.NaN));
          }
          pool.close();
          const spare = store.cache.lend(1)!;
          expect(spare.byteOffset).toBe(Math.min(...places));
          store.cache.takeBack(spare);
        });
        // the first batch is made in this thread, while the others start
        expect(byWorkers).toBe(streams === "batch" && workers > 0 ? many.length - 1 : 0);
        expect(places.size).toBeLessThanOrEqual(2 * (workers === 0 ? 1 : workers + 2));
        return seen;
      };
      const none = await collect(0);
      for (const workers of [1, 2, 4]) expect(await collect(workers)).toEqual(none);
    },
  );

  it("have each chunk decoded once in all threads", async () => {
    for (const workers of [0, 1, 2, 4]) {
      await withStore(async (store) => {
        let count = 0;
        const config = configOf();
        for await (const _ of loader.loadCubes({ store, config, draws: [...draws, ...draws], workers })) count += 1;
        expect(count).toBe(16);
        // steps 0 to 10 of the data, and the global normalisation
        expect(store.cache.loads).toBe(11 + 1);
      });
    }
  });

  it("stay within the bound of the cache, and read what they had to drop again", async () => {
    const config = configOf();
    const expected: unknown[] = [];
    await withStore(async (store) => {
      for await (const { batch } of loader.loadCubes({ store, config, draws })) expected.push(batch);
    });
    // a chunk has 1728 bytes: three of them
    const bound = 3 * 1728 + 100;
    await withStore(
      async (store) => {
        const seen: unknown[] = [];
        for await (const { batch } of loader.loadCubes({ store, config, draws, workers: 4 })) {
          expect(store.cache.bytes).toBeLessThanOrEqual(bound);
          seen.push(batch);
        }
        expect(store.cache.bytes).toBeGreaterThan(0);
        expect(seen).toEqual(expected);
      },
      storeLocation,
      bound,
    );
  });

  it("tell an error of a worker where it belongs, as the class it was", async () => {
    const config = configOf();
    const bad = draws.map((draw, n) => (n === 3 ? { ...draw, timeIndex: 99 } : draw));
    await withStore(async (store) => {
      let seen = 0;
      const reading = (async () => {
        for await (const _ of loader.loadCubes({ store, config, draws: bad, workers: 2 })) seen += 1;
      })();
      const error = await reading.then(
        () => null,
        (e: unknown) => e,
      );
      expect((error as Error).message).toMatch(
        /the cube's times lie outside the store; found steps 95 to 98; expected 0 to 11$/,
      );
      expect(seen).toBe(3);
    });
  });

  it("tell a damaged chunk at the first batch that needs it, whoever came upon it, and leave no thread behind", async () => {
    const location = await bloscStore(`${folder.path}/damaged.zarr`);
    const file = join(location, "data", "8.0.0.0.0");
    const before = ports();
    for (const [what, bytes] of [
      ["cut", readFileSync(file).subarray(0, 40)],
      ["of another length", new Uint8Array(100)],
    ] as const) {
      writeFileSync(file, bytes);
      for (const workers of [1, 2, 4]) {
        await withStore(async (store) => {
          let seen = 0;
          const reading = (async () => {
            for await (const _ of loader.loadCubes({ store, config: configOf(), draws, workers })) seen += 1;
          })();
          await expect(reading, what).rejects.toThrow(/damaged\.zarr\/data\/8\.0\.0\.0\.0/);
          // step 8 comes into the cube that ends before step 9
          expect(seen).toBe(5);
        }, location);
      }
    }
    expect(ports()).toBe(before);
  });

  it("end with their threads when the loop is left early, also while batches are in work", async () => {
    const before = ports();
    await withStore(async (store) => {
      for (let round = 0; round < 3; round++) {
        for await (const { batch } of loader.loadCubes({ store, config: configOf(), draws, workers: 2 })) {
          expect(batch.draw.timeIndex).toBe(4);
          expect(ports()).toBeGreaterThanOrEqual(before + 2);
          break;
        }
        expect(ports()).toBe(before);
      }
      // what they had loaded is there still, for this thread
      expect(store.cache.bytes).toBeGreaterThan(0);
    });
  });

  it("are told as failed when the store is gone from a worker's sight", async () => {
    await withStore(async (store) => {
      const gone = { ...store, location: "nowhere.zarr" };
      const reading = (async () => {
        for await (const _ of loader.loadCubes({ store: gone, config: configOf(), draws, workers: 2 }));
      })();
      const error = await reading.then(
        () => null,
        (e: unknown) => e,
      );
      expect((error as Error).message).toMatch(/there is no such store/);
    });
  });
});
