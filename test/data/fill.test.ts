import { expect, test } from "vitest";
import { fill, type GatherJob } from "../../src/data/fill.js";
import { FillKernel } from "../../src/data/fillKernel.js";
import type { Points } from "../../src/data/fillPlan.js";
import type { Store } from "../../src/data/store.js";
import { tokenLayout } from "../../src/data/tokens.js";
import type { ChunkedArray } from "../../src/data/zarr/array.js";
import { Generator } from "../../src/random/index.js";
import fc from "../support/property.js";

declare const WebAssembly: {
  Memory: new (limits: { initial: number; maximum?: number; shared?: boolean }) => { buffer: ArrayBufferLike };
};

/** Where this thread's own part ends and chunks begin, not on a whole vector. */
const OWN = 65536;

const axis = (max: number) => fc.record({ tokens: fc.integer({ min: 1, max }), size: fc.integer({ min: 1, max: 7 }) });
const cases = fc.record({
  time: axis(3),
  lat: axis(3),
  lon: axis(4),
  /** of a chunk */
  chunk: fc.tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 30 }), fc.integer({ min: 1, max: 40 })),
  levels: fc.integer({ min: 1, max: 2 }),
  start: fc.tuple(fc.nat(20), fc.nat(20), fc.nat(40)),
  local: fc.boolean(),
  shared: fc.boolean(),
  skip: fc.boolean(),
  /** unaligned: values that the chunks begin later */
  shift: fc.nat(3),
  seed: fc.nat(),
  odd: fc.array(fc.constantFrom(Number.NaN, Infinity, -Infinity, 3e38, -0, 1e-45, 0), { maxLength: 3 }),
  stds: fc.constantFrom([2.5], [2.5, 0], [1e-30, 3], [Number.NaN, 1]),
});
const STORE = { time: 60, lat: 50, lon: 90 };

/** The points of a window by the chunk they lie in. */
function split(indices: number[], size: number): Map<number, Points> {
  const parts = new Map<number, number[]>();
  for (const [i, index] of indices.entries())
    parts.set(Math.floor(index / size), [...(parts.get(Math.floor(index / size)) ?? []), i]);
  return new Map(
    [...parts].map(([c, list]) => [
      c,
      {
        window: Int32Array.from(list),
        chunk: Int32Array.from(list, (i) => indices[i] - c * size),
        store: Int32Array.from(list, (i) => indices[i]),
      },
    ]),
  );
}

const same = (values: Float32Array) =>
  Buffer.from(values.map((value) => (Number.isNaN(value) ? Number.NaN : value)).buffer).toString("hex");

test("WebAssembly's loop, TypeScript's and the formula give the same bits, faults and valid points", () => {
  let [used, faults] = [0, 0];
  fc.assert(
    fc.property(cases, (c) => {
      const { chunk, levels, local, skip, seed } = c;
      const counts = [c.time, c.lat, c.lon];
      const layout = tokenLayout(
        counts.map(({ tokens }) => tokens) as [number, number, number],
        counts.map(({ size }) => size) as [number, number, number],
      );
      const indices = counts.map(({ tokens, size }, i) =>
        Array.from({ length: tokens * size }, (_, k) => (c.start[i] + k) % [STORE.time, STORE.lat, STORE.lon][i]),
      );
      const [times, lats, lons] = indices.map((list, i) => split(list, chunk[i]));
      const size = chunk[0] * levels * chunk[1] * chunk[2];
      const keys = [...times.keys()].flatMap((t) =>
        [...lats.keys()].flatMap((y) => [...lons.keys()].map((x) => [t, y, x])),
      );
      const points = STORE.lat * STORE.lon;
      const normAt = OWN + 8 * Math.ceil((4 * (size * keys.length + 4)) / 8);
      const outAt = normAt + 16 * points;
      const pages = Math.ceil((outAt + 4 * (2 * layout.size + 3)) / 65536);
      const memory = new WebAssembly.Memory(
        c.shared ? { initial: pages, maximum: pages + 9, shared: true } : { initial: pages },
      );
      const kernel = new FillKernel({ memory, at: 0, bytes: OWN, holds: (buffer) => buffer === memory.buffer });
      const begin = kernel.begin.bind(kernel);
      kernel.begin = (...all) => {
        const ready = begin(...all);
        used += Number(ready);
        return ready;
      };
      const random = new Generator(seed);
      const mean = new Float64Array(memory.buffer, normAt, local ? points : 1);
      const std = new Float64Array(memory.buffer, normAt + 8 * points, local ? points : 1);
      mean.set(random.standardNormal(mean.length));
      for (let i = 0; i < std.length; i++) std[i] = c.stds[(i * 7) % c.stds.length];
      const month = new Map([[0, mean]]);
      const store = {
        location: "store",
        lons: { length: STORE.lon },
        lats: { length: STORE.lat },
        times: new Float64Array(STORE.time),
        normalizationYears: null,
        calendar: { month: new Int32Array(STORE.time), year: new Int32Array(STORE.time) },
      } as unknown as Store;
      const array = {
        name: "data",
        shape: [60, 1, levels, 50, 90],
        chunkShape: [chunk[0], 1, levels, ...chunk.slice(1)],
      };
      const level = seed % levels;
      const filled = new Set(seed % 3 === 0 ? [indices[0][0]] : []);

      const expected = new Float32Array(layout.size);
      const run = (with_: FillKernel | null) => {
        const length = 2 * layout.size + 3;
        const tokens = with_ ? new Float32Array(memory.buffer, outAt, length) : new Float32Array(length);
        const into: GatherJob["into"] = { tokens: tokens.fill(7), valid: null };
        const job = {
          name: "field",
          source: { level: 1, surface: false, fieldIndex: 0, levelIndex: level, filled },
          layout,
          offset: 3,
          stride: layout.size,
          normalization: { kind: local ? "local" : "global", mean: month, std: new Map([[0, std]]) },
          into,
        } as unknown as GatherJob;
        let fault: string | null = null;
        try {
          for (const [n, [t, y, x]] of keys.entries()) {
            const values = new Float32Array(memory.buffer, OWN + 4 * (c.shift + n * size), size);
            values.set(new Generator(seed + n).standardNormal(size, new Float32Array(size)));
            for (const [i, odd] of c.odd.entries()) values[(seed + 31 * i) % size] = odd;
            const [time, lat, lon] = [times.get(t)!, lats.get(y)!, lons.get(x)!];
            for (const [k, w] of time.window.entries())
              for (const [j, v] of lat.window.entries())
                for (const [i, u] of lon.window.entries()) {
                  const at =
                    (time.chunk[k] * levels + level) * chunk[1] * chunk[2] + lat.chunk[j] * chunk[2] + lon.chunk[i];
                  const norm = local ? lat.store[j] * STORE.lon + lon.store[i] : 0;
                  expected[layout.time[w] + layout.lat[v] + layout.lon[u]] = (values[at] - mean[norm]) / std[norm];
                }
            fill(store, array as unknown as ChunkedArray, values, job, 1, time, lat, lon, skip, with_);
          }
        } catch (error) {
          fault = (error as Error).message;
        }
        return { ...into, fault };
      };
      const [plain, fast] = [run(null), run(kernel)];
      expect(fast.fault).toBe(plain.fault);
      if (plain.fault !== null) {
        faults += 1;
        expect(expected.some((value) => !Number.isFinite(value))).toBe(true);
        return;
      }
      expect(same(fast.tokens)).toBe(same(plain.tokens));
      expect(fast.valid).toEqual(plain.valid);
      const finite = expected.map((value) => (Number.isFinite(value) ? value : 0));
      expect(same(plain.tokens.slice(3 + layout.size))).toBe(same(skip ? finite : expected));
      expect([...plain.tokens.subarray(0, 3 + layout.size)].every((value) => value === 7)).toBe(true);
    }),
    { numRuns: 150 },
  );
  expect(used).toBeGreaterThan(150);
  expect(faults).toBeGreaterThan(10);
});
