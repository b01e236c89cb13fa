/** Building commands as processes: stopped, killed, in parts, at once; and what lies on disk between. */
import { spawn } from "node:child_process";
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { workUnits } from "../../../src/data/building/threads.js";
import { atmorep, LAUNCHER, type Outcome, runProgram } from "../../support/cli.js";
import { filesOf } from "../../support/filesOf.js";
import { runCli } from "../../support/inProcess.js";
import { type Dataset, writeNetcdf3 } from "../importFixtures.js";
import { temporaryFolder } from "../support.js";

const folderOfTests = temporaryFolder();
const dir = folderOfTests.path;
afterAll(folderOfTests.remove);
const path = (name: string) => join(dir, name);

/** Two files of a month each and a bit, whose chunks of 11 steps do not end with the months; small planes, many units. */
function source(file: string, from: number, steps: number, levels = 3): string {
  const [rows, columns] = [6, 8];
  const values = (count: number, seed: number) =>
    Array.from({ length: count }, (_, i) =>
      Math.fround(Math.sin(i * 0.37 + seed + from) * 20 + (i % 97 === 5 ? Number.NaN : 0)),
    );
  const dataset: Dataset = {
    dims: { time: steps, level: levels, lat: rows, lon: columns },
    variables: [
      {
        name: "time",
        dims: ["time"],
        type: "double",
        values: Array.from({ length: steps }, (_, i) => (from + i) * 12),
        attrs: { units: "hours since 2001-01-20" },
      },
      { name: "level", dims: ["level"], type: "double", values: [500, 850, 1000].slice(0, levels) },
      { name: "lat", dims: ["lat"], type: "float", values: Array.from({ length: rows }, (_, i) => 50 - i) },
      { name: "lon", dims: ["lon"], type: "float", values: Array.from({ length: columns }, (_, i) => i) },
      {
        name: "u",
        dims: ["time", "level", "lat", "lon"],
        type: "float",
        values: values(steps * levels * rows * columns, 0),
      },
      {
        name: "v",
        dims: ["time", "level", "lat", "lon"],
        type: "float",
        values: values(steps * levels * rows * columns, 1),
      },
      { name: "sp", dims: ["time", "lat", "lon"], type: "float", values: values(steps * rows * columns, 2) },
    ],
  };
  return writeNetcdf3(path(file), dataset);
}

/** Every file of a folder with its bytes. */

let files: string[] = [];
let whole: Record<string, string> = {};
const LAYOUT = ["--chunks", "time=11,field=1,level=2,lat=4,lon=8", "--fill-time", "2", "--norm-until", "2001-04-01"];
const importArgs = (out: string, ...more: string[]) => ["data", "import", ...files, "--out", out, ...LAYOUT, ...more];

beforeAll(async () => {
  files = [source("a.nc", 0, 150), source("b.nc", 150, 70)];
  const made = await runCli(...importArgs(path("whole.zarr")));
  expect(made.stderr).toContain("next: npx atmorep");
  expect(made.code).toBe(0);
  whole = filesOf(path("whole.zarr"));
});

/** Starts the program, and ends it by a signal once so many units are in its journal. */
async function killed(
  args: readonly string[],
  folder: string,
  units: number,
  signal: NodeJS.Signals,
): Promise<Outcome> {
  const child = spawn(process.execPath, [LAUNCHER, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  const outcome: Outcome = { code: null, stdout: "", stderr: "" };
  child.stderr.on("data", (text) => {
    outcome.stderr += text;
  });
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  let running = true;
  void ended.then(() => {
    running = false;
  });
  while (running && linesIn(folder) < units) await pause(2);
  child.kill(signal);
  outcome.code = await ended;
  return outcome;
}

const linesIn = (folder: string): number =>
  existsSync(folder)
    ? readdirSync(folder)
        .filter((name) => name.endsWith(".jsonl"))
        .reduce((sum, name) => sum + readFileSync(join(folder, name), "utf8").split("\n").length - 1, 0)
    : 0;

describe("data import", () => {
  test("has the same bytes with worker threads", async () => {
    const { code, stderr } = await atmorep(importArgs(path("threads.zarr"), "--jobs", "3"));
    expect(stderr).toContain("next: npx atmorep");
    expect(code).toBe(0);
    expect(filesOf(path("threads.zarr"))).toEqual(whole);
    expect(readdirSync(dir).filter((name) => name.includes("threads"))).toEqual(["threads.zarr"]);
  });

  test("stopped by SIGINT exits 130 and says how to go on; kill -9 leaves what the same call goes on from", async () => {
    const out = path("stopped.zarr");
    const folder = `${out}.unfinished`;
    const stopped = await killed(importArgs(out), folder, 2, "SIGINT");
    expect(stopped.code).toBe(130);
    expect(stopped.stderr).toMatch(
      /data import was stopped; found \d+ of \d+ parts of the work done, kept in .*unfinished\. The same call goes on/,
    );
    expect(existsSync(out)).toBe(false);
    const before = linesIn(folder);
    expect(before).toBeGreaterThan(0);
    await killed(importArgs(out), folder, before + 2, "SIGKILL");
    // A line that broke off with the process counts for nothing, nor does a file that lost bytes.
    appendFileSync(join(folder, "part-1-of-1.jsonl"), '{"unit":0,"files":[["data/0.0.0');
    const { code, stderr } = await runCli(...importArgs(out));
    expect(code).toBe(0);
    expect(stderr).toMatch(/goes on: \d+ of \d+ parts of the work are done, in /);
    expect(filesOf(out)).toEqual(whole);
    expect(existsSync(folder)).toBe(false);
  });

  test("in four parts, killed twice, has the bytes of one; data finalise names the parts that are missing", async () => {
    const out = path("parts.zarr");
    const folder = `${out}.unfinished`;
    await killed(importArgs(out, "--part", "1/4"), folder, 1, "SIGKILL");
    const first = linesIn(folder);
    for (const part of ["3/4", "1/4"]) expect((await runCli(...importArgs(out, "--part", part))).code).toBe(0);
    expect(linesIn(folder)).toBeGreaterThan(first);
    await killed(importArgs(out, "--part", "4/4"), folder, linesIn(folder) + 1, "SIGKILL");
    const early = await runCli("data", "finalise", out);
    expect(early.code).toBe(2);
    expect(early.stderr).toMatch(/not all parts are done; found part 2\/4 lacks \d+ units/);
    expect(early.stderr).toContain("--part 2/4");
    const other = await runCli(...importArgs(out, "--part", "1/3"));
    expect(other).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("begun in another number of parts; found 4 parts, now 3"),
    });
    for (const part of ["2/4", "4/4"]) {
      const { stderr } = await runCli(...importArgs(out, "--part", part));
      expect(stderr).toContain(
        `part ${part[0]} of 4 is done, in ${folder}; when all are: npx atmorep data finalise ${out}`,
      );
    }
    const ended = await runCli("data", "finalise", out, "--json");
    expect(JSON.parse(ended.stdout)).toMatchObject({ path: out, command: "data import", parts: 4 });
    expect(filesOf(out)).toEqual(whole);
    expect(existsSync(folder)).toBe(false);
    const again = await runCli("data", "finalise", out);
    expect(again).toMatchObject({ code: 2, stderr: expect.stringContaining("nothing unfinished here") });
  });

  test("two at once into one path: one wins, the other is told who is at work", async () => {
    const out = path("both.zarr");
    const folder = `${out}.unfinished`;
    const child = spawn(process.execPath, [LAUNCHER, ...importArgs(out)], { stdio: "ignore" });
    const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
    while (linesIn(folder) < 1) await pause(2);
    child.kill("SIGSTOP");
    const second = await runCli(...importArgs(out));
    child.kill("SIGCONT");
    expect(second.code).toBe(2);
    expect(second.stderr).toContain("another process is at work on this");
    expect(second.stderr).toContain(`process ${child.pid} on `);
    expect(await ended).toBe(0);
    expect(filesOf(out)).toEqual(whole);
  });

  test("another request and changed files are refused with what differs, until --restart", async () => {
    const out = path("other.zarr");
    const folder = `${out}.unfinished`;
    await killed(importArgs(out), folder, 1, "SIGKILL");
    const args = ["data", "import", ...files, "--out", out];
    const request = await runCli(...args, "--compressor", "zlib");
    expect(request.code).toBe(2);
    expect(request.stderr).toMatch(
      /unfinished work of another request; found .*fillSteps 2 then, 0 now.*begin anew with --restart/,
    );
    const [info, now] = [statSync(files[1]), new Date()];
    utimesSync(files[1], now, now);
    const changed = await runCli(...importArgs(out));
    utimesSync(files[1], info.atime, info.mtime);
    expect(changed.code).toBe(2);
    expect(changed.stderr).toMatch(/sources are not those .* begun with; found b\.nc changed: \d+ bytes of .* then/);
    const command = await runCli("data", "rechunk", path("whole.zarr"), "--out", out);
    expect(command.stderr).toContain("unfinished work of another command; found data import");
    expect((await runCli(...importArgs(out, "--restart"))).code).toBe(0);
    expect(filesOf(out)).toEqual(whole);
    expect(existsSync(folder)).toBe(false);
  });

  test("killed between the two renames of --overwrite, the former store comes back or the new one takes its place", async () => {
    const out = path("swap.zarr");
    const folder = `${out}.unfinished`;
    // As a kill leaves it after the first rename: the former store aside, its successor complete.
    cpSync(path("whole.zarr"), join(folder, "former"), { recursive: true });
    mkdirSync(join(folder, "store"));
    const refused = await runCli(...importArgs(out));
    expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining("--overwrite") });
    expect(filesOf(out)).toEqual(whole);
  });

  test("killed while an archive takes its place, or what it was made of is removed, finalise ends it", async () => {
    const out = path("packed.zarr.zip");
    const folder = `${out}.unfinished`;
    for (const part of ["1/2", "2/2"]) expect((await runCli(...importArgs(out, "--part", part))).code).toBe(0);
    cpSync(folder, path("kept"), { recursive: true });
    expect((await runCli("data", "finalise", out)).code).toBe(0);
    const bytes = readFileSync(out);
    const ended = async () => {
      expect(await runCli("data", "finalise", out)).toMatchObject({ code: 0, stderr: "" });
      expect(readFileSync(out).equals(bytes)).toBe(true);
      expect(existsSync(folder)).toBe(false);
    };
    // the archive is whole, what it was made of half removed
    cpSync(path("kept"), folder, { recursive: true });
    rmSync(join(folder, "store", "data"), { recursive: true });
    renameSync(out, join(folder, "whole.zip"));
    await ended();
    // the archive has its place
    cpSync(path("kept"), folder, { recursive: true });
    rmSync(join(folder, "store"), { recursive: true });
    await ended();
    // the archive was being written
    cpSync(path("kept"), folder, { recursive: true });
    renameSync(out, path("away.zip"));
    writeFileSync(join(folder, ".whole.zip.tmp-elsewhere-1-1"), "PK");
    await runCli("data", "finalise", out);
    expect(readFileSync(out).equals(bytes)).toBe(true);
  });

  test("parts see the sources at different places", async () => {
    symlinkSync(dir, path("mount"));
    const seen = (name: string) => join(path("mount"), name);
    const out = path("mounted.zarr");
    expect((await runCli(...importArgs(out, "--part", "1/2"))).code).toBe(0);
    const elsewhere = ["data", "import", seen("a.nc"), seen("b.nc"), "--out", out, ...LAYOUT, "--part", "2/2"];
    expect(await runCli(...elsewhere)).toMatchObject({ code: 0 });
    expect((await runCli("data", "finalise", out)).code).toBe(0);
    expect(filesOf(out)).toEqual(whole);
    for (const [name, args] of [
      ["", ["data", "normalize"]],
      ["rechunked.zarr", ["data", "rechunk", "--out", path("rechunked.zarr")]],
      ["beside", ["data", "normalize", "--out", path("beside")]],
    ] as const) {
      const of = async (store: string, part: string) => runCli(...args, store, "--part", part);
      expect(await of(out, "1/2")).toMatchObject({ code: 0 });
      expect(await of(seen("mounted.zarr"), "2/2")).toMatchObject({ code: 0 });
      expect((await runCli("data", "finalise", name === "" ? seen("mounted.zarr") : path(name))).code).toBe(0);
    }
  });

  test("with no unit left to do opens no source", async () => {
    const nothing = { kind: "import", setup: null, cacheBytes: 0, store: dir, units: [], jobs: 1 } as const;
    const { signal } = new AbortController();
    await workUnits({ ...nothing, signal, progress: () => {}, done: async () => {} });
  });

  test("killed while it took a lock, named its request or put a zip file in its place, the same call goes on", async () => {
    const out = path("instants.zip");
    const folder = `${out}.unfinished`;
    const pid = (await runProgram(process.execPath, ["-e", "console.log(process.pid)"])).stdout.trim();
    mkdirSync(folder);
    for (const name of ["request.json", "folder.lock"])
      writeFileSync(join(folder, `${name}.${hostname()}.${pid}.0.1`), "");
    expect((await runCli(...importArgs(out))).code).toBe(0);
    expect(existsSync(folder)).toBe(false);
    // as a kill leaves it once the zip file is whole
    await killed(importArgs(out, "--overwrite"), folder, 1, "SIGKILL");
    renameSync(out, join(folder, "whole.zip"));
    const again = await runCli(...importArgs(out));
    expect(again).toMatchObject({ code: 2, stderr: expect.stringContaining("--overwrite") });
    expect([existsSync(out), existsSync(folder)]).toEqual([true, false]);
  });

  test("a folder of that name that is something else is left alone", async () => {
    const out = path("mine.zarr");
    mkdirSync(`${out}.unfinished`);
    writeFileSync(join(`${out}.unfinished`, "notes.txt"), "mine");
    const { code, stderr } = await runCli(...importArgs(out));
    expect(code).toBe(2);
    expect(stderr).toContain("something of another kind");
    expect(readdirSync(`${out}.unfinished`)).toEqual(["notes.txt"]);
  });

  test("a bound of memory that does not hold one unit is refused with what it takes", async () => {
    const { code, stderr } = await runCli(...importArgs(path("small.zarr"), "--memory", "100MiB"));
    expect(code).toBe(2);
    expect(stderr).toMatch(/does not fit into the memory; found 100MiB; expected at least \d+MiB/);
    expect((await runCli(...importArgs(path("small.zarr"), "--memory", "lots"))).code).toBe(2);
  });
});

describe("data normalize", () => {
  test.each([["month"], ["calendar-month"]])("in parts has the bytes of one (%s)", async (by) => {
    const [one, parts] = [path(`n-one-${by}.zarr`), path(`n-parts-${by}.zarr`)];
    for (const copy of [one, parts]) cpSync(path("whole.zarr"), copy, { recursive: true, preserveTimestamps: true });
    const args = (store: string) => ["data", "normalize", store, "--by", by, "--dates", "2001-02-01..2001-04-10"];
    expect((await runCli(...args(one))).code).toBe(0);
    for (const part of ["2/3", "1/3", "3/3"]) expect((await runCli(...args(parts), "--part", part)).code).toBe(0);
    expect((await runCli("data", "finalise", parts)).code).toBe(0);
    expect(filesOf(parts)).toEqual(filesOf(one));
    expect(readdirSync(parts)).not.toContain("normalization.unfinished");
  });

  test("beside its source in parts has the bytes of one", async () => {
    const args = (out: string) => ["data", "normalize", files[0], "--out", out];
    expect((await runCli(...args(path("s-one")))).code).toBe(0);
    for (const part of ["1/2", "2/2"]) expect((await runCli(...args(path("s-parts")), "--part", part)).code).toBe(0);
    expect((await runCli("data", "finalise", path("s-parts"))).code).toBe(0);
    expect(filesOf(path("s-parts"))).toEqual(filesOf(path("s-one")));
  });
});
