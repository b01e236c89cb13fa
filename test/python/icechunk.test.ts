/**
 * Icechunk repositories as Python writes them, one that has icechunk beside zarr 3; ATMOREP_ICECHUNK names the folder where
 * the package was installed, with its WebAssembly build where the system is old.
 */
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { resolveConfig } from "../../src/config/resolve.js";
import { finalise } from "../../src/data/building/finalise.js";
import { levelSource } from "../../src/data/fields.js";
import { importStore } from "../../src/data/import/index.js";
import { openPlan, type PlanRequest } from "../../src/data/import/job.js";
import { levelsOf } from "../../src/data/info/info.js";
import { normalizeStore } from "../../src/data/normalization/normalize.js";
import { openData } from "../../src/data/openData.js";
import { rechunkStore } from "../../src/data/rechunk/index.js";
import { openStore } from "../../src/data/store.js";
import { readValues, wholeWindow } from "../../src/data/values.js";
import { train } from "../../src/training/train.js";
import { serveFolder } from "../support/fileServer.js";
import { runAll, TINY_NETWORK } from "../support/tinyRun.js";
import { PYTHON_ZARR3, pythonOf } from "./python.js";

const SCRIPT = fileURLToPath(new URL("icechunk.py", import.meta.url));

interface Made {
  snapshots: { v1: string; main: string };
  values: Record<string, Record<string, number[]> & { times: never }>;
}

const config = (data: string, set: Record<string, unknown> = {}) =>
  resolveConfig({
    preset: "storm",
    data,
    set: {
      fields: [["temperature", [1, 16, [], 0], [500, 850], [2, 2, 2], [3, 3, 4], [0.5, 0.9, 0.1, 0.05]]],
      fields_prediction: [["temperature", 1]],
      n_size: [6, 98.181816, 120],
      idx_time_mask: null,
      token_infos: "raw",
      grad_accumulation: 1,
      geo_range_sampling: [
        [-90, 90],
        [0, 360],
      ],
      dates_train: [["2020-01-01", "2020-01-15"]],
      dates_val: [["2020-01-16", "2020-01-20"]],
      batch_size: 2,
      batch_size_validation: 2,
      samples_per_time: 4,
      num_samples_per_epoch: 10,
      num_samples_validate: 2,
      num_epochs: 1,
      ...TINY_NETWORK,
      rng_seed: 1,
      torch_seed: 1,
      ...set,
    },
  }).config;

describe("an Icechunk repository", () => {
  const folder = mkdtempSync(join(tmpdir(), "atmorep-icechunk-"));
  const repository = join(folder, "era5");
  let made: Made;
  beforeAll(() => {
    vi.stubEnv("XDG_CACHE_HOME", join(folder, "cache"));
    vi.stubEnv("ATMOREP_HTTP_CACHE", "off");
    made = pythonOf(PYTHON_ZARR3, readFileSync(SCRIPT, "utf8"), repository) as Made;
  });
  afterAll(() => {
    vi.unstubAllEnvs();
    rmSync(folder, { recursive: true, force: true });
  });

  async function expectValues(place: string): Promise<void> {
    for (const [version, wanted] of Object.entries(made.values)) {
      const store = await openStore(version ? `${place}#${version}` : place);
      expect(store.times.length).toBe(wanted.times);
      expect(
        levelsOf(store)
          .map(([name, { level }]) => `${name} ${level}`)
          .sort(),
      ).toEqual(["t2m 0", "temperature 500", "temperature 850"]);
      for (const [name, level] of [
        ["temperature", 500],
        ["temperature", 850],
        ["t2m", 0],
      ] as const) {
        const { values } = await readValues(store, levelSource(store, name, level), wholeWindow(store));
        expect(Array.from(values)).toEqual(wanted[`${name} ${level}`]);
      }
      await store.close();
    }
  }

  it("gives Python's values of every version, from a folder", () => expectValues(repository));

  it("gives them over http, where its files cannot be listed", async () => {
    const served = await serveFolder(folder);
    await expectValues(`${served.address}/era5`);
    expect(served.asked.filter((path) => path.includes("/chunks/")).length).toBeGreaterThan(0);
  });

  it("stays at the snapshot that it was opened at, and names it", async () => {
    const store = await openStore(`${repository}#branch=main`);
    expect(store.location).toBe(`${repository}#snapshot=${made.snapshots.main}`);
    const tagged = await openStore(`${repository}#tag=v1`);
    expect(tagged.location).toBe(`${repository}#snapshot=${made.snapshots.v1}`);
    expect(tagged.view?.identity).not.toBe(store.view?.identity);
    await store.close();
    await tagged.close();
  });

  it("is imported by all workers and parts at one snapshot, also where a field names it", async () => {
    const request: PlanRequest = {
      paths: [`${repository}#branch=main`],
      fields: [],
      fieldsSfc: [{ name: "t2m", level: null, variable: "2m_temperature", file: `${repository}#branch=main` }],
      levels: null,
      box: null,
      dates: null,
      combine: null,
      units: {},
    };
    const plan = await openPlan(request, { session: "icechunk" });
    const pinned = `${repository}#snapshot=${made.snapshots.main}`;
    expect(plan.pinned.paths).toEqual([pinned]);
    expect(plan.pinned.fieldsSfc[0].file).toBe(pinned);
    await plan.close();

    // as if the branch had moved on between two parts
    const out = join(folder, "parts.zarr");
    const { snapshots } = made;
    await importStore([`${repository}#tag=v1`], out, { part: { number: 1, of: 2 } });
    await expect(importStore([`${repository}#branch=main`], out, { part: { number: 2, of: 2 } })).rejects.toThrow(
      `not those that the unfinished work was begun with; found era5#snapshot=${snapshots.main} in place of era5#snapshot=${snapshots.v1}`,
    );
    await importStore([`${repository}#snapshot=${snapshots.v1}`], out, { part: { number: 2, of: 2 } });
    await finalise(out);
    await importStore([`${repository}#tag=v1`], join(folder, "one.zarr"));
    const names = readdirSync(out, { recursive: true, encoding: "utf8" }).filter((name) => /\/[\d.]+$/.test(name));
    expect(names.length).toBeGreaterThan(80);
    for (const name of names)
      expect(readFileSync(join(out, name))).toEqual(readFileSync(join(folder, "one.zarr", name)));
  });

  it("that holds the AtmoRep layout is not written again as files, and says so at once", async () => {
    const place = `${repository}#branch=layout`;
    const store = await openStore(place);
    expect(store.format).toBe(3);
    await store.close();
    const out = join(folder, "rechunked.zarr");
    await expect(rechunkStore(place, out)).rejects.toThrow(/data rechunk works on the files of a Zarr store/);
    expect(existsSync(`${out}.unfinished`)).toBe(false);
    await expect(normalizeStore(place, null)).rejects.toThrow(/data normalize works on the files of a Zarr store/);
  });

  it.each([
    [
      "branch=mian",
      /no branch of this name; found branch=mian; expected one of layout, main, work. Did you mean main\?/,
    ],
    ["tag=v2", /no tag of this name; found tag=v2; expected one of v1/],
    ["snapshot=AAAAAAAAAAAAAAAAAAAA", /no snapshot of this name/],
    ["snapshot=short", /no snapshot of this name/],
    ["branch=main&tag=v1", /a version that cannot be followed; found tag=v1/],
  ])("refuses #%s with one message", async (version, message) => {
    await expect(openStore(`${repository}#${version}`)).rejects.toThrow(message);
  });

  it("is refused where a manifest or a snapshot is damaged, cut short or gone", async () => {
    const copy = join(folder, "damaged");
    for (const part of ["manifests", "snapshots"]) {
      for (const damage of ["flipped", "short", "gone"] as const) {
        cpSync(repository, copy, { recursive: true });
        for (const name of readdirSync(join(copy, part))) {
          const path = join(copy, part, name);
          const bytes = readFileSync(path);
          bytes[3] ^= 4;
          if (damage === "gone") rmSync(path);
          else writeFileSync(path, damage === "flipped" ? bytes : bytes.subarray(0, bytes.length / 2));
        }
        await expect(openStore(copy)).rejects.toThrow(/the Icechunk repository cannot be read/);
        rmSync(copy, { recursive: true });
      }
    }
  });

  it("trains with the losses of the store that import makes of it, to the bit, and the run names the snapshot", async () => {
    const imported = join(folder, "imported.zarr");
    await importStore([`${repository}#tag=v1`], imported);
    const view = await openData(config(`${repository}#tag=v1`));
    const { statistics } = view;
    await view.close();
    const losses = async (data: string, set: Record<string, unknown>, out: string) => {
      const { events, finished } = await runAll(config(data, set), { out, engine: "wasm", runId: "icechunk" });
      expect(finished.type).toBe("finished");
      return events.filter((event) => event.type === "step").map((event) => event.total);
    };
    const out = join(folder, "run");
    const a = await losses(`${repository}#tag=v1`, { num_loader_workers: 2 }, out);
    const b = await losses(imported, { statistics }, join(folder, "run of the import"));
    expect(a.filter(Number.isFinite).length).toBe(5);
    expect(a).toEqual(b);
    const written = JSON.parse(readFileSync(join(out, "results/idicechunk/model_idicechunk.json"), "utf8"));
    expect(written.file_path).toBe(`${repository}#snapshot=${made.snapshots.v1}`);

    // the branch has moved on: whoever continues with it is told
    const told: string[] = [];
    const further = config(`${repository}#branch=main`, { num_epochs: 2 });
    for await (const event of train(further, { out, engine: "wasm", continue: "icechunk" })) {
      if (event.type === "warning") told.push(event.message);
    }
    expect(told.join()).toContain(`goes on with other data: ${repository}#snapshot=${made.snapshots.v1} before`);
  });

  it("is refused in a mapping that does not name the snapshot", async () => {
    const mapping = (source: string) => {
      const path = join(folder, "mapping.json");
      writeFileSync(path, JSON.stringify({ source, surface: { t2m: "2m_temperature" } }));
      return path;
    };
    await expect(openStore(mapping(repository))).rejects.toThrow(`#snapshot=${made.snapshots.main}`);
    const store = await openStore(mapping(`${repository}#snapshot=${made.snapshots.main}`));
    expect(store.fieldsSfc).toEqual(["t2m"]);
    await store.close();
  });
});
