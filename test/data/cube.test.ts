import { afterAll, describe, expect, it } from "vitest";
import { readCube, readSamples } from "../../src/data/cube.js";
import { resolveFields } from "../../src/data/fields.js";
import { windowNormalization } from "../../src/data/normalization/monthly.js";
import { BufferPool } from "../../src/data/pool.js";
import { openStore } from "../../src/data/store.js";
import { tokenize, tokenLayout, untokenize } from "../../src/data/tokens.js";
import { readValues } from "../../src/data/values.js";
import fc from "../support/property.js";
import { dataConfig, FIELD_A, STORM, temporaryFolder, tinyStore, tinyValue } from "./support.js";

const folder = temporaryFolder();
let count = 0;
const fresh = () => `${folder.path}/${count++}.zarr`;
afterAll(folder.remove);

const draw = {
  timeIndex: 7,
  places: [
    [33, 14],
    [34, 15],
    [36, 18],
  ] as [number, number][],
};

describe("readCube", () => {
  it("equals the stages one after the other, whatever the chunks and the format", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.tuple(
          fc.integer({ min: 1, max: 5 }),
          fc.constantFrom(1, 2),
          fc.constantFrom(1, 2),
          fc.integer({ min: 2, max: 9 }),
          fc.integer({ min: 2, max: 12 }),
        ),
        fc.constantFrom<"global" | "local">("global", "local"),
        fc.constantFrom<2 | 3>(2, 3),
        fc.constantFrom(0, 1e9),
        async (chunks, normalization, format, cacheBytes) => {
          const store = await openStore(await tinyStore(`${fresh()}.zip`, { chunks, format }), { cacheBytes });
          const config = dataConfig({ fields: [[...FIELD_A.slice(0, 6), normalization] as never] });
          const batch = await readCube(store, config, draw);
          const [field] = resolveFields(config, store);
          const layout = tokenLayout(field.numTokens, field.tokenSize);
          for (const [l, source] of field.sources.entries()) {
            for (const [b, window] of batch.windows.entries()) {
              const { values } = await readValues(store, source, window);
              expect(values[0]).toBe(Math.fround(tinyValue(window.time[0], 0, l, window.lat[0], window.lon[0])));
              const { mean, std } = await windowNormalization(store, "a", source, normalization, window);
              const normalised = values.map((v, i) => (v - mean[i]) / std[i]);
              const start = (l * batch.windows.length + b) * layout.size;
              const tokens = batch.fields[0].tokens.subarray(start, start + layout.size);
              expect(tokens).toEqual(tokenize(normalised, layout));
              expect(untokenize(tokens, layout)).toEqual(normalised);
            }
          }
          await store.close();
        },
      ),
      { numRuns: 25 },
    );
  });

  it("gives the same with the samples first, into arrays used before", async () => {
    const holed = { edit: (v: number, t: number) => (t === 5 ? Number.NaN : v) };
    for (const [n, options] of [{}, { chunks: [3, 1, 1, 4, 5] as never, ...holed }].entries()) {
      const store = await openStore(await tinyStore(fresh(), options));
      for (const normalization of ["global", "local"] as const) {
        const entry = (name: string) => [name, ...FIELD_A.slice(1, 6), normalization] as never;
        const config = dataConfig({ fields: [entry("a"), entry("b")], missing_values: n ? "skip" : "error" });
        const cube = await readCube(store, config, draw);
        const pool = new BufferPool(store.cache);
        const used = cube.fields.map(({ tokens }) => pool.take(tokens.length).fill(Number.NaN));
        const places = used.map(({ byteOffset }) => byteOffset);
        pool.give(...used);
        const samples = await readSamples(store, config, draw, pool);
        expect(samples.fields.map(({ tokens }) => tokens.byteOffset)).toEqual(places);
        expect(samples.windows).toEqual(cube.windows);
        for (const [f, { tokens, infos, valid, shape }] of samples.fields.entries()) {
          const level = cube.fields[f];
          const [B, L, ...rest] = shape;
          expect([L, B, ...rest]).toEqual(level.shape);
          expect(valid === null).toBe(n === 0);
          for (let b = 0; b < B; b++) {
            for (let l = 0; l < L; l++) {
              const part = <T extends Float32Array | Uint8Array>(x: T, i: number) =>
                x.subarray((i * x.length) / (L * B), ((i + 1) * x.length) / (L * B));
              expect(part(tokens, b * L + l)).toEqual(part(level.tokens, l * B + b));
              expect(part(infos, b * L + l)).toEqual(part(level.infos, l * B + b));
              if (valid) expect(part(valid, b * L + l)).toEqual(part(level.valid!, l * B + b));
            }
          }
        }
        pool.close();
      }
      await store.close();
    }
  });

  it("gives token infos of the last time and the middle point of each token", async () => {
    const store = await openStore(await tinyStore(fresh()));
    const { fields, windows } = await readCube(store, dataConfig(), draw);
    // token 0 of sample 1 on level 2; times 3..6 of a store that starts at 2022-01-01T00 in steps of 6 hours
    const N = 12;
    const row = fields[0].infos.subarray((3 + 1) * N * 8, (3 + 1) * N * 8 + 8);
    expect([...windows[1].time]).toEqual([3, 4, 5, 6]);
    expect([...windows[1].lat]).toEqual([1, 2, 3, 4, 5, 6]);
    expect([...row]).toEqual([2022, 1, 0, 2, 32, 13, 2, 1]);
    await store.close();
  });

  it("goes round the globe", async () => {
    const store = await openStore(
      await tinyStore(fresh(), { isGlobal: 1, columns: 12, res: [1, 30], lon0: 0, chunks: [12, 2, 2, 9, 5] }),
    );
    const batch = await readCube(store, dataConfig({ n_size: [4, 6, 180] }), { timeIndex: 4, places: [[33, 330]] });
    expect([...batch.windows[0].lon]).toEqual([8, 9, 10, 11, 0, 1]);
    const first = batch.fields[0].tokens;
    // mean of field a in January is 0, the standard deviation of level 1 is 2
    expect(first[0]).toBe(Math.fround(tinyValue(0, 0, 0, 0, 8) / 2));
    expect(batch.fields[0].infos[5]).toBe(270);
    await store.close();
  });

  it("marks filled steps of the storm as not valid and keeps their values", async () => {
    const store = await openStore(STORM);
    const fields: never = [
      ["temperature_sfc", [1, 16, [], 0], [0], [4, 3, 3], [3, 6, 6], [0.5, 0.9, 0.2, 0.05]],
    ] as never;
    const config = dataConfig({ fields, n_size: [12, 22.5, 45] });
    const {
      fields: [cube],
    } = await readCube(store, config, { timeIndex: 24, places: [[45, 260]] });
    const layout = tokenLayout([4, 3, 3], [3, 6, 6]);
    const valid = untokenize(cube.valid as never, layout);
    for (let t = 0; t < 12; t++) {
      const plane = valid.subarray(t * 324, (t + 1) * 324);
      expect(plane.every((v) => v === (12 + t === 17 ? 0 : 1))).toBe(true);
    }
    expect(cube.tokens.every((v) => Number.isFinite(v) && v !== 0)).toBe(true);
    const later = await readCube(store, config, { timeIndex: 44, places: [[45, 260]] });
    expect(later.fields[0].valid).toBeNull();
    await store.close();
  });
});

describe("missing values", () => {
  const holed = () =>
    tinyStore(fresh(), {
      edit: (v, t, f, l, y, x) => (t === 5 && f === 0 && l === 1 && y === 3 && x >= 6 ? Number.NaN : v),
    });

  it("stop the reading, naming store, time, field and level", async () => {
    const store = await openStore(await holed());
    await expect(readCube(store, dataConfig(), draw)).rejects.toThrow(
      /data: a value is missing; found NaN in a level 2 at 2022-01-02T06:00 \(step 5\)/,
    );
    await store.close();
  });

  it("are skipped as the climatological mean that does not count", async () => {
    const store = await openStore(await holed());
    const {
      fields: [cube],
      windows,
    } = await readCube(store, dataConfig({ missing_values: "skip" }), draw);
    let skipped = 0;
    const layout = tokenLayout([2, 3, 2], [2, 2, 3]);
    for (let b = 0; b < 3; b++) {
      const start = (3 + b) * layout.size;
      const valid = untokenize(cube.valid!.subarray(start, start + layout.size), layout);
      const values = untokenize(cube.tokens.subarray(start, start + layout.size), layout);
      let i = 0;
      for (const t of windows[b].time)
        for (const y of windows[b].lat)
          for (const x of windows[b].lon) {
            const missing = t === 5 && y === 3 && x >= 6;
            expect(valid[i]).toBe(missing ? 0 : 1);
            if (missing) expect(values[i]).toBe(0);
            skipped += Number(missing);
            i++;
          }
    }
    expect(skipped).toBeGreaterThan(0);
    expect(cube.valid!.subarray(0, 3 * layout.size).every((v) => v === 1)).toBe(true);
    await store.close();
  });

  it("in the normalisation name the month", async () => {
    const store = await openStore(await tinyStore(fresh(), { norm: (_month, s, y) => (y === 4 ? Number.NaN : s + 1) }));
    const config = dataConfig({ fields: [[...FIELD_A.slice(0, 6), "local"] as never] });
    await expect(readCube(store, config, draw)).rejects.toThrow(/no valid normalisation for a level 1 in 2022-01/);
    const storm = await openStore(STORM);
    const february = { ...storm, calendar: { ...storm.calendar, month: storm.calendar.month.map(() => 1) } };
    const fields: never = [["velocity_u", [1, 16, [], 0], [500], [4, 3, 3], [3, 6, 6], [0.5, 0.9, 0.2, 0.05]]] as never;
    await expect(
      readCube(february, dataConfig({ fields, n_size: [12, 22.5, 45] }), { timeIndex: 12, places: [[45, 260]] }),
    ).rejects.toThrow(/no valid normalisation for velocity_u level 500 in 1996-02/);
    await storm.close();
    await store.close();
  });
});
