/** A signal while the server of the data is away: the run ends at once, with its state saved. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { expect, it } from "vitest";
import { writeXarrayZarr } from "../data/importFixtures.js";
import { atmorep } from "../support/cli.js";
import { type FileServer, serveFolder } from "../support/fileServer.js";
import { stateOf } from "../support/runState.js";
import { tempDir } from "../support/tempDir.js";
import { type Running, startTraining, step, writeTinyConfig } from "../support/tinyProgram.js";

/** A server of a store in files of a time each, so that every batch needs others. */
async function serveStorm(out: string): Promise<FileServer> {
  const store = join(out, "storm.zarr");
  const made = await atmorep(["data", "rechunk", "assets/storm_199601.zarr", "--out", store, "--chunks", "time=1"]);
  expect(made.code, made.stderr).toBe(0);
  return serveFolder(store);
}

/** Leaves requests for values unanswered from when `isAway` says so. @returns how many were */
function goAway(server: FileServer, values: RegExp, isAway: () => boolean): () => number {
  let asked = 0;
  server.fault = (path, response) => {
    if (!values.test(path) || !isAway()) return false;
    asked += 1;
    response.destroy();
    return true;
  };
  return () => asked;
}

/** Interrupts a run once it waits for the server. */
async function interrupted({ child, ended }: Running, asked: () => number): Promise<Awaited<Running["ended"]>> {
  const deadline = Date.now() + 30_000;
  while (asked() === 0 && Date.now() < deadline) await pause(20);
  expect(asked()).toBeGreaterThan(0);
  const signalled = Date.now();
  child.kill("SIGINT");
  const end = await ended;
  expect(end.code, end.stderr).toBe(130);
  expect(Date.now() - signalled).toBeLessThan(15_000);
  return end;
}

const cached = (out: string) => ({
  ...process.env,
  ATMOREP_HTTP_CACHE: join(out, "cache"),
  XDG_CACHE_HOME: join(out, "user"),
});

it.each([0, 1])(
  "with %i loader workers a run that waits for a server ends within seconds of SIGINT",
  async (workers) => {
    const out = tempDir();
    const server = await serveStorm(out);
    let isAway = false;
    const asked = goAway(server, /^\/data(_sfc)?\/\d/, () => isAway);
    const config = writeTinyConfig(out, { file_path: server.address, num_epochs: 3, num_loader_workers: workers });
    const running = startTraining([config, "--out", out, "--run-id", "outage01"], cached(out));
    await step(running, 1);
    isAway = true;
    await interrupted(running, asked);
    expect((await stateOf(out, "outage01")).state.step).toBeGreaterThanOrEqual(1);
  },
);

it("a run that fits its baselines ends within seconds of SIGINT, saved, and can be continued", async () => {
  const out = tempDir();
  const server = await serveStorm(out);
  // The folder is made once the first batch has been read; then the baselines are fitted.
  const asked = goAway(server, /^\/data(_sfc)?\/\d/, () => existsSync(join(out, "results", "idoutage02")));
  const config = writeTinyConfig(out, { file_path: server.address, num_loader_workers: 0, num_samples_per_epoch: 40 });
  const running = startTraining([config, "--out", out, "--run-id", "outage02"], cached(out));
  const { stdout } = await interrupted(running, asked);
  const types = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line).type);
  expect(types).not.toContain("started");
  expect(types.slice(-2)).toEqual(["saved", "finished"]);
  expect(JSON.parse(stdout.trim().split("\n").at(-1) ?? "")).toMatchObject({ reason: "interrupted", step: 0 });
  server.fault = null;
  const args = ["--continue", "outage02", "--in-place", "--out", out, "--max-steps", "1"];
  expect((await startTraining(args, cached(out)).ended).code).toBe(0);
});

it("a run that computes its normalisation on first use ends within seconds of SIGINT and leaves none", async () => {
  const out = tempDir();
  const times = Array.from({ length: 60 }, (_, i) => i);
  const dims = { time: times.length, latitude: 6, longitude: 8 };
  const store = writeXarrayZarr(join(out, "era5.zarr"), {
    dims,
    variables: [
      { name: "time", dims: ["time"], type: "double", values: times, attrs: { units: "hours since 1996-01-01" } },
      { name: "latitude", dims: ["latitude"], type: "double", values: [60, 55, 50, 45, 40, 35] },
      { name: "longitude", dims: ["longitude"], type: "double", values: [0, 5, 10, 15, 20, 25, 30, 35] },
      {
        name: "msl",
        dims: ["time", "latitude", "longitude"],
        type: "float",
        values: Array.from({ length: 60 * 48 }, (_, i) => 1e5 + (i % 97)),
        attrs: { units: "Pa" },
      },
    ],
  });
  const read = (name: string) => JSON.parse(readFileSync(join(store, name), "utf8"));
  const names = [
    ".zgroup",
    ...["time", "latitude", "longitude", "msl"].flatMap((v) => [`${v}/.zarray`, `${v}/.zattrs`]),
  ];
  const metadata = Object.fromEntries(names.map((name) => [name, read(name)]));
  writeFileSync(join(store, ".zmetadata"), JSON.stringify({ metadata, zarr_consolidated_format: 1 }));
  const server = await serveFolder(store);
  const asked = goAway(server, /^\/msl\/[3-9]/, () => true);
  const config = writeTinyConfig(out, {
    file_path: server.address,
    dates_train: [["1996-01-01", "1996-01-02"]],
    dates_val: [["1996-01-03", "1996-01-03T11:00"]],
  });
  const { stderr } = await interrupted(startTraining([config, "--out", out], cached(out)), asked);
  expect(stderr).toContain("computing it by calendar month");
  expect(stderr).toContain("stopped while the data were opened. Nothing was written");
  expect(existsSync(join(out, "results"))).toBe(false);
  expect(readdirSync(join(out, "user/atmorep/statistics")).filter((name) => /^[0-9a-f]+\.zip$/.test(name))).toEqual([]);
});
