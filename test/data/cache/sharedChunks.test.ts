import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { Worker } from "node:worker_threads";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SharedChunks } from "../../../src/data/cache/sharedChunks.js";
import { translateRooms } from "../../support/translated.js";

let build: Awaited<ReturnType<typeof translateRooms>>;
beforeAll(async () => {
  build = await translateRooms(["data/cache", "formats"]);
});
afterAll(() => build.remove());

const KINDS = 40;
const lengthOf = (index: number) => 1000 + 700 * (index % 7);

/** A value whose every number can be told. */
const wanted = (index: number, load = async () => {}) => ({
  name: "x",
  index,
  length: lengthOf(index),
  itemBytes: 4 as const,
  async load(into: Float32Array | Float64Array) {
    await load();
    into.fill(index);
  },
});

/** Asks for values in an order of its own, keeps some for a while, and looks at every number of each. */
const ASKER = `
const { workerData, parentPort } = require("node:worker_threads");
(async () => {
  const { SharedChunks } = await import(workerData.module);
  const cache = SharedChunks.join(workerData.handle);
  let state = workerData.seed;
  const random = (n) => (state = (Math.imul(state, 1103515245) + 12345) >>> 0) % n;
  const rest = () => new Promise((resolve) => setTimeout(resolve, random(2)));
  const held = [];
  let [wrong, above, kept] = [0, 0, 0];
  const end = async () => {
    const { index, values, release } = held.splice(random(held.length), 1)[0];
    if (values.some((value) => value !== index)) wrong++;
    release();
  };
  for (let k = 0; k < 400; k++) {
    const index = random(${KINDS});
    const length = 1000 + 700 * (index % 7);
    const load = async (into) => {
      into.fill(-1);
      if (random(3) === 0) await rest();
      if (random(20) === 0) throw new Error("no");
      into.fill(index);
    };
    const chunk = await cache.hold({ name: "x", index, length, itemBytes: 4, load }).catch(() => null);
    if (chunk) held.push({ index, ...chunk });
    if (chunk && chunk.values.buffer instanceof SharedArrayBuffer) kept++;
    if (cache.bytes > workerData.bound) above++;
    while (held.length > 6 || (held.length > 0 && random(3) === 0)) await end();
  }
  while (held.length > 0) await end();
  parentPort.postMessage({ wrong, above, kept });
})();
`;

describe("SharedChunks", () => {
  it("gives several threads no wrong value, and never holds more than its bound", async () => {
    const bound = 250_000;
    const cache = new SharedChunks(bound, ["x"]);
    const answers = cache.share(4).map((handle) => {
      const seed = handle.thread;
      const module = pathToFileURL(join(build.path, "data/cache/sharedChunks.js")).href;
      const thread = new Worker(ASKER, { eval: true, workerData: { handle, module, seed, bound } });
      return new Promise<{ wrong: number; above: number; kept: number }>((resolve, reject) => {
        thread.once("message", resolve);
        thread.once("error", reject);
        thread.once("exit", () => cache.leave(handle.thread));
      });
    });
    for (const { wrong, above, kept } of await Promise.all(answers)) {
      expect([wrong, above]).toEqual([0, 0]);
      expect(kept).toBeGreaterThan(300);
    }
    expect(cache.hits).toBeGreaterThan(100);
    expect(cache.bytes).toBeGreaterThan(0);
    expect(cache.bytes).toBeLessThanOrEqual(bound);
  });

  it("loads a value once for all who ask at once, and again after a load that failed", async () => {
    const cache = new SharedChunks(1e6, ["x"]);
    let loads = 0;
    const load = async () => {
      loads += 1;
      await new Promise((resolve) => setTimeout(resolve, 5));
      if (loads === 1) throw new Error("chunk x/3 is damaged");
    };
    const asked = Array.from({ length: 4 }, () => cache.hold(wanted(3, load)));
    const results = await Promise.allSettled(asked);
    expect(results.map(({ status }) => status).sort()).toEqual(["fulfilled", "fulfilled", "fulfilled", "rejected"]);
    expect(loads).toBe(2);
    const values = results.flatMap((result) => (result.status === "fulfilled" ? [result.value.values] : []));
    expect(new Set(values.map(({ byteOffset }) => byteOffset)).size).toBe(1);
    expect([...new Set(values[0])]).toEqual([3]);
  });

  it("hands out what has no room, and keeps it not", async () => {
    for (const bound of [0, 4 * lengthOf(3) - 1]) {
      const cache = new SharedChunks(bound, ["x"]);
      const { values, release } = await cache.hold(wanted(3));
      expect([values.length, values[lengthOf(3) - 1]]).toEqual([lengthOf(3), 3]);
      release();
      expect([cache.bytes, cache.loads]).toEqual([0, 0]);
    }
  });

  it("lets others load what a thread that died was loading", async () => {
    const cache = new SharedChunks(1e6, ["x"]);
    const [handle] = cache.share(1);
    const never = SharedChunks.join(handle).hold(wanted(5, () => new Promise(() => {})));
    let there = false;
    const asked = cache.hold(wanted(5)).then((chunk) => {
      there = true;
      return chunk;
    });
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(there).toBe(false);
    cache.leave(handle.thread);
    expect((await asked).values[0]).toBe(5);
    never.catch(() => {});
  });
});
