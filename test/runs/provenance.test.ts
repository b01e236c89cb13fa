import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { appendFileSync, cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { digestFiles, parsePart } from "../../src/data/source/index.js";
import { openSafetensors } from "../../src/formats/safetensors.js";
import { loadCheckpoint, saveCheckpoint } from "../../src/runs/checkpoint.js";
import { runFolder } from "../../src/runs/folder.js";
import { lockRun } from "../../src/runs/lock.js";
import { readMetrics } from "../../src/runs/metrics.js";
import { provenancePath, readProvenance, readReads } from "../../src/runs/provenance.js";
import { planPruning, planRemoval, remove } from "../../src/runs/remove.js";
import { verifyRun } from "../../src/runs/verifyRun.js";
import { reproduceRun } from "../../src/training/reproduce.js";
import { type Dataset, writeNetcdf3, writeNetcdf4 } from "../data/importFixtures.js";
import { atmorep, LAUNCHER } from "../support/cli.js";
import { runCli } from "../support/inProcess.js";
import { tempDir } from "../support/tempDir.js";
import { runAll, temporaryFolder, tinyConfig } from "../support/tinyRun.js";

const STORE = "assets/storm_199601.zarr";
const CONFIG = tinyConfig({ num_samples_per_epoch: 4, num_samples_validate: 2, num_loader_workers: 0 });

/** The program on a terminal of its own, at which somebody types once it asks. */
function onTerminal(line: string, question: RegExp, typed: string): Promise<{ code: number | null; shown: string }> {
  return new Promise((resolve) => {
    const child = spawn("script", ["-qec", `'${process.execPath}' '${LAUNCHER}' ${line}`, "/dev/null"]);
    let shown = "";
    let answered = false;
    child.stdout.on("data", (text) => {
      shown += text;
      if (answered || !question.test(shown)) return;
      answered = true;
      child.stdin.write(typed);
    });
    child.on("close", (code) => resolve({ code, shown }));
  });
}

/** Four runs: one, one that goes on from it under another id, one of its weights, and one that nothing depends on. */
let made: string;
beforeAll(async () => {
  made = temporaryFolder();
  await runAll(CONFIG, {
    out: made,
    runId: "parent01",
    maxSteps: 2,
    command: ["train", "--data", "https://me:word@host/x?sig=1"],
  });
  await runAll(CONFIG, { out: made, runId: "goeson01", continue: "parent01" });
  await runAll(CONFIG, { out: made, runId: "weights1", initFrom: "parent01@best", maxSteps: 1 });
  await runAll(CONFIG, { out: made, runId: "alone001" });
});

function copy(): string {
  const out = tempDir();
  cpSync(made, out, { recursive: true });
  return out;
}

const collect = async (out: string, id: string, data = true) => {
  const files = [];
  for await (const file of verifyRun(out, id, data)) files.push(file);
  return files;
};

describe("what made a run", () => {
  it("is beside it, in its checkpoint's metadata, and told by runs show", async () => {
    const folder = runFolder(made, "parent01");
    const [session, ...more] = await readProvenance(folder);
    expect(more).toEqual([]);
    expect(session).toMatchObject({
      engine: expect.stringMatching(/^(wasm|native)$/),
      products: "float32",
      step: 0,
      processes: 1,
      node: process.version,
      parent: null,
      command: ["train", "--data", "https://...@host/x?..."],
      seeds: { torch_seed: expect.any(Number), rng_seed: expect.any(Number) },
      code: { commit: expect.stringMatching(/^[0-9a-f]{40}$/) },
      data: { location: expect.stringContaining(STORE), metadata: expect.stringMatching(/^[0-9a-f]{64}$/), view: null },
    });
    const file = await openSafetensors(join(folder.checkpointDir, "latest.safetensors"));
    await file.close();
    const stored = JSON.parse(file.metadata.get("provenance") ?? "null");
    const { version, engine, kernels, products, seeds, parent, startedFrom } = session;
    const { metadata, view } = session.data;
    // nothing that depends on where it was made
    const data = { metadata, view, snapshot: null, statistics: null };
    expect(stored).toEqual({ version, engine, kernels, products, seeds, parent, startedFrom, data });
    const shown = await atmorep(["runs", "show", "parent01", "--out", made]);
    expect(shown.stdout).toMatch(/^made by {3}AtmoRep \S+, TensorFlow/m);
    expect(shown.stdout).toMatch(/^data .*storm_199601\.zarr, metadata SHA-256 [0-9a-f]{16}, \d+ files or parts read/m);
  });

  it("names the run that it goes on from, and the weights that it starts from", async () => {
    const [goesOn] = await readProvenance(runFolder(made, "goeson01"));
    expect(goesOn).toMatchObject({ parent: { runId: "parent01", step: 2 }, step: 2 });
    const [weights] = await readProvenance(runFolder(made, "weights1"));
    const origin = {
      of: "initFrom",
      runId: "parent01",
      name: "parent01@best",
      sha256: expect.stringMatching(/^.{64}$/),
    };
    expect(weights.startedFrom).toEqual([origin]);
  });

  it("has the digests of the metadata and of the chunks that were read", async () => {
    const reads = await readReads(runFolder(made, "parent01"));
    const [place] = Object.keys(reads);
    expect(place).toContain(STORE);
    const keys = Object.keys(reads[place]);
    expect(keys).toContain("/.zgroup");
    expect(keys.filter((key) => key.startsWith("/data_sfc/") && !key.includes("/."))).not.toEqual([]);
  });

  it("is the same with threads that read", async () => {
    const out = tempDir();
    await runAll({ ...CONFIG, num_loader_workers: 2 }, { out, runId: "threads1", maxSteps: 2 });
    const [one, other] = [await readReads(runFolder(out, "threads1")), await readReads(runFolder(made, "parent01"))];
    const [place] = Object.keys(other);
    for (const [key, digest] of Object.entries(one[place])) expect(other[place][key] ?? digest).toBe(digest);
  });

  it("goes into safetensors that are converted from its weights", async () => {
    const out = copy();
    const { modelsDir } = runFolder(out, "parent01");
    const target = join(out, "weights.safetensors");
    await atmorep(["weights", "convert", join(modelsDir, "AtmoRep_idparent01.mod"), target]);
    const file = await openSafetensors(target);
    await file.close();
    expect(JSON.parse(file.metadata.get("provenance") ?? "null")).toMatchObject({ format: 1, sessions: [{ step: 0 }] });
  });
});

describe("runs reproduce", () => {
  it.each(["alone001", "goeson01", "weights1"])("says that %s is equal to the bit", async (id) => {
    expect(await reproduceRun(made, id)).toMatchObject({
      equal: true,
      row: null,
      tensor: null,
      steps: expect.any(Number),
    });
  });

  it("names the first step and tensor that differ", async () => {
    const out = copy();
    const folder = runFolder(out, "alone001");
    const rows = await readMetrics(folder.metrics);
    const at = rows.findIndex(({ step }) => step === 3);
    rows[at] = { ...rows[at], "training loss": 0.25 };
    writeFileSync(folder.metrics, rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
    const { path: _path, fault: _fault, ...checkpoint } = await loadCheckpoint(folder.checkpointDir, "latest");
    const name = [...checkpoint.moments.v.keys()][4];
    (checkpoint.moments.v.get(name) as { data: Float32Array }).data[0] += 1e-3;
    await saveCheckpoint(folder.checkpointDir, "latest", checkpoint);
    const { code, stdout } = await atmorep(["runs", "reproduce", "alone001", "--out", out]);
    expect(code).toBe(1);
    expect(stdout).toMatch(/differs first at step 3: training loss is [\d.]+, was 0\.25\n/);
    expect(stdout).toContain(`first tensor that differs: adam_v.${name} in `);
  });

  it("is refused where the run does not tell what made it", async () => {
    const v01 = tempDir();
    for (const home of ["models", "results"]) {
      cpSync(join("test/formats/v0.1", home), join(v01, home), { recursive: true });
    }
    await expect(reproduceRun(v01, "v010part")).rejects.toThrow(/does not tell what made it/);
  });
});

describe("runs verify", () => {
  it("finds every digest in order, and what was changed", async () => {
    const whole = await collect(made, "alone001");
    expect(whole.filter(({ status }) => status !== "equal")).toEqual([]);
    expect(whole.some(({ what }) => /\d+ files or parts that the run has read/.test(what))).toBe(true);
    const out = copy();
    const { modelsDir, checkpointDir } = runFolder(out, "alone001");
    appendFileSync(join(modelsDir, "AtmoRep_idalone001_best.mod"), "x");
    appendFileSync(join(checkpointDir, "best.safetensors"), "x");
    const changed = (await collect(out, "alone001", false)).filter(({ status }) => status === "changed");
    expect(changed.map(({ what }) => what.slice(modelsDir.length + 1))).toEqual([
      "AtmoRep_idalone001_best.mod",
      join("checkpoint", "best.safetensors"),
    ]);
  });

  it("notices a chunk of the data that is another one now", async () => {
    const out = tempDir();
    const store = join(out, "store.zarr");
    cpSync(STORE, store, { recursive: true });
    await runAll({ ...CONFIG, file_path: store }, { out, runId: "changes1", maxSteps: 1 });
    const reads = await readReads(runFolder(out, "changes1"));
    const key = Object.keys(reads[store]).find((name) => name.startsWith("/data_sfc/0")) as string;
    appendFileSync(join(store, key), "x");
    const { code, stdout } = await atmorep(["runs", "verify", "changes1", "--out", out]);
    expect(code).toBe(1);
    expect(stdout).toContain(`changed  ${store}${key}: SHA-256`);
  });
});

describe("runs verify of NetCDF files", () => {
  /** 60 steps of 6 hours of a small globe. */
  const dataset = (first: number): Dataset => {
    const range = (n: number, of: (i: number) => number) => Array.from({ length: n }, (_, i) => of(i));
    const units = { time: "hours since 2020-01-01", latitude: "degrees_north", longitude: "degrees_east" };
    return {
      dims: { time: 60, latitude: 12, longitude: 24 },
      variables: [
        {
          name: "time",
          dims: ["time"],
          type: "double",
          values: range(60, (t) => 6 * (first + t)),
          attrs: { units: units.time },
        },
        {
          name: "latitude",
          dims: ["latitude"],
          type: "double",
          values: range(12, (y) => 82.5 - 15 * y),
          attrs: { units: units.latitude },
        },
        {
          name: "longitude",
          dims: ["longitude"],
          type: "double",
          values: range(24, (x) => 15 * x),
          attrs: { units: units.longitude },
        },
        {
          name: "msl",
          dims: ["time", "latitude", "longitude"],
          type: "float",
          values: range(60 * 12 * 24, (i) => 101_000 + 900 * Math.sin((first + i) / 37)),
          attrs: { units: "Pa", standard_name: "air_pressure_at_mean_sea_level" },
        },
      ],
    };
  };

  it("notices a bit that flipped, bytes that were added, a mapping that is another one, a file that is gone", async () => {
    const out = tempDir();
    vi.stubEnv("XDG_CACHE_HOME", join(out, "cache"));
    onTestFinished(() => {
      vi.unstubAllEnvs();
    });
    const [a, b] = [writeNetcdf3(join(out, "a.nc"), dataset(0)), await writeNetcdf4(join(out, "b.nc"), dataset(60))];
    const mapping = join(out, "map.json");
    const told = await runCli("data", "info", join(out, "*.nc"), "--map", mapping);
    expect(told.code, told.stderr).toBe(0);
    const config = tinyConfig({
      file_path: mapping,
      fields: [["mean_sea_level_pressure", [1, 24, [], 0], [0], [4, 2, 2], [3, 3, 3], [0.5, 0.9, 0.4, 0.3]]],
      n_size: [12, 90, 90],
      geo_range_sampling: [
        [-90, 90],
        [0, 360],
      ],
      dates_train: [["2020-01-01", "2020-01-20"]],
      dates_val: [["2020-01-22", "2020-01-30"]],
      num_loader_workers: 0,
    });
    await runAll(config, { out, runId: "netcdf01", maxSteps: 2 });
    const bad = async () => (await collect(out, "netcdf01")).filter(({ status }) => status !== "equal");
    expect(await bad()).toEqual([]);
    const of = (what: string, status: string, text: RegExp) => ({ what, status, told: expect.stringMatching(text) });
    const flip = (path: string, at: number) => {
      const bytes = readFileSync(path);
      bytes[at] ^= 1;
      writeFileSync(path, bytes);
    };
    flip(a, 9000);
    expect(await bad()).toEqual([of(a, "changed", /^bytes 0-\d+\/\d+: SHA-256/)]);
    flip(a, 9000);
    appendFileSync(b, "x");
    expect(await bad()).toEqual([of(b, "changed", /^\d+ bytes, then \d+$/)]);
    rmSync(b);
    appendFileSync(mapping, "\n");
    expect(await bad()).toEqual([of(b, "missing", /read/), of(mapping, "changed", /bytes, then/)]);
  });

  it("of files that are too large reads the size and parts from the first byte to the last", async () => {
    const path = join(tempDir(), "large.nc");
    writeFileSync(path, Buffer.alloc(100_000, "abc"));
    const digests = (await digestFiles([path], 1600))[path];
    const parts = Object.keys(digests).map((name) => parsePart(name));
    expect(parts.length).toBe(16);
    expect([parts[0]?.first, parts.at(-1)?.last]).toEqual([0, 99_999]);
    expect(Object.keys(digests)[1]).toBe("bytes 6660-6759/100000");
    const [name] = Object.keys(digests).slice(7);
    const { first } = parsePart(name) as { first: number };
    const bytes = Buffer.alloc(100_000, "abc").subarray(first, first + 100);
    expect(digests[name]).toBe(createHash("sha256").update(bytes).digest("hex"));
  });
});

describe("runs rm and prune", () => {
  it("leave what another run depends on", async () => {
    await expect(planRemoval(made, ["parent01"])).rejects.toThrow(/run goeson01 goes on from it/);
    await expect(planRemoval(made, ["parent01", "goeson01"])).rejects.toThrow(/weights1 starts from its weights/);
    const { removals, kept } = await planPruning(made, [], 0);
    expect(kept).toEqual([{ id: "parent01", why: "run goeson01 goes on from it" }]);
    expect(removals.map(({ id }) => id)).toEqual(["alone001", "goeson01", "weights1"]);
  });

  it("leave a run that is being trained", async () => {
    const out = copy();
    const folder = runFolder(out, "alone001");
    writeFileSync(join(folder.modelsDir, "training.lock"), "");
    const held = await atmorep(["runs", "rm", "alone001", "--yes", "--out", out]);
    expect([held.code, existsSync(folder.modelsDir)]).toEqual([0, false]);
    // a lock of this process does not keep itself out, another process's does
    const other = copy();
    const lock = await lockRun(runFolder(other, "alone001"));
    const refused = await atmorep(["runs", "rm", "alone001", "--yes", "--out", other]);
    await lock.release();
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining("another process trains this run")]);
    expect(existsSync(runFolder(other, "alone001").metrics)).toBe(true);
  });

  it.runIf(spawnSync("script", ["--version"]).status === 0)(
    "ask on a terminal: y removes; n, a bare return, Ctrl-D and Ctrl-C do not",
    async () => {
      const out = copy();
      const { modelsDir } = runFolder(out, "alone001");
      const before = readdirSync(modelsDir).sort();
      for (const [command, typed, code, said] of [
        ["prune alone001", "n\r", 0, /nothing was removed/],
        ["prune alone001", "\r", 0, /nothing was removed/],
        ["rm alone001", "\x04", 0, /nothing was removed/],
        ["rm alone001", "\x03", 130, /SIGINT: stopped/],
      ] as const) {
        const asked = await onTerminal(`runs ${command} --out ${out}`, /\[y\/N\]/, typed);
        expect([asked.code, asked.shown], JSON.stringify(typed)).toEqual([code, expect.stringMatching(said)]);
        expect(readdirSync(modelsDir).sort()).toEqual(before);
      }
      const removed = await onTerminal(`runs rm alone001 --out ${out}`, /\[y\/N\]/, "y\r");
      expect([removed.code, existsSync(modelsDir)], removed.shown).toEqual([0, false]);
    },
  );

  it("ask, and refuse where nobody can be asked", async () => {
    for (const command of [["rm", "alone001"], ["prune"]]) {
      const { code, stderr } = await atmorep(["runs", ...command, "--out", made]);
      expect([code, stderr]).toEqual([2, expect.stringContaining("no terminal to ask at")]);
    }
    expect(existsSync(runFolder(made, "alone001").metrics)).toBe(true);
  });

  it("remove numbered weights, and the run goes on all the same", async () => {
    const out = copy();
    const { modelsDir, checkpointDir } = runFolder(out, "alone001");
    await remove(out, await planPruning(out, ["alone001"], 1));
    expect(readdirSync(modelsDir).filter((name) => /^AtmoRep_id.*_epoch/.test(name))).toEqual([
      "AtmoRep_idalone001_epoch1.mod",
    ]);
    expect(readdirSync(checkpointDir)).toEqual(["best.safetensors", "latest.safetensors"]);
    expect((await collect(out, "alone001", false)).filter(({ status }) => status !== "equal")).toEqual([]);
    await runAll({ ...CONFIG, num_epochs: 3 }, { out, continue: "alone001", inPlace: true });
    expect((await readProvenance(runFolder(out, "alone001"))).map(({ step }) => step)).toEqual([0, 4]);
  });

  it("remove nothing where a run cannot tell what it depends on", async () => {
    const out = copy();
    writeFileSync(provenancePath(runFolder(out, "goeson01")), "{");
    await expect(planRemoval(out, ["alone001"])).rejects.toThrow(/depends on cannot be read, so nothing is removed/);
    await remove(out, await planRemoval(out, ["goeson01"]));
    expect(readFileSync(runFolder(out, "alone001").metrics, "utf8")).not.toBe("");
  });
});
