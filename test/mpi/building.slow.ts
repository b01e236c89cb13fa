/** Stores built by several processes: the bytes and messages of one, whatever befalls them. */
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { beforeAll, describe, expect, it } from "vitest";
import { type Dataset, writeNetcdf3 } from "../data/importFixtures.js";
import { atmorep, LAUNCHER, type Outcome, runProgram } from "../support/cli.js";
import { filesOf } from "../support/filesOf.js";
import { temporaryFolder } from "../support/tinyRun.js";
import { ENV, installed, MPICH, OPEN_MPI } from "./training.js";

const launchers = [OPEN_MPI, MPICH].filter(installed);
const dir = temporaryFolder();
const path = (name: string) => join(dir, name);

/** Three months, of which the last has missing values. */
function source(): string {
  const [steps, levels, rows, columns] = [170, 3, 6, 8];
  const values = (count: number, seed: number) =>
    Array.from({ length: count }, (_, i) =>
      i === count - 5 ? Number.NaN : Math.fround(20 * Math.sin(i * 0.37 + seed)),
    );
  const axis = (count: number, from: number, step: number) => Array.from({ length: count }, (_, i) => from + step * i);
  const dataset: Dataset = {
    dims: { time: steps, level: levels, lat: rows, lon: columns },
    variables: [
      {
        ...{ name: "time", dims: ["time"], type: "double", values: axis(steps, 0, 12) },
        attrs: { units: "hours since 2001-01-04" },
      },
      { name: "level", dims: ["level"], type: "double", values: [500, 850, 1000] },
      { name: "lat", dims: ["lat"], type: "float", values: axis(rows, 50, -1) },
      { name: "lon", dims: ["lon"], type: "float", values: axis(columns, 0, 1) },
      {
        ...{ name: "u", dims: ["time", "level", "lat", "lon"], type: "float" },
        values: values(steps * levels * rows * columns, 0),
      },
      { name: "sp", dims: ["time", "lat", "lon"], type: "float", values: values(steps * rows * columns, 2) },
    ],
  };
  return writeNetcdf3(path("source.nc"), dataset);
}

/** Every file below a folder with its bytes. */

const commandOf = (launcher: readonly string[], size: number, args: readonly string[]): [string, ...string[]] => {
  const [program, ...rest] = [...launcher, String(size), process.execPath, LAUNCHER, "data", ...args];
  return [program, ...rest];
};
const together = (launcher: readonly string[], size: number, args: readonly string[]): Promise<Outcome> => {
  const [program, ...rest] = commandOf(launcher, size, args);
  return runProgram(program, rest, dir, ENV);
};
const beside = (name: string) => readdirSync(dir).filter((own) => own.startsWith(name));

const CHUNKS = ["--chunks", "time=5,field=1,level=1"];
const importArgs = (out: string) => ["import", "source.nc", "--out", out, ...CHUNKS, "--norm-until", "2001-03-01"];
const rechunkArgs = (out: string) => ["rechunk", "one.zarr", "--out", out, "--chunks", "time=2,field=1,level=1"];
const NORMALIZE = ["--dates", "2001-01-10..2001-02-20", "--by", "calendar-month"];

beforeAll(async () => {
  expect(launchers.length, "install Open MPI: apt-get install openmpi-bin").toBeGreaterThan(0);
  source();
  const made = await atmorep(["data", ...importArgs("one.zarr")], dir);
  expect(made.code, made.stderr).toBe(0);
});

/** The command in one process and in several, with the target's name as `OUT`. */
async function both(size: number, args: (out: string) => readonly string[], name: string, end = ""): Promise<void> {
  const [one, many] = ["one", "many"].map((own) => `${name}-${own}.zarr${end}`);
  const alone = await atmorep(["data", ...args(one)], dir);
  expect(alone.code, alone.stderr).toBe(0);
  const { code, stdout, stderr } = await together(launchers[size % launchers.length], size, args(many));
  expect(code, stderr).toBe(0);
  const plain = (text: string, out: string) => text.replaceAll(out, "OUT");
  expect(plain(stdout, many)).toBe(plain(alone.stdout, one));
  expect(plain(stderr, many)).toBe(plain(alone.stderr, one));
  const bytesOf = (out: string) => (end === "" ? filesOf(path(out)) : readFileSync(path(out)));
  expect(bytesOf(many)).toEqual(bytesOf(one));
  expect(beside(`${name}-`).sort()).toEqual([many, one].sort());
}

describe.each([2, 3])("%i processes have the bytes and messages of one", (size) => {
  it("data import", () => both(size, importArgs, `import${size}`));
  it("data rechunk, to a zip file", () => both(size, rechunkArgs, `rechunk${size}`, ".zip"));
  it("data normalize, beside the store", () =>
    both(size, (out) => ["normalize", "one.zarr", "--out", out, ...NORMALIZE], `normalize${size}`));
});

it("data normalize within the store", async () => {
  const made = [];
  for (const [name, run] of [
    ["alone.zarr", (args: string[]) => atmorep(["data", ...args], dir)],
    ["both.zarr", (args: string[]) => together(launchers[0], 2, args)],
  ] as const) {
    expect((await atmorep(["data", ...importArgs(name)], dir)).code).toBe(0);
    const { code, stderr } = await run(["normalize", name, ...NORMALIZE]);
    expect(code, stderr).toBe(0);
    made.push(filesOf(path(name)));
  }
  expect(made[1]).toEqual(made[0]);
  expect(made[0]).not.toEqual(filesOf(path("one.zarr")));
});

it.each([
  ["SIGTERM", 143, /^data rechunk was stopped; found [1-9]\d* of \d+ parts of the work done, kept in/gm],
  ["SIGKILL", null, /^error: .*process 2 \(.*\) (is gone|silent for \d+ s), building/gm],
] as const)("%s to one of them ends all; the same call goes on to the same bytes", async (signal, exit, told) => {
  const out = `${signal}.zarr`;
  const [program, ...rest] = commandOf(OPEN_MPI, 3, rechunkArgs(out));
  const child = spawn(program, rest, { cwd: dir, env: ENV, stdio: ["ignore", "ignore", "pipe"] });
  let stderr = "";
  child.stderr.on("data", (text) => {
    stderr += text;
  });
  const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
  const folder = path(`${out}.unfinished`);
  const last = join(folder, "part-3-of-3");
  while (!existsSync(`${last}.jsonl`) || statSync(`${last}.jsonl`).size === 0) await pause(2);
  process.kill(JSON.parse(readFileSync(`${last}.lock`, "utf8")).pid, signal);
  const code = await ended;
  if (exit === null) expect(code).not.toBe(0);
  else expect(code, stderr).toBe(exit);
  expect(stderr.match(told), stderr).toHaveLength(1);
  expect(existsSync(path(out))).toBe(false);
  expect(readdirSync(folder)).toContain("part-3-of-3.jsonl");

  const again = await together(OPEN_MPI, 3, rechunkArgs(out));
  expect(again.code, again.stderr).toBe(0);
  expect(again.stderr.match(/^goes on: \d+ of \d+ parts of the work are done/gm)).toHaveLength(1);
  expect((await atmorep(["data", ...rechunkArgs(`${signal}-one.zarr`)], dir)).code).toBe(0);
  expect(filesOf(path(out))).toEqual(filesOf(path(`${signal}-one.zarr`)));
  expect(existsSync(folder)).toBe(false);
});

describe.each(launchers.map((launcher) => [launcher[0], launcher] as const))("%s: an error", (_, launcher) => {
  it("in the part of one process is that of one, told once; nothing is left", async () => {
    const args = [...importArgs("refused.zarr"), "--missing", "refuse"];
    const alone = await atmorep(["data", ...args], dir);
    const { code, stderr } = await together(launcher, 3, args);
    expect([alone.code, code], stderr).toEqual([2, 2]);
    expect(alone.stderr).toMatch(/^error: .*missing/);
    expect(stderr.split(alone.stderr)).toHaveLength(2);
    expect(beside("refused")).toEqual([]);
  });

  it("that all find is told once", async () => {
    const { code, stderr } = await together(launcher, 3, ["rechunk", "missing.zarr", "--out", "none.zarr"]);
    expect(code, stderr).toBe(2);
    expect(stderr.match(/^error: .*missing\.zarr/gm)).toHaveLength(1);
    expect(stderr).not.toContain("process 0");
  });

  it.each([
    ["another source", "source.nc", /^process 1 of 2:\nerror: .*source\.nc/m],
    [
      "another folder",
      path("source.nc"),
      /^error: .*the processes do not see one folder.*process 1 on .* process 0 on/m,
    ],
  ])("of a process that sees %s is told with its number", async (_, first, message) => {
    mkdirSync(path("elsewhere"), { recursive: true });
    const node = [process.execPath, LAUNCHER, "data", "import"];
    const [program, ...flags] = launcher;
    const both = [
      ...["1", ...node, first, "--out", "apart.zarr", ":"],
      ...["-n", "1", "env", "-C", path("elsewhere"), ...node, first, "--out", "apart.zarr"],
    ];
    const { code, stderr } = await runProgram(program, [...flags, ...both], dir, ENV);
    expect(code, stderr).toBe(2);
    expect(stderr).toMatch(message);
    expect(beside("apart")).toEqual([]);
    expect(readdirSync(path("elsewhere"))).toEqual([]);
  });
});
