/**
 * Damaged stores and files, through the commands as a person gives them: a message that names the store, file or chunk;
 * exit 1 or 2; no hang, below 1 GB of memory; nothing half-written.
 * ATMOREP_DAMAGED_INPUTS: how many of the cases, evenly spread (.ci/full: all), each command as a process; without it a
 * few in this process. ATMOREP_DAMAGED_ONLY: those whose name has this.
 */
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { atmorep } from "../support/cli.js";
import { fileCases, wholeFiles } from "./damaged/files.js";
import { config, files, storeCases, wholeStores } from "./damaged/stores.js";
import type { DamagedCase } from "./damaged/types.js";
import { LIMIT_SECONDS, type Watched, watch } from "./damaged/watch.js";

const ASKED = process.env.ATMOREP_DAMAGED_INPUTS ?? "20";
const ONLY = process.env.ATMOREP_DAMAGED_ONLY ?? "";
const GIGABYTE = 2 ** 30;

const folder = mkdtempSync(join(tmpdir(), "atmorep-damaged-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const configFile = join(folder, "config.json");
writeFileSync(configFile, JSON.stringify(config()));

const whole = await wholeFiles(folder);
const all = [...storeCases(await wholeStores(folder), 20), ...fileCases(whole, 16)].filter(({ kind, name }) =>
  `${kind} ${name}`.includes(ONLY),
);
const count = ASKED === "all" ? all.length : Math.min(all.length, Number(ASKED));
const cases = Array.from({ length: count }, (_, i) => all[Math.floor((i * all.length) / count)]);
/** Where many are tried, every file is given to the other commands that read such files too; else every fifth. */
const FURTHER = count >= 100 ? 1 : 5;
const most = { seconds: 0, peak: 0, refused: 0, commands: 0 };

/** What is wrong with how a command ended. */
function faults(run: Watched, input: string, names: RegExp | undefined): string[] {
  const found: string[] = [];
  const said = `${run.stderr}${run.stdout}`;
  if (run.signal) found.push(`ended by ${run.signal}`);
  else if (![0, 1, 2].includes(run.code ?? -1)) found.push(`exit ${run.code}`);
  if (/^ {4}at |fault of the program|out of memory|FATAL/m.test(said))
    found.push(`no message of ours: ${run.stderr.slice(0, 600)}`);
  if (run.code !== 0 && !said.includes(basename(input)))
    found.push(`names neither ${basename(input)} nor a chunk: ${said.slice(0, 400)}`);
  if (run.code !== 0 && names && !names.test(said)) found.push(`does not match ${names}: ${said.slice(0, 400)}`);
  if (run.seconds > LIMIT_SECONDS) found.push(`${run.seconds.toFixed(1)} s`);
  if (run.peak > GIGABYTE) found.push(`${Math.round(run.peak / 2 ** 20)} MiB`);
  most.seconds = Math.max(most.seconds, run.seconds);
  most.peak = Math.max(most.peak, run.peak);
  most.commands += 1;
  if (run.code !== 0) most.refused += 1;
  return found;
}

/** Every path below a folder and the bytes of the files. */
function state(path: string): string {
  if (!existsSync(path)) return "";
  const hash = createHash("sha256");
  const list = readdirSync(join(path, ".."), { recursive: true }).map(String).sort();
  for (const name of list) hash.update(`${name}\n`);
  for (const name of files(join(path, ".."))) {
    const file = join(path, "..", name);
    const { size } = statSync(file);
    hash.update(size < 2 ** 24 ? readFileSync(file) : String(size));
  }
  return hash.digest("hex");
}

it("a whole store is taken by every command", { timeout: 300_000 }, async () => {
  expect((await atmorep(["--version"])).code).toBe(0);
  const dir = mkdtempSync(join(folder, "whole-"));
  for (const name of ["v2", "v3", "consolidated"]) {
    const input = join(folder, `${name}.zarr`);
    for (const [command, args] of commands(input, dir)) {
      const run = await watch(args, place(dir));
      expect({ command, code: run.code, said: run.code ? run.stderr : "" }).toEqual({ command, code: 0, said: "" });
    }
  }
});

it("whole files are imported", { timeout: 300_000 }, async () => {
  for (const [form, path] of Object.entries(whole)) {
    const dir = mkdtempSync(join(folder, "whole-"));
    const run = await watch(["data", "import", path, "--out", join(dir, "out.zarr")], place(dir));
    expect({ form, code: run.code, said: run.code ? run.stderr : "" }).toEqual({ form, code: 0, said: "" });
  }
});

function place(dir: string): string {
  const notes = join(dir, "..", "notes");
  mkdirSync(join(notes, "tmp"), { recursive: true });
  return notes;
}

function commands(input: string, dir: string): [string, string[]][] {
  return [
    ["info", ["data", "info", input]],
    ["verify", ["data", "info", input, "--verify"]],
    ["train", ["train", configFile, "--data", input, "--max-steps", "2", "--out", join(dir, "out")]],
    ["normalize", ["data", "normalize", input]],
  ];
}

async function judgeStore({ make, refused, names }: DamagedCase, dir: string): Promise<string[]> {
  mkdirSync(join(dir, "in"));
  const input = make(join(dir, "in"));
  const found: string[] = [];
  const order = ["info", "verify", "train"];
  for (const [command, args] of commands(input, dir)) {
    const before = command === "train" ? "" : state(input);
    const run = await watch(args, place(dir));
    const wrong = faults(run, input, refused === null ? undefined : names);
    if (refused !== null && order.indexOf(command) >= order.indexOf(refused) && command !== "normalize") {
      // verify tells of values and chunks; what only training needs it may pass
      if (run.code === 0 && !(command === "train" && refused === "verify")) wrong.push("accepted");
    }
    if (command === "train" && run.code === 2 && existsSync(join(dir, "out"))) wrong.push("left a run's folder");
    if (run.code !== 0 && command === "normalize" && state(input) !== before) wrong.push("changed the store");
    found.push(...wrong.map((text) => `${command}: ${text}`));
  }
  return found;
}

/** An import builds a whole store, or leaves nothing: no store, no hidden folder, no unpacked files. */
async function judgeFile({ make, refused }: DamagedCase, dir: string): Promise<string[]> {
  mkdirSync(join(dir, "in"));
  mkdirSync(join(dir, "out"));
  const input = make(join(dir, "in"));
  const out = join(dir, "out", "built.zarr");
  const notes = place(dir);
  const left = () => [...readdirSync(join(dir, "out")), ...readdirSync(join(notes, "tmp"))].join(", ");
  const found: string[] = [];
  if (cases.findIndex((one) => one.make === make) % FURTHER === 0) {
    for (const [command, target, args] of [
      ["info --map", "map.json", ["data", "info", input, "--map"]],
      ["normalize", "statistics.zip", ["data", "normalize", input, "--out"]],
    ] as const) {
      const path = join(dir, "out", target);
      const run = await watch([...args, path], notes);
      const wrong = faults(run, input, undefined);
      // a map is of names and axes, statistics of training times alone: what import refuses may be no fault of these
      rmSync(path, { force: run.code !== 0 });
      if (left()) wrong.push(`left ${left()}`);
      found.push(...wrong.map((text) => `${command}: ${text}`));
    }
  }
  const run = await watch(["data", "import", input, "--out", out], notes);
  found.push(...faults(run, input, undefined));
  if (run.code === 0 && refused) found.push("accepted");
  if (run.code !== 0 && left()) found.push(`left ${left()}`);
  rmSync(notes, { recursive: true, force: true });
  if (run.code !== 0) return found;
  const verified = await watch(["data", "info", out, "--verify"], place(dir));
  // infinite or missing values that the file holds are told, and no fault of the store
  return [...found, ...faults(verified, out, verified.code === 1 ? /values/ : undefined)];
}

it.each(cases)("$kind $name", { timeout: 300_000 }, async (one) => {
  const dir = mkdtempSync(join(folder, "case-"));
  expect(await (one.kind === "store" ? judgeStore : judgeFile)(one, dir)).toEqual([]);
  rmSync(dir, { recursive: true, force: true });
});

it("in short", () => {
  const { commands: given, refused, seconds, peak } = most;
  console.log(
    `${cases.length} damaged inputs: ${given} commands, ${refused} refused; at most ${seconds.toFixed(1)} s of processor time and ${Math.round(peak / 2 ** 20)} MiB`,
  );
});
