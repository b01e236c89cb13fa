/** The presets with public addresses, on servers that serve the layout of those stores. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { checkAgainstStore } from "../../src/checks/validate.js";
import { resolveConfig } from "../../src/config/resolve.js";
import { readCube } from "../../src/data/cube.js";
import { levelSource } from "../../src/data/fields.js";
import { openData } from "../../src/data/openData.js";
import { admissible, drawEpoch } from "../../src/data/sampling.js";
import { openStore } from "../../src/data/store.js";
import { formatTime } from "../../src/data/time.js";
import { readValues } from "../../src/data/values.js";
import { arcoModelLevels, SLOW, serveStore, weatherBench } from "../support/publicStores.js";
import { runAll } from "../support/tinyRun.js";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "atmorep-public-"));
  vi.stubEnv("XDG_CACHE_HOME", join(folder, "cache"));
  vi.stubEnv("ATMOREP_HTTP_CACHE", join(folder, "http"));
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

/** `ATMOREP_TEST_SLOW=1` serves at the pace itself, to see the time on the clock. */
const pace = process.env.ATMOREP_TEST_SLOW === "1" ? SLOW : undefined;

describe("wb2-64x32", () => {
  it("has its first batch, normalisation included, in less than 30 s at 50 ms and 20 Mbit/s", async () => {
    const served = await serveStore(weatherBench(), pace);
    const { config } = resolveConfig({ preset: "wb2-64x32", data: served.address });
    const began = Date.now();
    const store = await openData(config);
    expect(checkAgainstStore(config, store)).toEqual([]);
    const [draw] = drawEpoch({ config, store, split: "train", epoch: 0 });
    const cube = await readCube(store, config, draw);
    expect(cube.fields.map(({ name }) => name)).toEqual(config.fields.map(([name]) => name));
    await store.close();
    expect(served.secondsAt(SLOW)).toBeLessThan(30);
    if (pace) expect(Date.now() - began).toBeLessThan(30_000);
    // one chunk a calendar month and field, and what the batch needs
    const chunks = served.asked.filter((key) => /\/\d+\.\d+/.test(key));
    expect(chunks.length).toBeLessThanOrEqual(4 * (12 + 2));
    expect(chunks.filter((key) => key.startsWith("temperature"))).toEqual([]);
  });

  it("asks for nothing in the second epoch that the first one has read", async () => {
    const served = await serveStore(weatherBench(), pace);
    const set = {
      fields: [["t2m", [1, 16, [], 0], [0], [7, 2, 4], [1, 4, 4], [0.5, 0.9, 0.2, 0.05]]],
      fields_prediction: [["t2m", 1]],
      ...{ encoder_num_layers: 1, decoder_num_layers: 1, encoder_num_heads: 2, decoder_num_heads: 2 },
      dates_train: [["2000-01-01T00:00", "2000-01-20T18:00"]],
      dates_val: [["2001-01-01T00:00", "2001-01-10T18:00"]],
      ...{ dates_test: null, num_samples_per_epoch: 16, num_samples_validate: 8, num_epochs: 2, samples_per_time: 8 },
    };
    const { config } = resolveConfig({ preset: "wb2-64x32", data: served.address, set });
    let first = 0;
    const { events } = await runAll(config, { out: folder, engine: "wasm" });
    expect(events.filter(({ type }) => type === "step").length).toBe(4);
    first = served.asked.length;
    expect(first).toBeGreaterThan(4);
    expect(new Set(served.asked).size).toBe(first);
    // and a later run needs no server
    vi.stubEnv("ATMOREP_OFFLINE", "1");
    await runAll(config, { out: folder, engine: "wasm" });
    expect(served.asked.length).toBe(first);
  });
});

describe("arco-model-levels", () => {
  it("draws no time that is allocated and holds no values, and says how many there are", async () => {
    const served = await serveStore(arcoModelLevels(), undefined);
    const { config } = resolveConfig({ preset: "arco-model-levels", data: served.address });
    const store = await openStore(served.address);
    expect([store.times[0], store.times[store.times.length - 1]].map(formatTime)).toEqual([
      "1940-01-01T00:00",
      "2024-11-30T23:00",
    ]);
    expect(store.view?.notes.join()).toMatch(
      /579\d\d\d of 1323648 times left out, .*valid_time_start 1940-01-01, valid_time_stop 2024-11-30/,
    );
    expect(checkAgainstStore(config, store)).toEqual([]);
    expect(drawEpoch({ config, store, split: "train", epoch: 0 }).length).toBe(500);
    expect(admissible(config, store, "train").times).toBe(24 * 731 - 5);
    await store.close();
  });

  it("reads its levels from the chunks of 18 that hold them", async () => {
    const served = await serveStore(arcoModelLevels({ times: 745_000, size: [21, 40], valued: true }));
    const store = await openStore(served.address);
    const { t, lat, lon } = { t: 700_000 - (40 * 365 + 9) * 24, lat: 3, lon: 5 };
    const window = { time: Int32Array.of(t), lat: Int32Array.of(lat), lon: Int32Array.of(lon) };
    const { values } = await readValues(store, levelSource(store, "velocity_u", 114), window);
    const chunk = arcoModelLevels({ times: 1, size: [21, 40], valued: true }).variables.u_component_of_wind.values;
    expect(values[0]).toBe(chunk?.[((113 - 6 * 18) * 21 + lat) * 40 + lon]);
    expect(served.asked.filter((key) => key.startsWith("u_"))).toEqual([`u_component_of_wind/700000.6.0.0`]);
    await store.close();
  });
});
