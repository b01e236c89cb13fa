/**
 * The data path beside the original and Python, in turn, as one table: decoding, batch preparation, workers, the wait of a
 * run for its data. Needs a build, and for the wait the native engine.
 *
 *   ATMOREP_SRC=<checkout of the original> PYTHON=<its Python, with zarr 2> PYTHON_ZARR3=<a Python with zarr 3> \
 *     node bench/data-path.mjs PEER [--rows decode,prepare,cold,workers,wait] [--rounds 3] [--folder DIR]
 *
 * PEER is the folder with `bench_peer.py`, `make_store.py` and `configs/`. DIR keeps the stores that are made (500 MB; the
 * one of the wait 700 more). Times but those of workers and wait are processor time, on one thread; medians over the rounds.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, rmSync } from "node:fs";
import { availableParallelism, cpus, loadavg, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rows: { type: "string", default: "decode,prepare,cold,workers,wait" },
    rounds: { type: "string", default: "3" },
    folder: { type: "string", default: join(tmpdir(), "atmorep-data-path") },
  },
});
if (!positionals[0]) throw new Error("usage: node bench/data-path.mjs PEER [--rows NAMES] [--rounds N] [--folder DIR]");
const peer = resolve(positionals[0]);
const { PYTHON = "python3", PYTHON_ZARR3 = PYTHON } = process.env;
const rounds = Number(options.rounds);
const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];
const run = (file, args, env = {}) =>
  execFileSync(file, args, { encoding: "utf8", env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "inherit"] });

const SETTINGS = { "1 degree": ["prep_1deg.json", "bench1deg"], "0.25 degree": ["prep_025deg.json", "bench025"] };
const table = [["", "ours", "beside", "ratio", "goal"]];

/** The values of `data` with noise, in Blosc with lz4: what weather looks like to a codec. */
const NOISE = `
import sys, shutil, numpy as np, zarr, numcodecs
numcodecs.blosc.use_threads = False
shutil.copytree(sys.argv[1], sys.argv[2])
old = zarr.open(sys.argv[1], mode="r")["data"]
new = zarr.open_group(sys.argv[2], mode="a").create_dataset("data", shape=old.shape, chunks=old.chunks, dtype="<f4",
  compressor=numcodecs.Blosc(cname="lz4", clevel=5, shuffle=numcodecs.Blosc.SHUFFLE), overwrite=True)
rng = np.random.default_rng(0)
for i in range(0, old.shape[0], old.chunks[0]):
  block = old[i : i + old.chunks[0]]
  new[i : i + old.chunks[0]] = block + rng.normal(0, 1, block.shape).astype("f4")
`;

/** The original's times in processor time, on one thread. */
const ORIGINAL = `
import sys, time, runpy
time.perf_counter = time.process_time
sys.path.insert(0, ".")
sys.argv = ["bench_peer.py"] + sys.argv[1:]
runpy.run_path("bench_peer.py", run_name="__main__")
`;

function storeOf(profile, { noisy = false, days } = {}) {
  const plain = join(options.folder, `${profile}${days ? `-${days}` : ""}.zarr`);
  if (!existsSync(plain)) {
    mkdirSync(options.folder, { recursive: true });
    const more = days ? ["--days", String(days)] : [];
    run(PYTHON, ["-W", "ignore", join(peer, "make_store.py"), plain, "--seed", "3", "--profile", profile, ...more]);
  }
  const noise = plain.replace(/\.zarr$/, "-noisy.zarr");
  if (noisy && !existsSync(noise)) {
    const unfinished = `${noise}.new`;
    rmSync(unfinished, { recursive: true, force: true });
    run(PYTHON, [
      "-W",
      "ignore",
      "-c",
      `${NOISE}\nimport os; os.rename(sys.argv[2], sys.argv[3])`,
      plain,
      unfinished,
      noise,
    ]);
  }
  return noisy ? noise : plain;
}

/** Seconds of processor time a batch, without masking and with it. */
function original(config, store, repeats) {
  const args = ["prep", "--config", join(peer, "configs", config), "--store", store, "--repeats", String(repeats)];
  const code = ["-W", "ignore", "-c", ORIGINAL, ...args, "--threads", "1", "--tmp", join(options.folder, "tmp")];
  const text = execFileSync(PYTHON, code, { cwd: peer, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
  const { sampler, sampler_masking } = JSON.parse(text.trim().split("\n").at(-1));
  return [sampler.median_s, sampler_masking.median_s];
}

function ours(config, store, ...flags) {
  const args = ["bench", "prepare", "--config", join(peer, "configs", config), "--data", store, "--json", ...flags];
  return JSON.parse(run(process.execPath, [here("../bin/atmorep.js"), ...args]));
}

function decode() {
  const lines = run(process.execPath, [here("read-beside-python.mjs"), String(rounds), "--json"], {
    PYTHON: PYTHON_ZARR3,
  });
  for (const line of lines.trim().split("\n")) {
    const { name, ...columns } = JSON.parse(line);
    const [native, wasm, zarr, numcodecs] = Object.values(columns);
    const beside = `Python zarr 3 ${zarr.toFixed(0)} MB/s, numcodecs alone ${numcodecs.toFixed(0)}`;
    const ratio = (native / zarr).toFixed(2);
    table.push([
      `decode ${name}`,
      `${native.toFixed(0)} MB/s, without a library ${wasm.toFixed(0)}`,
      beside,
      ratio,
      "1",
    ]);
  }
}

function prepare(cold) {
  for (const [resolution, [config, profile]] of Object.entries(SETTINGS)) {
    const store = storeOf(profile, { noisy: cold });
    const [mine, theirs] = [[], []];
    for (let round = 0; round < rounds; round++) {
      mine.push(ours(config, store, "--workers", "0", "--repeats", "16", ...(cold ? ["--cold"] : [])));
      theirs.push(original(config, store, 4));
    }
    for (const [i, name] of ["", ", with masking"].entries()) {
      const [a, b] = [median(mine.map((rows) => rows[i].processorSeconds)), median(theirs.map((row) => row[i]))];
      const ratio = median(mine.map((rows, round) => theirs[round][i] / rows[i].processorSeconds));
      const goals = { "1 degree": cold ? "5" : "15", "0.25 degree": cold ? "-" : "12" };
      const chunks = median(mine.map((rows) => rows[i].chunksDecoded)).toFixed(1);
      const found = cold ? `, ${chunks} chunks decoded` : "";
      const what = `${resolution}, ${cold ? "nothing in cache" : "store in cache"}${name}`;
      table.push([what, ms(a) + found, `the original ${ms(b)}`, ratio.toFixed(1), goals[resolution]]);
    }
  }
}

function workers() {
  for (const [resolution, [config, profile]] of Object.entries(SETTINGS)) {
    const results = Array.from({ length: rounds }, () =>
      ours(config, storeOf(profile), "--workers", "0,2", "--repeats", "24", "--set", "mask_streams=batch"),
    );
    for (const [i, name] of ["", ", with masking"].entries()) {
      const [none, two] = [0, 2].map((at) => results.map((rows) => rows[at + i].medianSeconds));
      const ratio = median(none.map((seconds, round) => seconds / two[round]));
      const texts = [`two workers ${ms(median(two))} of wall time`, `none ${ms(median(none))}`];
      table.push([`${resolution}, workers${name}`, ...texts, ratio.toFixed(2), "1.8"]);
    }
  }
}

function wait() {
  const store = storeOf("bench025", { noisy: true, days: 60 });
  const args = [here("wait.mjs"), join(peer, "configs", "medium.json"), store, "--json"];
  const runs = Array.from({ length: rounds }, () => JSON.parse(run(process.execPath, args)));
  const share = median(runs.map(({ data, compute }) => data / (data + compute)));
  const step = ms(median(runs.map(({ data, compute }) => data + compute)) / 1000);
  const texts = [`${(100 * share).toFixed(2)} % of a step of ${step}`, `${runs[0].workers} workers, ${runs[0].engine}`];
  table.push(["medium, wait for data", ...texts, "-", "3 %"]);
}

const ms = (seconds) => `${(seconds * 1000).toFixed(1)} ms`;

const parts = { decode, prepare: () => prepare(false), cold: () => prepare(true), workers, wait };
console.log(`${availableParallelism()} cores of ${cpus()[0].model}; load ${loadavg()[0].toFixed(1)} at the start`);
for (const row of options.rows.split(",")) {
  const from = table.length;
  parts[row]();
  for (const cells of [...(from === 1 ? [table[0], table[0].map(() => "---")] : []), ...table.slice(from)])
    console.log(`| ${cells.join(" | ")} |`);
}
console.log(`load ${loadavg()[0].toFixed(1)} at the end`);
