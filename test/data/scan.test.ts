import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { scanStore } from "../../src/data/info/scan.js";
import { openStore } from "../../src/data/store.js";
import { temporaryFolder, tinyStore, tinyValue } from "./support.js";

const folder = temporaryFolder();
afterAll(folder.remove);

const STEPS = 24;
const open = async (name: string, chunks: [number, number, number, number, number]) =>
  openStore(await tinyStore(join(folder.path, name), { steps: STEPS, chunks }));

test.each([
  ["cut in time", [4, 2, 2, 9, 12]],
  ["cut everywhere, with parts beyond the edges", [5, 1, 1, 4, 5]],
] as const)("sees every value once: %s", async (name, chunks) => {
  const store = await open(`${name}.zarr`, [...chunks]);
  const { levels, steps, ofSteps } = await scanStore(store);
  expect([steps, ofSteps]).toEqual([STEPS, STEPS]);
  expect(levels.map(({ name, level }) => `${name} ${level}`)).toEqual(["a 1", "a 2", "b 1", "b 2"]);
  for (const [i, { count, sum, sumOfSquares, min, max, missing }] of levels.entries()) {
    const [f, l] = [Math.floor(i / 2), i % 2];
    let [total, squares] = [0, 0];
    for (let t = 0; t < STEPS; t++) {
      for (let y = 0; y < 9; y++) {
        for (let x = 0; x < 12; x++) {
          total += tinyValue(t, f, l, y, x);
          squares += tinyValue(t, f, l, y, x) ** 2;
        }
      }
    }
    expect(count).toBe(STEPS * 9 * 12);
    expect(missing).toBe(0);
    expect(sum).toBeCloseTo(total, 3);
    expect(sumOfSquares / squares).toBeCloseTo(1, 10);
    expect(min).toEqual({ value: tinyValue(0, f, l, 0, 0), at: [0, 0, 0] });
    expect(max).toEqual({ value: tinyValue(STEPS - 1, f, l, 8, 11), at: [STEPS - 1, 8, 11] });
  }
  await store.close();
});

test("a bound of bytes takes evenly spaced chunks in time, and reads no others", async () => {
  const store = await open("bounded.zarr", [2, 2, 2, 9, 12]);
  const whole = STEPS * 2 * 2 * 9 * 12 * 4;
  const asked: number[] = [];
  const data = store.arrays.data!;
  const chunk = (at: readonly number[]) => {
    asked.push(at[0]);
    return data.chunk(at);
  };
  const counted = { ...store, arrays: { ...store.arrays, data: { ...data, chunk } } };
  expect((await scanStore(counted, { bytes: whole / 4 })).steps).toBe(6);
  expect(asked).toEqual([2, 6, 10]);
  expect((await scanStore(counted, { bytes: 100 })).steps).toBe(0);
  await store.close();
});
