/** Sources of other layouts as Python writes them, opened as stores and compared point by point with xarray and ecCodes. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { levelSource } from "../../src/data/fields.js";
import { levelsOf } from "../../src/data/info/info.js";
import { openStore } from "../../src/data/store.js";
import { readValues, wholeWindow } from "../../src/data/values.js";
import { serveFolder } from "../support/fileServer.js";
import { PYTHON_ZARR3 } from "./python.js";

const SCRIPT = fileURLToPath(new URL("foreign.py", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "atmorep-foreign-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

beforeAll(() => {
  vi.stubEnv("ATMOREP_HTTP_CACHE", "off");
});

interface Case {
  place: string;
  /** [time, lat, lon] in the store's order by field and level */
  fields: Record<string, number[]>;
  /** seconds since 1970 */
  times: number[];
}

const text = execFileSync(PYTHON_ZARR3, ["-W", "ignore", SCRIPT, folder], { encoding: "utf8", maxBuffer: 1 << 28 });
const cases = Object.entries(JSON.parse(text) as Record<string, Case>);

async function expectCase(place: string, wanted: Case): Promise<void> {
  const store = await openStore(place);
  expect(Array.from(store.times, (ns) => Number(ns / 1_000_000_000n))).toEqual(wanted.times);
  const found = levelsOf(store).map(([name, { level }]) => `${name} ${level}`);
  expect(found.sort()).toEqual(Object.keys(wanted.fields).sort());
  for (const [key, values] of Object.entries(wanted.fields)) {
    const [name, level] = key.split(" ");
    const got = await readValues(store, levelSource(store, name, Number(level)), wholeWindow(store));
    expect(Array.from(got.values)).toEqual(values);
  }
  await store.close();
}

describe("a view of what Python writes", () => {
  it.each(cases)("%s: the values and times that Python has", (_, wanted) => expectCase(wanted.place, wanted));

  it.each(["WeatherBench 2", "Earth Data Hub", "model levels along hybrid"])(
    "%s, over http: the same, and nothing is asked of variables that the mapping does not name",
    async (name) => {
      const served = await serveFolder(folder);
      const wanted = (JSON.parse(text) as Record<string, Case>)[name];
      await expectCase(`${served.address}/${basename(wanted.place)}`, wanted);
      expect(served.asked.length).toBeGreaterThan(10);
      expect(served.asked.filter((path) => path.includes("soil_type"))).toEqual([]);
      await served.close();
    },
  );
});
