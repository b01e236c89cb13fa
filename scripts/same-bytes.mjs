/**
 * Do two versions of the program write the same bytes?
 *
 *   node scripts/same-bytes.mjs A B [--engine wasm|native ...] [--samples 48] [--keep FOLDER]
 *
 * A and B are commits, or folders that hold a checkout. Both train `storm` and `coupled-storm` over two short epochs of
 * `--samples` samples, go on with the first run, evaluate it as a forecast and with BERT masks, and make a synthetic store;
 * where the raw files beside the repository are (`../shared`, or ATMOREP_SHARED), they import NetCDF and GRIB, too.
 * Everything under fixed seeds and ids, in folders of their own. Native runs are made where ATMOREP_TENSORFLOW is set,
 * unless `--engine` says which. Every file must agree but for clocks: the times of metrics.jsonl, times and rates in
 * console.log, and what provenance.json has of each process. The exit status is 1 if one differs or is missing, or if a command fails.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { build, ROOT } from "../bin/build.js";
import { checkOut } from "./checkout.mjs";

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    engine: { type: "string", multiple: true },
    samples: { type: "string", default: "48" },
    keep: { type: "string" },
  },
});
if (positionals.length !== 2) throw new Error("usage: node scripts/same-bytes.mjs A B [--engine NAME ...]");
const engines = options.engine ?? ["wasm", ...(process.env.ATMOREP_TENSORFLOW ? ["native"] : [])];
const RAW = resolve(process.env.ATMOREP_SHARED ?? join(ROOT, "..", "shared"), "data", "raw");

/** [name of the folder they write into, arguments of the program...]; ids have eight characters */
function commands() {
  const short = ["num_epochs=2", `num_samples_per_epoch=${options.samples}`, "num_samples_validate=16"];
  const sets = short.flatMap((entry) => ["--set", entry]);
  const list = engines.flatMap((engine) => {
    const common = ["--engine", engine, "--out", "."];
    const train = (id, ...more) => [engine, "train", ...more, ...common, "--run-id", id];
    const evaluate = (id, ...more) => [engine, "evaluate", "storm001", ...more, ...common, "--run-id", id];
    return [
      train("storm001", "--preset", "storm", "--seed", "1", ...sets),
      train("storm002", "--continue", "storm001", "--set", "num_epochs=3"),
      train("coupled1", "--preset", "coupled-storm", "--seed", "1", ...sets),
      evaluate("evalfore", "--mode", "forecast", "--set", "forecast_num_tokens=1"),
      evaluate("evalbert", "--mode", "BERT"),
    ];
  });
  list.push(["stores", "data", "sample", "waves.zarr", "--days", "4", "--res", "5", "--seed", "7"]);
  list.push(["stores", "data", "normalize", "waves.zarr"]);
  if (!existsSync(RAW)) {
    console.log(`not compared: data import, for lack of ${RAW}`);
    return list;
  }
  const raw = (name) => join(RAW, name);
  const netcdf = [raw("ERA5_2022-08-31_ml_u.nc"), raw("ERA5_2022-08-31_sp.nc"), "--levels", "123,137"];
  list.push(["stores", "data", "import", ...netcdf, "--out", "netcdf.zarr"]);
  list.push(["stores", "data", "normalize", "netcdf.zarr"]);
  const grib = [raw("era5-2mt-2019-03-uk.grib"), "--time-chunk", "24", "--compressor", "zlib"];
  list.push(["stores", "data", "import", ...grib, "--out", "grib.zarr.zip"]);
  return list;
}

/** Runs all commands with one version of the program. */
function runAll(program, out) {
  for (const [folder, ...args] of commands()) {
    mkdirSync(join(out, folder), { recursive: true });
    const done = spawnSync(process.execPath, [join(program, "bin", "atmorep.js"), ...args], {
      cwd: join(out, folder),
      encoding: "utf8",
      maxBuffer: 2 ** 28,
    });
    if (done.status !== 0) throw new Error(`atmorep ${args.join(" ")} (${program}) failed:\n${done.stderr}`);
    console.log(
      `  ${folder}: ${args
        .slice(0, 4)
        .map((arg) => basename(arg))
        .join(" ")}`,
    );
  }
}

/** A file without the clocks that it may hold. */
function withoutClocks(path) {
  const bytes = readFileSync(path);
  const name = basename(path);
  if (name === "console.log") {
    return Buffer.from(
      bytes
        .toString()
        .replace(/\b\d\d:\d\d:\d\d\b/g, "CLOCK")
        .replace(/\([\d.]+ s\/sec\)/g, "(RATE)"),
    );
  }
  if (name === "provenance.json") {
    return Buffer.from(bytes.toString().replace(/"(began|command|version)":("[^"]*"|\[[^\]]*\])/g, '"$1":"OWN"'));
  }
  if (name !== "metrics.jsonl") return bytes;
  return Buffer.from(bytes.toString().replace(/"time":"[^"]*"/g, '"time":"CLOCK"'));
}

const filesBelow = (folder) =>
  readdirSync(folder, { recursive: true })
    .filter((path) => statSync(join(folder, path)).isFile())
    .sort();

/** Prints what differs. @returns whether all agree */
function compare(a, b) {
  const [inA, inB] = [new Set(filesBelow(a)), new Set(filesBelow(b))];
  const groups = new Map();
  for (const path of new Set([...inA, ...inB])) {
    const parts = path.split("/");
    const group = parts.slice(0, parts[0] === "stores" ? 2 : 3).join("/");
    const told = groups.get(group) ?? { agree: 0, differ: [] };
    groups.set(group, told);
    if (!inA.has(path) || !inB.has(path)) told.differ.push(`${path}: only in ${inA.has(path) ? "A" : "B"}`);
    else if (withoutClocks(join(a, path)).equals(withoutClocks(join(b, path)))) told.agree++;
    else told.differ.push(`${path}: other bytes`);
  }
  for (const [group, { agree, differ }] of groups) {
    console.log(`${group}: ${agree} files agree${differ.length > 0 ? `, ${differ.length} differ` : ""}`);
    for (const line of differ) console.log(`  ${line}`);
  }
  return [...groups.values()].every(({ differ }) => differ.length === 0);
}

const work = options.keep ? resolve(options.keep) : mkdtempSync(join(tmpdir(), "atmorep-bytes-"));
try {
  const outs = positionals.map((version, i) => {
    const side = "AB"[i];
    const isFolder = existsSync(join(version, "bin", "atmorep.js"));
    const copy = join(work, `program-${side}`);
    rmSync(copy, { recursive: true, force: true });
    const program = isFolder ? resolve(version) : checkOut(version, copy);
    build(program);
    const out = join(work, `written-${side}`);
    rmSync(out, { recursive: true, force: true });
    console.log(`${side}: ${version}`);
    runAll(program, out);
    return out;
  });
  const same = compare(outs[0], outs[1]);
  console.log(same ? "the same bytes" : "other bytes");
  process.exitCode = same ? 0 : 1;
} finally {
  if (!options.keep) rmSync(work, { recursive: true, force: true });
}
